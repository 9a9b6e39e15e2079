"""The currency is recorded with the first account. The first start or command records that of an existing bank."""

from importlib import import_module
from typing import Any

from django.db import migrations, models

append_only = import_module("eventstore.migrations.0002_append_only")
TABLE = "bank_recordedcurrency"


def protect(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.alias != "default":
        return
    on_sqlite = schema_editor.connection.vendor == "sqlite"
    statements = append_only.sqlite(TABLE, "old.id = new.id") if on_sqlite else append_only.postgresql(TABLE)
    for statement in statements:
        schema_editor.execute(statement)


def leave(apps: Any, schema_editor: Any) -> None:
    """Drop the function of the trigger, which does not go with the table."""
    if schema_editor.connection.alias == "default" and schema_editor.connection.vendor != "sqlite":
        schema_editor.execute(f"DROP FUNCTION {TABLE}_append_only CASCADE")


class Migration(migrations.Migration):
    dependencies = [("bank", "0006_verifier_key_ids"), ("eventstore", "0006_snapshot_seal")]
    operations = [
        migrations.CreateModel(
            name="RecordedCurrency",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("code", models.CharField(help_text="ISO 4217", max_length=3)),
                (
                    "decimals",
                    models.SmallIntegerField(help_text="The decimals of an amount, so 2 where amounts are in cents"),
                ),
                ("seal", models.BinaryField(help_text="HMAC-SHA256 of the currency; see `seals.py`", max_length=36)),
            ],
            options={"abstract": False, "default_permissions": ()},
        ),
        migrations.RunPython(protect, leave),
    ]
