"""The totals of each day in the bank's time zone."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from django.utils import timezone

from bank.domain.events import (
    BankAccountCreated,
    BankEvent,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    Refusal,
    StatusChange,
)
from eventstore.events import RecordedEvent

from ..models import DailyTotals
from .base import Adapt, Changes, Projector, added_up


class Daily(Projector):
    """One row for each day on which an event was recorded."""

    name = "daily"
    model = DailyTotals
    columns = ("day", "accounts_opened", "deposits", "paid_in", "withdrawals", "paid_out", "refusals")
    updates = added_up(columns[1:])

    def fold(self, changes: Changes, event: BankEvent, recorded: RecordedEvent) -> None:
        day = recorded.recorded_at.astimezone(timezone.get_default_timezone()).date()
        row = changes.get(day)
        if row is None:
            row = changes[day] = dict.fromkeys(self.columns[1:], 0)
        match event:
            case MoneyDepositedIntoBankAccount():
                row["deposits"] += 1
                row["paid_in"] += event.amount
            case MoneyWithdrawnFromBankAccount():
                row["withdrawals"] += 1
                row["paid_out"] += event.amount
            case BankAccountCreated():
                row["accounts_opened"] += 1
            case Refusal():
                row["refusals"] += 1
            case StatusChange():
                pass
            case _:
                assert_never(event)

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for day, row in changes.items():
            yield day.isoformat(), *row.values()
