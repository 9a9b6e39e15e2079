"""The refusals projection: refused withdrawals."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from bank.domain.events import (
    AccountEvent,
    AccountOverdrawn,
    BankAccountCreated,
    InvalidPin,
    MoneyMoved,
    Note,
    StatusChange,
    WithdrawalBlocked,
)
from bank.domain.streams import OfAccount
from eventstore.events import RecordedEvent

from ..kinds import KIND_OF
from ..models import RefusedWithdrawal
from .base import Adapt, Changes, Projector


class Refusals(Projector):
    """One row for each refused withdrawal."""

    name = "refusals"
    folds = OfAccount
    model = RefusedWithdrawal
    columns = (
        "position",
        "account_id",
        "version",
        "reason",
        "amount_requested",
        "balance",
        "recorded_at",
        "actor",
        "command_id",
    )

    def fold(self, changes: Changes, event: AccountEvent, recorded: RecordedEvent) -> None:
        match event:
            case AccountOverdrawn():
                balance: int | None = event.balance
            case InvalidPin() | WithdrawalBlocked():
                balance = None
            case BankAccountCreated() | MoneyMoved() | StatusChange() | Note():
                return
            case _:
                assert_never(event)
        reason = KIND_OF[type(event)].name
        changes[recorded.position] = event.account_id, reason, event.amount_requested, balance, recorded

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for position, (account_id, reason, amount_requested, balance, recorded) in changes.items():
            yield (
                position,
                account_id,
                recorded.version,
                reason,
                amount_requested,
                balance,
                adapt(recorded.recorded_at),
                recorded.actor,
                adapt(recorded.command_id),
            )
