"""The events of an account, and the stored types and payloads of all events.

Stored types and payload keys are the challenge's to the letter; those of the PIN lock are formed like them. Python uses
the same words in its own case. This module is the one place that maps the two. Amounts and balances are integers of
minor units (cents).

Most events belong to a group. A projector may treat a group alike, so a new event of the group needs no decision there;
an event of no group needs a decision of each projector. The events of a till are in `till_events.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, get_args

from .streams import OfAccount
from .till_events import TillEvent as TillEvent
from .upcasters import UnknownEvent as UnknownEvent
from .upcasters import UnreadablePayload as UnreadablePayload
from .upcasters import upcast


class MoneyMoved(OfAccount):
    """A group: the balance of an account changed."""

    __slots__ = ()


class Correction(MoneyMoved):
    """A group: a supervisor reversed what an earlier command recorded."""

    __slots__ = ()


class Refusal(OfAccount):
    """A group: a withdrawal was refused, and no money moved."""

    __slots__ = ()


class StatusChange(OfAccount):
    """A group: an account may be used in another way than before. Neither its money nor its holder changed."""

    __slots__ = ()


class Note(OfAccount):
    """A group: an account noted a step of a process. It changed nothing that a figure or a statement shows."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class BankAccountCreated(OfAccount):
    stored_type: ClassVar = "bank_account_created"
    account_id: int
    account_holder: str


@dataclass(frozen=True, slots=True)
class MoneyDepositedIntoBankAccount(MoneyMoved):
    stored_type: ClassVar = "money_deposited_into_bank_account"
    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class MoneyWithdrawnFromBankAccount(MoneyMoved):
    stored_type: ClassVar = "money_withdrawn_from_bank_account"
    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class InvalidPin(Refusal):
    """A withdrawal was refused because the PIN was wrong. The balance was not checked."""

    stored_type: ClassVar = "invalid_pin"
    account_id: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class AccountOverdrawn(Refusal):
    """A withdrawal was refused because it exceeded the balance. No money moved."""

    stored_type: ClassVar = "account_overdrawn"
    account_id: int
    balance: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class PinLocked(StatusChange):
    """Too many wrong PINs in a row locked withdrawals: they are refused without a check of the PIN.

    `wrong_pins` is the number of wrong PINs, or None where version 1 did not record it.
    """

    stored_type: ClassVar = "pin_locked"
    account_id: int
    wrong_pins: int | None


@dataclass(frozen=True, slots=True)
class WithdrawalBlocked(Refusal):
    """A withdrawal was refused because withdrawals are locked. Neither PIN nor balance was checked."""

    stored_type: ClassVar = "withdrawal_blocked"
    account_id: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class PinUnlocked(StatusChange):
    """A supervisor unlocked withdrawals."""

    stored_type: ClassVar = "pin_unlocked"
    account_id: int


@dataclass(frozen=True, slots=True)
class PinChanged(StatusChange):
    """A supervisor changed the PIN to the customer's new one."""

    stored_type: ClassVar = "pin_changed"
    account_id: int


@dataclass(frozen=True, slots=True)
class BankAccountClosed(StatusChange):
    """The customer closed the account. It was empty."""

    stored_type: ClassVar = "bank_account_closed"
    account_id: int


@dataclass(frozen=True, slots=True)
class DepositReversed(Correction):
    """A supervisor reversed a deposit. Its amount left the account."""

    stored_type: ClassVar = "deposit_reversed"
    account_id: int
    amount: int
    reversed_command_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class WithdrawalReversed(Correction):
    """A supervisor reversed a withdrawal. Its amount came back into the account."""

    stored_type: ClassVar = "withdrawal_reversed"
    account_id: int
    amount: int
    reversed_command_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class MoneyTransferSent(MoneyMoved):
    """Money left the account for another one. `transfer_id` is the id of the command, as text."""

    stored_type: ClassVar = "money_transfer_sent"
    account_id: int
    to_account_id: int
    amount: int
    transfer_id: str


@dataclass(frozen=True, slots=True)
class MoneyTransferReceived(MoneyMoved):
    """The money of a transfer came into the account."""

    stored_type: ClassVar = "money_transfer_received"
    account_id: int
    from_account_id: int
    amount: int
    transfer_id: str


@dataclass(frozen=True, slots=True)
class MoneyTransferCompleted(Note):
    """The account that sent a transfer knows that it was received."""

    stored_type: ClassVar = "money_transfer_completed"
    account_id: int
    transfer_id: str


@dataclass(frozen=True, slots=True)
class MoneyTransferReturned(MoneyMoved):
    """The other account could not take the money of a transfer, and it came back. `reason` is the rejection's code."""

    stored_type: ClassVar = "money_transfer_returned"
    account_id: int
    to_account_id: int
    amount: int
    transfer_id: str
    reason: str


type AccountEvent = (
    BankAccountCreated
    | MoneyDepositedIntoBankAccount
    | MoneyWithdrawnFromBankAccount
    | InvalidPin
    | AccountOverdrawn
    | PinLocked
    | WithdrawalBlocked
    | PinUnlocked
    | PinChanged
    | BankAccountClosed
    | DepositReversed
    | WithdrawalReversed
    | MoneyTransferSent
    | MoneyTransferReceived
    | MoneyTransferCompleted
    | MoneyTransferReturned
)

type BankEvent = AccountEvent | TillEvent

ACCOUNT_EVENTS: tuple[type[AccountEvent], ...] = get_args(AccountEvent.__value__)
TILL_EVENTS: tuple[type[TillEvent], ...] = get_args(TillEvent.__value__)
EVENT_CLASSES: tuple[type[BankEvent], ...] = (*ACCOUNT_EVENTS, *TILL_EVENTS)
EVENT_TYPES = {event.stored_type: event for event in EVENT_CLASSES}

PAYLOAD_KEYS = {
    "account_id": "accountId",
    "account_holder": "accountHolder",
    "till_id": "tillId",
    "opening_cash": "openingCash",
    "command_id": "commandId",
    "reversed_command_id": "reversedCommandId",
    "to_account_id": "toAccountId",
    "from_account_id": "fromAccountId",
    "transfer_id": "transferId",
}
"""Payload keys that differ from the attribute's name."""

_KEYS = {
    event_class: [(field.name, PAYLOAD_KEYS.get(field.name, field.name)) for field in fields(event_class)]
    for event_class in EVENT_CLASSES
}
_DECODED = {
    name: (
        event_class,
        [
            (key, get_args(field.type) or (field.type,))
            for (_, key), field in zip(_KEYS[event_class], fields(event_class), strict=True)
        ],
    )
    for name, event_class in EVENT_TYPES.items()
}
_LIMIT = 2**63
"""Integers from here on, in either direction, fit into no column."""


def encode(event: BankEvent) -> tuple[str, dict[str, Any]]:
    """Return the stored type and payload of an event."""
    return event.stored_type, {key: getattr(event, name) for name, key in _KEYS[type(event)]}


def decode(event_type: str, schema_version: int, data: Mapping[str, Any]) -> BankEvent:
    """Return the event of a stored type and payload.

    Raises:
        UnknownEvent: the program does not know the type or the schema version.
        UnreadablePayload: the payload is none of this type.
    """
    try:
        event_class, payload_fields = _DECODED[event_type]
    except KeyError as error:
        raise UnknownEvent(f"this program knows no event {event_type}") from error
    data, values = upcast(event_type, schema_version, data), []
    for key, kinds in payload_fields:
        try:
            value = data[key]
        except KeyError as error:
            raise UnreadablePayload(f"{event_type} of schema version {schema_version}: no {error}") from error
        if type(value) not in kinds or (type(value) is int and not -_LIMIT <= value < _LIMIT):
            raise UnreadablePayload(f"{event_type} of schema version {schema_version}: no such {key} can be")
        values.append(value)
    return event_class(*values)
