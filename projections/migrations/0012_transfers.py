"""Transfers, and the money on its way. No version so far recorded a transfer, so the new projection need not read the log.

Its checkpoint is that of the statements, unless they lack events. Then it starts at the beginning of the log.
"""

from typing import Any

from django.db import migrations, models

START = """
    INSERT INTO projections_checkpoint (name, transaction_id, position, updated_at, error, worker)
    SELECT 'transfers', transaction_id, position, updated_at, '', '' FROM projections_checkpoint
    WHERE name = 'statements' AND parked = 0 AND error = ''
"""
FORGET = "DELETE FROM projections_checkpoint WHERE name = 'transfers'"


def start(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.alias == "projections":
        schema_editor.execute(START)


def forget(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.alias == "projections":
        schema_editor.execute(FORGET)


class Migration(migrations.Migration):
    dependencies = [("projections", "0011_closed_and_corrected")]

    operations = [
        migrations.AddField(
            "banktotals", "on_its_way_low", models.BigIntegerField(db_column="on_its_way", db_default=0)
        ),
        migrations.AddField("banktotals", "on_its_way_high", models.BigIntegerField(db_default=0)),
        migrations.CreateModel(
            name="MoneyTransfer",
            fields=[
                ("transfer_id", models.UUIDField(primary_key=True, serialize=False)),
                ("account_id", models.BigIntegerField()),
                ("to_account_id", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("arrived_at", models.DateTimeField(null=True)),
                ("returned_at", models.DateTimeField(null=True)),
                (
                    "reason",
                    models.CharField(
                        db_default="", help_text="Why it was returned: the rejection's code", max_length=200
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("arrived_at", None), ("returned_at", None)),
                        fields=["sent_at"],
                        name="transfer_on_its_way",
                    )
                ],
            },
        ),
        migrations.RunPython(start, forget),
    ]
