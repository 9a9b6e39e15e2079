"""The accounts projection: holder, balance and PIN lock of each account."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from bank.domain.events import (
    AccountEvent,
    AccountOverdrawn,
    BankAccountClosed,
    BankAccountCreated,
    DepositReversed,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    Note,
    PinChanged,
    PinLocked,
    PinUnlocked,
    StatusChange,
    WithdrawalBlocked,
    WithdrawalReversed,
)
from bank.domain.streams import OfAccount
from eventstore.events import RecordedEvent

from ..models import AccountSummary
from ..name_search import FORM, search_form
from .base import Adapt, Changes, Projector


@dataclass(slots=True)
class AccountChange:
    """The changes of a batch to one account. `pin_locked` is None where the batch does not change it."""

    first_event_at: datetime
    last_event_at: datetime
    version: int = 0
    account_holder: str = ""
    balance: int = 0
    wrong_pins: int = 0
    resets_wrong_pins: bool = False
    pin_locked: bool | None = None
    closed_at: datetime | None = None

    def reset_wrong_pins(self) -> None:
        """Restart the count of wrong PINs."""
        self.wrong_pins, self.resets_wrong_pins = 0, True


class Accounts(Projector):
    """One row for each account."""

    name = "accounts"
    folds = OfAccount
    model = AccountSummary
    columns = (
        "account_id",
        "account_holder",
        "search_name",
        "balance",
        "version",
        "opened_at",
        "last_event_at",
        "wrong_pins",
        "pin_locked",
        "closed_at",
    )
    updates = {
        "balance": "live.balance + excluded.balance",
        "version": "excluded.version",
        "last_event_at": "excluded.last_event_at",
        "wrong_pins": "CASE WHEN %s THEN 0 ELSE live.wrong_pins END + excluded.wrong_pins",
        "pin_locked": "COALESCE(%s, live.pin_locked)",
        "closed_at": "COALESCE(live.closed_at, excluded.closed_at)",
    }
    constant = ("account_holder", "search_name", "opened_at")

    @classmethod
    def built_with(cls) -> str:
        return FORM

    def fold(  # noqa: C901  # a case for each event
        self, changes: Changes, event: AccountEvent, recorded: RecordedEvent
    ) -> None:
        moment = recorded.recorded_at
        change: AccountChange | None = changes.get(event.account_id)
        if change is None:
            change = changes[event.account_id] = AccountChange(moment, moment)
        change.version, change.last_event_at = recorded.version, moment
        match event:
            case (
                MoneyDepositedIntoBankAccount()
                | WithdrawalReversed()
                | MoneyTransferReceived()
                | MoneyTransferReturned()
            ):
                change.balance += event.amount
            case MoneyWithdrawnFromBankAccount() | MoneyTransferSent():
                change.balance -= event.amount
                change.reset_wrong_pins()
            case BankAccountCreated():
                change.account_holder = event.account_holder
            case InvalidPin():
                change.wrong_pins += 1
            case AccountOverdrawn() | PinChanged():
                change.reset_wrong_pins()
            case PinLocked():
                change.pin_locked = True
            case PinUnlocked():
                change.pin_locked = False
                change.reset_wrong_pins()
            case DepositReversed():
                change.balance -= event.amount
            case BankAccountClosed():
                change.closed_at = moment
            case WithdrawalBlocked() | StatusChange() | Note():
                pass
            case _:
                assert_never(event)

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for account_id, change in changes.items():
            yield (
                account_id,
                change.account_holder,
                search_form(change.account_holder) if change.account_holder else "",
                change.balance,
                change.version,
                adapt(change.first_event_at),
                adapt(change.last_event_at),
                change.wrong_pins,
                bool(change.pin_locked),
                change.closed_at and adapt(change.closed_at),
                change.resets_wrong_pins,
                change.pin_locked,
            )
