"""Codes of a second factor that were used, and no secrets that nobody has confirmed: those are drafts of a session."""

from typing import Any

from django.conf import settings
from django.db import migrations, models


def delete_unconfirmed(apps: Any, schema_editor: Any) -> None:
    """Delete the devices that were shown and not confirmed: somebody else may have seen their secrets first."""
    if schema_editor.connection.alias == "default":
        apps.get_model("otp_totp", "TOTPDevice").objects.filter(confirmed=False).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("bank", "0004_verifier_seals"),
        ("otp_totp", "0003_add_timestamps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="UsedCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.BigIntegerField(help_text="The time step of the code (RFC 6238)")),
                ("user", models.ForeignKey(on_delete=models.DB_CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("user", "step"), name="code_is_used_once")],
            },
        ),
        migrations.RunPython(delete_unconfirmed, migrations.RunPython.noop),
    ]
