"""The events of an account, and their stored types and payloads.

Stored types and payload keys are the challenge's to the letter; those of the PIN lock are formed like them. Python uses
the same words in its own case. This module is the one place that maps the two. Amounts and balances are integers of
minor units (cents).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .upcasters import UnknownEvent as UnknownEvent
from .upcasters import upcast


@dataclass(frozen=True, slots=True)
class BankAccountCreated:
    account_id: int
    account_holder: str


@dataclass(frozen=True, slots=True)
class MoneyDepositedIntoBankAccount:
    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class MoneyWithdrawnFromBankAccount:
    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class InvalidPin:
    """A withdrawal was refused because the PIN was wrong. The balance was not checked."""

    account_id: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class AccountOverdrawn:
    """A withdrawal was refused because it exceeded the balance. No money moved."""

    account_id: int
    balance: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class PinLocked:
    """Too many wrong PINs in a row locked withdrawals: they are refused without a check of the PIN."""

    account_id: int


@dataclass(frozen=True, slots=True)
class WithdrawalBlocked:
    """A withdrawal was refused because withdrawals are locked. Neither PIN nor balance was checked."""

    account_id: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class PinUnlocked:
    """A supervisor unlocked withdrawals."""

    account_id: int


@dataclass(frozen=True, slots=True)
class PinChanged:
    """A supervisor changed the PIN to the customer's new one."""

    account_id: int


type BankEvent = (
    BankAccountCreated
    | MoneyDepositedIntoBankAccount
    | MoneyWithdrawnFromBankAccount
    | InvalidPin
    | AccountOverdrawn
    | PinLocked
    | WithdrawalBlocked
    | PinUnlocked
    | PinChanged
)

EVENT_TYPES: dict[str, type[BankEvent]] = {
    "bank_account_created": BankAccountCreated,
    "money_deposited_into_bank_account": MoneyDepositedIntoBankAccount,
    "money_withdrawn_from_bank_account": MoneyWithdrawnFromBankAccount,
    "invalid_pin": InvalidPin,
    "account_overdrawn": AccountOverdrawn,
    "pin_locked": PinLocked,
    "withdrawal_blocked": WithdrawalBlocked,
    "pin_unlocked": PinUnlocked,
    "pin_changed": PinChanged,
}

PAYLOAD_KEYS = {"account_id": "accountId", "account_holder": "accountHolder"}
"""Payload keys that differ from the attribute's name."""

_TYPE_NAMES = {event_class: name for name, event_class in EVENT_TYPES.items()}
_KEYS = {
    event_class: [(field.name, PAYLOAD_KEYS.get(field.name, field.name)) for field in fields(event_class)]
    for event_class in _TYPE_NAMES
}

_DECODED = {name: (event_class, [key for _, key in _KEYS[event_class]]) for name, event_class in EVENT_TYPES.items()}


def encode(event: BankEvent) -> tuple[str, dict[str, Any]]:
    """Return the stored type and payload of an event."""
    return _TYPE_NAMES[type(event)], {key: getattr(event, name) for name, key in _KEYS[type(event)]}


def decode(event_type: str, schema_version: int, data: Mapping[str, Any]) -> BankEvent:
    """Return the event of a stored type and payload.

    Raises:
        UnknownEvent: the program does not know the type, the schema version or the payload.
    """
    try:
        event_class, keys = _DECODED[event_type]
        data = upcast(event_type, schema_version, data)
        return event_class(*[data[key] for key in keys])
    except KeyError as error:
        raise UnknownEvent(f"{event_type} of schema version {schema_version}: no {error}") from error
