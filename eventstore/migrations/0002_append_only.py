"""What is recorded is never changed or deleted: the database itself refuses."""

from typing import Any

from django.db import migrations

TABLES = {
    "eventstore_event": "old.position = new.position OR (old.stream = new.stream AND old.version = new.version)",
    "eventstore_commandrecord": "old.id = new.id OR old.rowid = new.rowid",
}


def sqlite(table: str, same: str) -> list[str]:
    """REPLACE deletes without asking the delete trigger, so an insert over an existing row is refused as well."""
    refuse = f"SELECT RAISE(ABORT, '{table} is append-only')"
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse}; END",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse}; END",
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} old WHERE {same}) BEGIN {refuse}; END",
        # Before an insert a row id that is still to be given reads as -1, so no row may really have such a one.
        f"CREATE TRIGGER {table}_counts_up AFTER INSERT ON {table} WHEN new.rowid < 1 BEGIN {refuse}; END",
    ]


# A stream's versions follow one another, whoever writes.
SQLITE_NO_GAP = """
    CREATE TRIGGER eventstore_event_no_gap BEFORE INSERT ON eventstore_event
    WHEN new.version <> 1 AND NOT EXISTS (
        SELECT 1 FROM eventstore_event old WHERE old.stream = new.stream AND old.version = new.version - 1
    )
    BEGIN SELECT RAISE(ABORT, 'eventstore_event leaves no gap'); END
"""


def postgresql(table: str) -> list[str]:
    return [
        f"""CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'; END $$""",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
    ]


# The id of the transaction that wrote each event, by which readers know how far no writer is under way.
POSTGRESQL_ORDER = [
    "ALTER TABLE eventstore_event ALTER transaction_id SET DEFAULT pg_current_xact_id()::text::bigint",
    "CREATE INDEX event_transaction_position ON eventstore_event (transaction_id, position)",
]


def protect(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.alias != "default":
        return
    on_sqlite = schema_editor.connection.vendor == "sqlite"
    statements = [SQLITE_NO_GAP] if on_sqlite else list(POSTGRESQL_ORDER)
    for table, same in TABLES.items():
        statements += sqlite(table, same) if on_sqlite else postgresql(table)
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("eventstore", "0001_initial")]
    operations = [migrations.RunPython(protect, migrations.RunPython.noop)]
