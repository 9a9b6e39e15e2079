"""Each process manager follows the log from a checkpoint of its own, on the write side."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("eventstore", "0007_causation"),
    ]

    operations = [
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("transaction_id", models.BigIntegerField(default=0, help_text="PostgreSQL's xid8; 0 on SQLite")),
                ("position", models.BigIntegerField(default=0)),
                ("updated_at", models.DateTimeField()),
                ("error", models.TextField(blank=True, default="")),
                ("failed_position", models.BigIntegerField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "worker",
                    models.CharField(blank=True, default="", help_text="The process that works on it", max_length=200),
                ),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
            ],
        ),
    ]
