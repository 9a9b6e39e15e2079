"""The keys that verifiers were made with are found without reading all verifiers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bank", "0005_used_codes")]
    operations = [
        migrations.AddIndex(
            model_name="pinverifier",
            index=models.Index(fields=["key_id"], name="verifier_key_id"),
        ),
    ]
