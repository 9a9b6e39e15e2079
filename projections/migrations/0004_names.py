"""Holders' names in parts, filled from the accounts that are there: a replay of the whole log is not needed for it."""

from typing import Any

from django.db import migrations, models

from projections.name_search import name_keys

BATCH = 1000


def fill(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.alias != "projections":
        return
    after = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                """SELECT account_id, account_holder FROM projections_accountsummary
                   WHERE account_id > %s ORDER BY account_id LIMIT %s""",
                [after, BATCH],
            )
            accounts = cursor.fetchall()
            if not accounts:
                break
            after = accounts[-1][0]
            parts = [(key, account_id) for account_id, holder in accounts for key in name_keys(holder, account_id)]
            cursor.executemany("INSERT INTO projections_namepart (key, account_id) VALUES (%s, %s)", parts)
        cursor.execute(
            """INSERT INTO projections_checkpoint (name, transaction_id, position, updated_at, error, worker)
               SELECT 'names', transaction_id, position, updated_at, '', '' FROM projections_checkpoint
               WHERE name = 'accounts'"""
        )


def forget(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.alias == "projections":
        schema_editor.execute("DELETE FROM projections_checkpoint WHERE name = 'names'")


class Migration(migrations.Migration):
    dependencies = [("projections", "0003_worker_lease")]

    operations = [
        migrations.CreateModel(
            name="NamePart",
            fields=[
                (
                    "key",
                    models.BinaryField(
                        help_text="The part in UTF-8, a NUL, the account's number in 8 bytes",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunPython(fill, forget),
    ]
