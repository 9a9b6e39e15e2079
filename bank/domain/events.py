"""The events of an account, and their stored form.

Python uses the challenge's words in its own case. The stored names and payload keys are exactly those of the challenge,
and those of the PIN's lock follow the same form. Only this module maps between the two. Amounts and balances are
integers of minor units (cents).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any


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

SCHEMA_VERSION = 1
"""The version of the payloads that `encode` writes."""

type Upcaster = Callable[[Mapping[str, Any]], Mapping[str, Any]]

UPCASTERS: dict[tuple[str, int], Upcaster] = {}
"""Upcasters from one schema version to the next: {(type, version): upcaster}.

It is empty while every payload has version 1. Stored events never change; each read upcasts them step by step.
"""

_TYPE_NAMES = {event_class: name for name, event_class in EVENT_TYPES.items()}
_KEYS = {
    event_class: [(field.name, PAYLOAD_KEYS.get(field.name, field.name)) for field in fields(event_class)]
    for event_class in _TYPE_NAMES
}

_DECODED = {name: (event_class, [key for _, key in _KEYS[event_class]]) for name, event_class in EVENT_TYPES.items()}


class UnknownEvent(Exception):
    """A stored event that this version of the bank cannot decode."""


def encode(event: BankEvent) -> tuple[str, dict[str, Any]]:
    """Return the stored type and payload of an event."""
    return _TYPE_NAMES[type(event)], {key: getattr(event, name) for name, key in _KEYS[type(event)]}


def decode(event_type: str, schema_version: int, data: Mapping[str, Any]) -> BankEvent:
    """Return the event of a stored type and payload.

    Raises:
        UnknownEvent: the type, schema version or payload is unknown.
    """
    try:
        event_class, keys = _DECODED[event_type]
        if schema_version != SCHEMA_VERSION:
            data = _raised(event_type, schema_version, data)
        return event_class(*[data[key] for key in keys])
    except KeyError as error:
        raise UnknownEvent(f"{event_type} of schema version {schema_version}: no {error}") from error


def _raised(event_type: str, schema_version: int, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a payload upcast to the newest schema version."""
    for version in range(schema_version, SCHEMA_VERSION):
        data = UPCASTERS[event_type, version](data)
    if schema_version > SCHEMA_VERSION:
        raise UnknownEvent(f"{event_type} of schema version {schema_version} is newer than this program")
    return data
