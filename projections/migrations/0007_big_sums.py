"""Sums beyond 64 bits: a second column for each. The columns of before keep their names, and the low part."""

from django.db import migrations, models

SUMS = [
    ("banktotals", "balance"),
    ("banktotals", "paid_in"),
    ("banktotals", "paid_out"),
    ("dailytotals", "paid_in"),
    ("dailytotals", "paid_out"),
]


class Migration(migrations.Migration):
    dependencies = [("projections", "0006_kinds_without_choices")]

    operations = [
        operation
        for model, name in SUMS
        for operation in (
            migrations.AlterField(model, name, models.BigIntegerField(db_column=name)),
            migrations.RenameField(model, name, f"{name}_low"),
            migrations.AddField(model, f"{name}_high", models.BigIntegerField(db_default=0)),
        )
    ]
