"""Tills. Both projections begin at the start of the log, which has no till before this version."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("projections", "0012_transfers"),
    ]

    operations = [
        migrations.CreateModel(
            name="TillMovement",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("till_id", models.BigIntegerField()),
                ("shift", models.BigIntegerField()),
                ("kind", models.CharField(max_length=10)),
                ("amount", models.BigIntegerField(help_text="What came in (above 0) or went out (below 0)")),
                ("expected", models.BigIntegerField(help_text="The expected cash after it")),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=150)),
                ("command_id", models.UUIDField()),
                ("about_command_id", models.UUIDField(help_text="The command of the customer's payment", null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["till_id", "shift", "position"], name="movement_till_shift"),
                    models.Index(fields=["command_id"], name="movement_command"),
                    models.Index(fields=["about_command_id"], name="movement_about"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TillShift",
            fields=[
                ("key", models.BigIntegerField(help_text="See `shift_key`", primary_key=True, serialize=False)),
                ("till_id", models.BigIntegerField()),
                ("shift", models.BigIntegerField(help_text="Which opening of the till it is: 1 is the first")),
                ("teller", models.CharField(max_length=150)),
                ("opened_at", models.DateTimeField()),
                ("opening_cash", models.BigIntegerField()),
                ("expected", models.BigIntegerField(help_text="The cash that the till should hold")),
                (
                    "late",
                    models.BigIntegerField(
                        help_text="Cash in and out of the shift that was recorded after its closing"
                    ),
                ),
                ("counted", models.BigIntegerField(null=True)),
                (
                    "difference",
                    models.BigIntegerField(
                        help_text="The count less what was expected: below 0 it is short", null=True
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.CharField(max_length=150)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["closed_at"], name="shift_closed_at"),
                    models.Index(fields=["teller", "closed_at"], name="shift_teller"),
                ],
            },
        ),
    ]
