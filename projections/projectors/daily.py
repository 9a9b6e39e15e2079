"""The daily totals projection, in the bank's time zone."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from functools import cache
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from django.utils import timezone

from bank.domain.events import (
    AccountEvent,
    BankAccountCreated,
    DepositReversed,
    MoneyDepositedIntoBankAccount,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    Note,
    Refusal,
    StatusChange,
    WithdrawalReversed,
)
from bank.domain.streams import OfAccount
from eventstore.events import RecordedEvent

from ..big_sums import columns_of, split, sums_added_up
from ..models import DailyTotals
from .base import Adapt, Changes, Projector, added_up


def zone_of(name: str) -> tzinfo:
    """Return the time zone in which a table was built. An empty or invalid name stands for that of the settings."""
    try:
        return ZoneInfo(name) if name else timezone.get_default_timezone()
    except (ValueError, OSError, LookupError):
        return timezone.get_default_timezone()


class Daily(Projector):
    """One row for each day on which an event was recorded.

    Args:
        zone: the time zone of the days; that of the settings by default.
    """

    name = "daily"
    folds = OfAccount
    model = DailyTotals
    counts = ("accounts_opened", "deposits", "withdrawals", "refusals", "corrections")
    sums = ("paid_in", "paid_out")
    columns = ("day", *counts, *columns_of(sums))
    updates = {**added_up(counts), **sums_added_up(sums)}

    def __init__(self, suffix: str = "", zone: str = "") -> None:
        super().__init__(suffix)
        self.zone = zone

    @classmethod
    def built_with(cls) -> str:
        return timezone.get_default_timezone_name()

    def as_built(self, built_with: str) -> Projector:
        return _daily(built_with)

    def fold(self, changes: Changes, event: AccountEvent, recorded: RecordedEvent) -> None:
        day = recorded.recorded_at.astimezone(zone_of(self.zone)).date()
        row = changes.get(day)
        if row is None:
            row = changes[day] = dict.fromkeys((*self.counts, *self.sums), 0)
        match event:
            case MoneyDepositedIntoBankAccount():
                row["deposits"] += 1
                row["paid_in"] += event.amount
            case MoneyWithdrawnFromBankAccount():
                row["withdrawals"] += 1
                row["paid_out"] += event.amount
            case BankAccountCreated():
                row["accounts_opened"] += 1
            case DepositReversed() | WithdrawalReversed():
                row["corrections"] += 1
                row["paid_in" if isinstance(event, WithdrawalReversed) else "paid_out"] += event.amount
            case Refusal():
                row["refusals"] += 1
            case MoneyTransferSent() | MoneyTransferReceived() | MoneyTransferReturned():
                pass  # the money stays in the bank
            case StatusChange() | Note():
                pass
            case _:
                assert_never(event)

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for day, row in changes.items():
            counts = [row[name] for name in self.counts]
            yield day.isoformat(), *counts, *split(row["paid_in"]), *split(row["paid_out"])


@cache
def _daily(zone: str) -> Daily:
    return Daily(zone=zone)
