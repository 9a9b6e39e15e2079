"""The transfers projection: the money sent from one account to another, and what became of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from bank.domain.events import (
    AccountEvent,
    BankAccountCreated,
    MoneyMoved,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    Note,
    Refusal,
    StatusChange,
)
from bank.domain.streams import OfAccount
from eventstore.events import RecordedEvent

from ..models import MoneyTransfer
from .base import Adapt, Changes, Projector


@dataclass(slots=True)
class TransferChange:
    """The changes of a batch to one transfer."""

    account_id: int
    to_account_id: int
    amount: int
    sent_at: datetime | None = None
    arrived_at: datetime | None = None
    returned_at: datetime | None = None
    reason: str = ""


class Transfers(Projector):
    """One row for each transfer.

    Its events are in the streams of two accounts, and either may be parked. So each event fills its own columns, in any
    order.
    """

    name = "transfers"
    folds = OfAccount
    model = MoneyTransfer
    columns = (
        "transfer_id",
        "account_id",
        "to_account_id",
        "amount",
        "sent_at",
        "arrived_at",
        "returned_at",
        "reason",
    )
    updates = {
        "sent_at": "COALESCE(live.sent_at, excluded.sent_at)",
        "arrived_at": "COALESCE(live.arrived_at, excluded.arrived_at)",
        "returned_at": "COALESCE(live.returned_at, excluded.returned_at)",
        "reason": "CASE WHEN live.reason = '' THEN excluded.reason ELSE live.reason END",
    }
    constant = ("account_id", "to_account_id", "amount")

    def fold(self, changes: Changes, event: AccountEvent, recorded: RecordedEvent) -> None:
        match event:
            case MoneyTransferSent():
                self._change(changes, event, event.account_id, event.to_account_id).sent_at = recorded.recorded_at
            case MoneyTransferReceived():
                change = self._change(changes, event, event.from_account_id, event.account_id)
                change.arrived_at = recorded.recorded_at
            case MoneyTransferReturned():
                change = self._change(changes, event, event.account_id, event.to_account_id)
                change.returned_at, change.reason = recorded.recorded_at, event.reason
            case BankAccountCreated() | MoneyMoved() | Refusal() | StatusChange() | Note():
                pass
            case _:
                assert_never(event)

    def _change(
        self,
        changes: Changes,
        event: MoneyTransferSent | MoneyTransferReceived | MoneyTransferReturned,
        account_id: int,
        to_account_id: int,
    ) -> TransferChange:
        """Return the changes of an event's transfer so far."""
        change: TransferChange = changes.setdefault(
            UUID(event.transfer_id), TransferChange(account_id, to_account_id, event.amount)
        )
        return change

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for transfer_id, each in changes.items():
            moments = [moment and adapt(moment) for moment in (each.sent_at, each.arrived_at, each.returned_at)]
            yield adapt(transfer_id), each.account_id, each.to_account_id, each.amount, *moments, each.reason
