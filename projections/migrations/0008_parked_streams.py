"""Streams of which a projection could not apply an event."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projections", "0007_big_sums")]

    operations = [
        migrations.AddField(
            model_name="checkpoint",
            name="parked",
            field=models.BigIntegerField(db_default=0, default=0, help_text="The number of streams that it has parked"),
        ),
        migrations.CreateModel(
            name="ParkedStream",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("projection", models.CharField(max_length=50)),
                ("stream", models.CharField(max_length=200)),
                ("version", models.BigIntegerField(help_text="The first version that is not in the figures")),
                ("transaction_id", models.BigIntegerField()),
                ("position", models.BigIntegerField(help_text="The event's position in the log")),
                ("event_type", models.CharField(max_length=100)),
                ("is_unknown", models.BooleanField(help_text="This version of the program does not know the event")),
                ("error", models.TextField()),
                ("recorded_at", models.DateTimeField(help_text="The figures lack the stream's events since then")),
                ("parked_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("projection", "stream"), name="parked_projection_stream")
                ],
            },
        ),
    ]
