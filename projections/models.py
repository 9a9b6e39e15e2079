"""The projections: tables that only projectors write. All of them can be rebuilt from the events.

Amounts and balances are integers of minor units (cents). `position` is the event's order in the whole log, `version`
its order in the account's stream.
"""

from django.db import models
from django.db.models import Q

from .big_sums import joined
from .checkpoint_models import Checkpoint as Checkpoint
from .checkpoint_models import ParkedStream as ParkedStream


class AccountSummary(models.Model):
    """The current state of an account."""

    account_id = models.BigIntegerField(primary_key=True)
    account_holder = models.CharField(max_length=100)
    search_name = models.TextField(help_text="The holder in lower case without accents")
    balance = models.BigIntegerField()
    version = models.BigIntegerField()
    opened_at = models.DateTimeField()
    last_event_at = models.DateTimeField()
    wrong_pins = models.BigIntegerField(help_text="Wrong PINs in a row, up to now")
    pin_locked = models.BooleanField(help_text="Withdrawals are refused without a look at the PIN")
    closed_at = models.DateTimeField(null=True, help_text="Empty while the account is open")

    class Meta:
        verbose_name_plural = "account summaries"
        indexes = [models.Index(fields=["account_id"], name="account_locked", condition=Q(pin_locked=True))]

    def __str__(self) -> str:
        return f"{self.account_id} {self.account_holder}"


class NamePart(models.Model):
    """The rest of a word of a holder's name from one of its letters on, so that a prefix search finds any part."""

    key = models.BinaryField(primary_key=True, help_text="The part in UTF-8, a NUL, the account's number in 8 bytes")
    account_id = models.BigIntegerField()

    class Meta:
        default_permissions = ()  # nobody needs to see it

    def __str__(self) -> str:
        return f"{self.account_id} {bytes(self.key)[:-9].decode(errors='replace')}"


class StatementLine(models.Model):
    """One line of an account's statement."""

    position = models.BigIntegerField(primary_key=True)
    account_id = models.BigIntegerField()
    version = models.BigIntegerField()
    kind = models.CharField(max_length=10)  # see kinds.py
    amount = models.BigIntegerField(help_text="What was paid in (above 0) or paid out (below 0)")
    balance = models.BigIntegerField(help_text="The balance after it")
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    command_id = models.UUIDField()
    other_account_id = models.BigIntegerField(null=True, help_text="The account that the money came from or went to")
    about_command_id = models.UUIDField(null=True, help_text="The earlier command that the line belongs to")
    reason = models.CharField(max_length=200, db_default="", help_text="Why it was done")

    class Meta:
        indexes = [
            models.Index(fields=["account_id", "version"], name="line_account_version"),
            models.Index(fields=["command_id"], name="line_command"),
            models.Index(fields=["about_command_id"], name="line_about", condition=Q(about_command_id__isnull=False)),
            models.Index(fields=["actor", "recorded_at"], name="line_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.account_id} {self.kind} {self.amount}"


class RefusedWithdrawal(models.Model):
    """A refused withdrawal. No money moved."""

    position = models.BigIntegerField(primary_key=True)
    account_id = models.BigIntegerField()
    version = models.BigIntegerField()
    reason = models.CharField(max_length=20)  # see kinds.py
    amount_requested = models.BigIntegerField()
    balance = models.BigIntegerField(null=True, help_text="The balance, where it was looked at")
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    command_id = models.UUIDField()

    class Meta:
        indexes = [
            models.Index(fields=["account_id", "version"], name="refusal_account_version"),
            models.Index(fields=["command_id"], name="refusal_command"),
            models.Index(fields=["actor", "recorded_at"], name="refusal_actor"),
            models.Index(fields=["recorded_at", "position"], name="refusal_time"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.account_id} {self.reason}"


IS_ON_ITS_WAY = Q(arrived_at=None, returned_at=None)


class MoneyTransfer(models.Model):
    """A transfer of money between two accounts. Its id is that of the command that sent it.

    It is on its way until it has arrived or is returned. `sent_at` is missing while the account that sent it is parked.
    """

    transfer_id = models.UUIDField(primary_key=True)
    account_id = models.BigIntegerField()
    to_account_id = models.BigIntegerField()
    amount = models.BigIntegerField()
    sent_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, db_default="", help_text="Why it was returned: the rejection's code")

    class Meta:
        indexes = [models.Index(fields=["sent_at"], name="transfer_on_its_way", condition=IS_ON_ITS_WAY)]

    def __str__(self) -> str:
        return f"{self.transfer_id}: {self.account_id} → {self.to_account_id}, {self.amount}"


class PaidInAndOut(models.Model):
    """Sums of the money paid in and paid out; see `big_sums`."""

    paid_in_low = models.BigIntegerField(db_column="paid_in")
    paid_in_high = models.BigIntegerField(db_default=0)
    paid_out_low = models.BigIntegerField(db_column="paid_out")
    paid_out_high = models.BigIntegerField(db_default=0)

    class Meta:
        abstract = True

    @property
    def paid_in(self) -> int:
        return joined(self.paid_in_high, self.paid_in_low)

    @property
    def paid_out(self) -> int:
        return joined(self.paid_out_high, self.paid_out_low)


class BankTotals(PaidInAndOut):
    """The bank's totals, in one row. Paid in less paid out is on deposit or on its way between two accounts."""

    id = models.SmallIntegerField(primary_key=True)
    accounts = models.BigIntegerField()
    balance_low = models.BigIntegerField(db_column="balance")
    balance_high = models.BigIntegerField(db_default=0)
    on_its_way_low = models.BigIntegerField(db_column="on_its_way", db_default=0)
    on_its_way_high = models.BigIntegerField(db_default=0)

    class Meta:
        verbose_name_plural = "bank totals"

    def __str__(self) -> str:
        return f"{self.id}"

    @property
    def balance(self) -> int:
        """The money on deposit: the sum of all balances."""
        return joined(self.balance_high, self.balance_low)

    @property
    def on_its_way(self) -> int:
        """The money of transfers that have neither arrived nor come back."""
        return joined(self.on_its_way_high, self.on_its_way_low)


class DailyTotals(PaidInAndOut):
    """The totals of one day in the bank's time zone."""

    day = models.DateField(primary_key=True)
    accounts_opened = models.BigIntegerField()
    deposits = models.BigIntegerField()
    withdrawals = models.BigIntegerField()
    refusals = models.BigIntegerField()
    corrections = models.BigIntegerField(db_default=0)

    class Meta:
        verbose_name_plural = "daily totals"

    def __str__(self) -> str:
        return f"{self.day}"


def shift_key(till_id: int, shift: int) -> int:
    """Return the primary key of a shift. A till's number has at most four digits."""
    return shift * 10_000 + till_id


def shift_of_key(key: int) -> tuple[int, int]:
    """Return the till and the shift of a primary key."""
    shift, till_id = divmod(key, 10_000)
    return till_id, shift


class TillShift(models.Model):
    """One shift of a till, from its opening to its closing. The expected cash may be negative.

    `late` is the sum of the payments that were recorded after the closing, so they are not in `expected`.
    """

    key = models.BigIntegerField(primary_key=True, help_text="See `shift_key`")
    till_id = models.BigIntegerField()
    shift = models.BigIntegerField(help_text="Which opening of the till it is: 1 is the first")
    teller = models.CharField(max_length=150)
    opened_at = models.DateTimeField()
    opening_cash = models.BigIntegerField()
    expected = models.BigIntegerField(help_text="The cash that the till should hold")
    late = models.BigIntegerField(help_text="Cash in and out of the shift that was recorded after its closing")
    counted = models.BigIntegerField(null=True)
    difference = models.BigIntegerField(null=True, help_text="The count less what was expected: below 0 it is short")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=150)

    class Meta:
        indexes = [
            models.Index(fields=["closed_at"], name="shift_closed_at"),
            models.Index(fields=["teller", "closed_at"], name="shift_teller"),
        ]

    def __str__(self) -> str:
        return f"{self.till_id} {self.shift} {self.teller}"


class TillMovement(models.Model):
    """One event of a till."""

    position = models.BigIntegerField(primary_key=True)
    till_id = models.BigIntegerField()
    shift = models.BigIntegerField()
    kind = models.CharField(max_length=10)  # see till_kinds.py
    amount = models.BigIntegerField(help_text="What came in (above 0) or went out (below 0)")
    expected = models.BigIntegerField(help_text="The expected cash after it")
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    command_id = models.UUIDField()
    about_command_id = models.UUIDField(null=True, help_text="The command of the customer's payment")

    class Meta:
        indexes = [
            models.Index(fields=["till_id", "shift", "position"], name="movement_till_shift"),
            models.Index(fields=["command_id"], name="movement_command"),
            models.Index(fields=["about_command_id"], name="movement_about"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.till_id} {self.kind} {self.amount}"
