"""Each command record names the event that led to its command, so that what an event caused is found."""

from typing import Any

from django.db import migrations, models

# Django would remake the table on SQLite, without its triggers and with other row ids. The default lets the version
# before insert records. This takes no time, however many there are.
ADD_COLUMN = "ALTER TABLE eventstore_commandrecord ADD COLUMN causation varchar(220) DEFAULT '' NOT NULL"


def add_column(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.alias == "default":
        schema_editor.execute(ADD_COLUMN)


class Migration(migrations.Migration):
    dependencies = [("eventstore", "0006_snapshot_seal")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_column, migrations.RunPython.noop)],
            state_operations=[
                migrations.AddField(
                    model_name="commandrecord",
                    name="causation",
                    field=models.CharField(
                        db_default="",
                        help_text="The event that led to it, as stream@version; empty for a user's",
                        max_length=220,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="commandrecord",
            index=models.Index(
                condition=models.Q(("causation", ""), _negated=True), fields=["causation"], name="command_causation"
            ),
        ),
    ]
