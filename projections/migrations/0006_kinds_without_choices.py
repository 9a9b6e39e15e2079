from django.db import migrations, models


class Migration(migrations.Migration):
    """Changes no table: `projections/kinds.py` lists the kinds, so that a new one needs no migration."""

    dependencies = [("projections", "0005_built_with")]

    operations = [
        migrations.AlterField(model_name="statementline", name="kind", field=models.CharField(max_length=10)),
        migrations.AlterField(model_name="refusedwithdrawal", name="reason", field=models.CharField(max_length=20)),
    ]
