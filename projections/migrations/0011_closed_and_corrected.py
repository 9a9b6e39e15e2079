"""Closed accounts, and the number of corrections of each day. No event so far is one, so existing rows are complete."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projections", "0010_lines_about_commands")]

    operations = [
        migrations.AddField(
            "accountsummary", "closed_at", models.DateTimeField(help_text="Empty while the account is open", null=True)
        ),
        migrations.AddField("dailytotals", "corrections", models.BigIntegerField(db_default=0)),
    ]
