"""Indexes for a teller's tasks of a day, for the refusals of a period, and for locked accounts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projections", "0013_tills")]

    operations = [
        migrations.AddIndex(
            "accountsummary",
            models.Index(fields=["account_id"], condition=models.Q(("pin_locked", True)), name="account_locked"),
        ),
        migrations.AddIndex("refusedwithdrawal", models.Index(fields=["actor", "recorded_at"], name="refusal_actor")),
        migrations.AddIndex("refusedwithdrawal", models.Index(fields=["recorded_at", "position"], name="refusal_time")),
        migrations.AddIndex("statementline", models.Index(fields=["actor", "recorded_at"], name="line_actor")),
    ]
