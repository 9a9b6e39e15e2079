"""On PostgreSQL too a stream's versions follow one another, whoever writes. SQLite has had this from the beginning."""

from typing import Any

from django.db import migrations

# The name of the table is bound to its schema, so that it is found whatever the search path.
FUNCTION = """
    CREATE FUNCTION eventstore_event_no_gap() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM {table} WHERE stream = NEW.stream AND version = NEW.version - 1) THEN
            RAISE EXCEPTION 'eventstore_event leaves no gap' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
"""
TRIGGER = """
    CREATE TRIGGER eventstore_event_no_gap BEFORE INSERT ON eventstore_event
    FOR EACH ROW WHEN (NEW.version <> 1) EXECUTE FUNCTION eventstore_event_no_gap()
"""


def leave_no_gap(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.alias != "default" or connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema()) || '.eventstore_event'")
        table = cursor.fetchone()[0]
    schema_editor.execute(FUNCTION.format(table=table))
    schema_editor.execute(TRIGGER)


class Migration(migrations.Migration):
    dependencies = [("eventstore", "0003_epoch")]
    operations = [migrations.RunPython(leave_no_gap, migrations.RunPython.noop)]
