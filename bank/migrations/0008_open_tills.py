"""Add the table of open tills. An earlier version, which has no tills, leaves it empty."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bank", "0007_recorded_currency"),
    ]

    operations = [
        migrations.CreateModel(
            name="OpenTill",
            fields=[
                ("till_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("teller", models.CharField(max_length=150)),
                ("shift", models.BigIntegerField(help_text="Which opening of the till it is: 1 is the first")),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("teller",), name="open_till_of_teller")],
            },
        ),
    ]
