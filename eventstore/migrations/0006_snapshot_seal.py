"""Each snapshot gets a seal. Those of before have none and are not believed: they are written anew from the events."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("eventstore", "0005_seals")]
    operations = [
        migrations.AddField(
            model_name="snapshot",
            name="seal",
            field=models.BinaryField(
                db_default=b"", help_text="Empty where an older version of the program wrote it", max_length=36
            ),
        ),
    ]
