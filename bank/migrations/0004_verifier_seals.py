"""Each PIN verifier gets a seal over itself and the command that set it."""

from typing import Any

from django.db import migrations, models

from bank.application.pins import Verifier
from eventstore import seals


def seal_what_is_there(apps: Any, schema_editor: Any) -> None:
    """Seal the verifiers of before."""
    if schema_editor.connection.alias != "default":
        return
    PinVerifier, Event = apps.get_model("bank", "PinVerifier"), apps.get_model("eventstore", "Event")  # noqa: N806
    for row in PinVerifier.objects.iterator():
        setting = Event.objects.filter(
            stream=f"bank_account-{row.account_id}", type__in=("bank_account_created", "pin_changed")
        )
        verifier = Verifier(row.key_id, bytes(row.salt), bytes(row.digest), b"")
        if event := setting.order_by("-version").first():
            seal = seals.seal(verifier.text(row.account_id, event.command_id))
            PinVerifier.objects.filter(pk=row.pk).update(seal=seal)


class Migration(migrations.Migration):
    dependencies = [("bank", "0003_log_in_tries"), ("eventstore", "0005_seals")]
    operations = [
        migrations.AddField(
            model_name="pinverifier",
            name="seal",
            field=models.BinaryField(
                default=b"", help_text="HMAC-SHA256 of all of it and of the command that set it", max_length=36
            ),
            preserve_default=False,
        ),
        migrations.RunPython(seal_what_is_there, migrations.RunPython.noop),
    ]
