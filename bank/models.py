"""The write side's tables beside the record: PIN verifiers, the currency and open tills."""

from django.db import models
from django.utils.translation import gettext_noop

from eventstore.models import AppendOnlyModel

from .access.models import LogInTries as LogInTries
from .access.models import UsedCode as UsedCode


class PinVerifier(AppendOnlyModel):
    """The verifier of an account's PIN: a keyed hash, whose key is not in the database.

    Only `pins.py` writes it, together with the event that opened the account or changed its PIN. The model refuses
    writes.
    """

    account_id = models.BigIntegerField(primary_key=True)
    key_id = models.CharField(max_length=8, help_text="Which of PIN_KEYS made it")
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)
    seal = models.BinaryField(max_length=36, help_text="HMAC-SHA256 of all of it and of the command that set it")

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_accounts", gettext_noop("Can look at accounts")),
            ("serve_customers", gettext_noop("Can do a teller's tasks")),
            ("supervise", gettext_noop("Can do a supervisor's tasks")),
        ]
        indexes = [models.Index(fields=["key_id"], name="verifier_key_id")]

    def __str__(self) -> str:
        return f"PIN of account {self.account_id}"


class RecordedCurrency(AppendOnlyModel):
    """The currency of all recorded amounts, in one row. `currency.py` writes it with the first account."""

    id = models.SmallIntegerField(primary_key=True)
    code = models.CharField(max_length=3, help_text="ISO 4217")
    decimals = models.SmallIntegerField(help_text="The decimals of an amount, so 2 where amounts are in cents")
    seal = models.BinaryField(max_length=36, help_text="HMAC-SHA256 of the currency; see `seals.py`")

    class Meta(AppendOnlyModel.Meta):
        default_permissions = ()

    def __str__(self) -> str:
        return self.code


class OpenTill(AppendOnlyModel):
    """An open till, and the teller who has it. `tills.py` writes the row with the event, and deletes it at the closing.

    The unique teller is the rule that no aggregate can hold: a teller has one open till at most.
    """

    till_id = models.BigIntegerField(primary_key=True)
    teller = models.CharField(max_length=150)
    shift = models.BigIntegerField(help_text="Which opening of the till it is: 1 is the first")

    class Meta(AppendOnlyModel.Meta):
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["teller"], name="open_till_of_teller")]

    def __str__(self) -> str:
        return f"Till {self.till_id} of {self.teller}"
