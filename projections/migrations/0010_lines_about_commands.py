"""Lines that belong to an earlier command, or to two accounts. No line so far is one, so existing lines are complete."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projections", "0009_time_zone")]

    operations = [
        migrations.AddField(
            "statementline",
            "other_account_id",
            models.BigIntegerField(help_text="The account that the money came from or went to", null=True),
        ),
        migrations.AddField(
            "statementline",
            "about_command_id",
            models.UUIDField(help_text="The earlier command that the line belongs to", null=True),
        ),
        migrations.AddField(
            "statementline",
            "reason",
            models.CharField(db_default="", help_text="Why it was done", max_length=200),
        ),
        migrations.AddIndex(
            "statementline",
            models.Index(
                fields=["about_command_id"],
                name="line_about",
                condition=models.Q(("about_command_id__isnull", False)),
            ),
        ),
    ]
