"""The log's transaction ids keep rising when it moves to another PostgreSQL server. SQLite has none."""

from importlib import import_module
from typing import Any

from django.db import migrations, models

append_only = import_module("eventstore.migrations.0002_append_only")

# With bound bodies, so that they work whatever the search path, and are restored in the right order.
POSTGRESQL = [
    """CREATE FUNCTION eventstore_shift() RETURNS bigint LANGUAGE sql STABLE
       BEGIN ATOMIC SELECT COALESCE(MAX(shift), 0) FROM eventstore_epoch; END""",
    """CREATE FUNCTION eventstore_horizon() RETURNS bigint LANGUAGE sql STABLE
       BEGIN ATOMIC SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + eventstore_shift(); END""",
    """ALTER TABLE eventstore_event
       ALTER transaction_id SET DEFAULT pg_current_xact_id()::text::bigint + eventstore_shift()""",
]


def shift(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.alias != "default":
        return
    table = "eventstore_epoch"
    if schema_editor.connection.vendor == "sqlite":
        statements = append_only.sqlite(table, "old.number = new.number")
    else:
        statements = append_only.postgresql(table) + POSTGRESQL
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("eventstore", "0002_append_only")]
    operations = [
        migrations.CreateModel(
            name="Epoch",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("shift", models.BigIntegerField()),
                ("began_at", models.DateTimeField()),
            ],
            options={"abstract": False, "default_permissions": ()},
        ),
        migrations.RunPython(shift, migrations.RunPython.noop),
    ]
