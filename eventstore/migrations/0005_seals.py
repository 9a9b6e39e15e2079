"""Each command record gets a seal over itself and its last event, and the id of the transaction that wrote it."""

from importlib import import_module
from typing import Any

from django.db import migrations, models

from eventstore import seals
from eventstore.chain import GENESIS, command_text
from eventstore.events import Envelope

TABLE = "eventstore_commandrecord"
append_only = import_module("eventstore.migrations.0002_append_only")


def seal_what_is_there(apps: Any, schema_editor: Any) -> None:
    """Seal the records of before, which changes nothing of what they say; the triggers look away meanwhile."""
    if schema_editor.connection.alias != "default":
        return
    on_sqlite = schema_editor.connection.vendor == "sqlite"
    if not on_sqlite:
        schema_editor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER {TABLE}_append_only")
    Event, CommandRecord = (apps.get_model("eventstore", name) for name in ("Event", "CommandRecord"))  # noqa: N806
    for record in CommandRecord.objects.iterator():
        last = Event.objects.filter(stream=record.stream, version=record.version).first()
        outcome = [record.outcome, record.reason, record.message, record.stream, record.version, record.event_count]
        said = Envelope(record.id, record.name, record.actor, record.received_at, bytes(record.fingerprint))
        CommandRecord.objects.filter(pk=record.pk).update(
            seal=seals.seal(command_text(said, outcome, bytes(last.hash) if last else GENESIS)),
            transaction_id=last.transaction_id if last else 0,
        )
    if on_sqlite:  # the new columns have made it a new table, without triggers
        for statement in append_only.sqlite(TABLE, append_only.TABLES[TABLE]):
            schema_editor.execute(statement)
        return
    schema_editor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER {TABLE}_append_only")
    schema_editor.execute(
        f"ALTER TABLE {TABLE} ALTER transaction_id SET DEFAULT pg_current_xact_id()::text::bigint + eventstore_shift()"
    )


class Migration(migrations.Migration):
    dependencies = [("eventstore", "0004_no_gap")]
    operations = [
        migrations.AddField(
            model_name="commandrecord",
            name="transaction_id",
            field=models.BigIntegerField(db_default=0, help_text="PostgreSQL's xid8; 0 on SQLite"),
        ),
        migrations.AddField(
            model_name="commandrecord",
            name="seal",
            field=models.BinaryField(
                default=b"", help_text="HMAC-SHA256 of all that it says; see `seals.py`", max_length=36
            ),
            preserve_default=False,
        ),
        migrations.RunPython(seal_what_is_there, migrations.RunPython.noop),
    ]
