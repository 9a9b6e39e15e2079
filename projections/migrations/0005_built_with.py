"""Add to each checkpoint the version or setting that its table was built with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projections", "0004_names")]

    operations = [
        migrations.AddField(
            model_name="checkpoint",
            name="built_with",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What the rows depend on besides the events",
                max_length=100,
            ),
        ),
        migrations.RunSQL(  # the next catch-up inserts these again, with what their tables are built with
            "DELETE FROM projections_checkpoint WHERE transaction_id = 0 AND position = 0", migrations.RunSQL.noop
        ),
    ]
