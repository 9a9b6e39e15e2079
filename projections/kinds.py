"""The kinds of entries: statement lines and refused withdrawals.

Only this module holds the stored name of a kind, its label, and its explanation on a receipt.
"""

from typing import NamedTuple

from django.utils.translation import gettext, gettext_noop

from bank.domain.events import (
    ACCOUNT_EVENTS,
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
    Refusal,
    StatusChange,
    WithdrawalBlocked,
    WithdrawalReversed,
)

_PAID_IN = MoneyDepositedIntoBankAccount, WithdrawalReversed, MoneyTransferReceived, MoneyTransferReturned
_PAID_OUT = MoneyWithdrawnFromBankAccount, DepositReversed, MoneyTransferSent
RETURNED_BECAUSE = {
    "no_such_account": gettext_noop("there is no such account"),
    "account_closed": gettext_noop("the account is closed"),
    "invalid_amount": gettext_noop("the other account cannot hold that much"),
}
"""The reasons of returned transfers in words, by the code of the rejection."""


class Kind(NamedTuple):
    """A kind of entry: its stored name, its event, its label, and its explanation, which may be empty.

    `before_other` is the label in front of the other account, where one is known.
    """

    name: str
    event: type[AccountEvent]
    words: str
    explanation: str
    before_other: str = ""

    @property
    def sign(self) -> int:
        """The direction of money: 1 if paid in, -1 if paid out, else 0."""
        return (self.event in _PAID_IN) - (self.event in _PAID_OUT)

    @property
    def is_refusal(self) -> bool:
        return issubclass(self.event, Refusal)

    @property
    def because(self) -> str:
        """The reason of a refusal in words."""
        return gettext(self.words).partition(": ")[2]

    @property
    def is_status_change(self) -> bool:
        return issubclass(self.event, StatusChange)


KINDS = (
    Kind("opened", BankAccountCreated, "Account opened", ""),
    Kind("deposit", MoneyDepositedIntoBankAccount, "Deposit", ""),
    Kind("withdrawal", MoneyWithdrawnFromBankAccount, "Withdrawal", ""),
    Kind("sent", MoneyTransferSent, "Transfer sent", "", "Transfer to"),
    Kind("received", MoneyTransferReceived, "Transfer received", "", "Transfer from"),
    Kind("returned", MoneyTransferReturned, "Transfer returned", "The money is back on the account."),
    Kind(
        "locked",
        PinLocked,
        "Withdrawals locked",
        "There were too many wrong PINs in a row. Only a supervisor can unlock withdrawals.",
    ),
    Kind("unlocked", PinUnlocked, "Withdrawals unlocked", "The customer has all attempts at the PIN again."),
    Kind("new_pin", PinChanged, "New PIN", "The old PIN no longer counts."),
    Kind("closed", BankAccountClosed, "Account closed", "Its statement stays. Its number is never given again."),
    Kind("undone_in", DepositReversed, "Deposit reversed", ""),
    Kind("undone_out", WithdrawalReversed, "Withdrawal reversed", ""),
    Kind("invalid_pin", InvalidPin, "Refused: wrong PIN", "The PIN was wrong. No money has moved."),
    Kind(
        "account_overdrawn",
        AccountOverdrawn,
        "Refused: not enough money",
        "The balance is less than the amount. No money has moved.",
    ),
    Kind(
        "withdrawal_blocked",
        WithdrawalBlocked,
        "Refused: withdrawals are locked",
        "Too many wrong PINs had come in a row, so the PIN was not checked. No money has moved. "
        "Only a supervisor can unlock withdrawals.",
    ),
)

KIND_OF = {kind.event: kind for kind in KINDS}
"""The kind of each event that is an entry."""

if without := [event.__name__ for event in ACCOUNT_EVENTS if event not in KIND_OF and not issubclass(event, Note)]:
    raise TypeError(f"projections/kinds.py has no kind for {', '.join(without)}")

_NAMED = {kind.name: kind for kind in KINDS}


def kind_named(name: str) -> Kind:
    """Return the kind with a stored name. A kind of a newer version of the program has its name as its label."""
    return _NAMED.get(name) or Kind(name, BankAccountCreated, name, "")


def because(reason: str) -> str:
    """Return the reason of a returned transfer in words, or its code if this version does not know it."""
    return gettext(RETURNED_BECAUSE[reason]) if reason in RETURNED_BECAUSE else reason
