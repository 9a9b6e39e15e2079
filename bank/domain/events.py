"""What can have happened to an account, and how each fact is written down.

Python uses the challenge's words in its own case; the stored names and payload keys are the challenge's to the
letter, and those of the PIN's lock are formed like them. This is the one place that maps the two. Amounts and
balances are integers of minor units (cents).
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
    """A withdrawal refused because the PIN was wrong; the balance was not looked at."""

    account_id: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class AccountOverdrawn:
    """A withdrawal refused because it asked for more than the balance; no money moved."""

    account_id: int
    balance: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class PinLocked:
    """Too many wrong PINs came in a row: from now on withdrawals are refused without a look at the PIN."""

    account_id: int


@dataclass(frozen=True, slots=True)
class WithdrawalBlocked:
    """A withdrawal refused because withdrawals are locked; neither the PIN nor the balance was looked at."""

    account_id: int
    amount_requested: int


@dataclass(frozen=True, slots=True)
class PinUnlocked:
    """A supervisor lifted the lock."""

    account_id: int


@dataclass(frozen=True, slots=True)
class PinChanged:
    """A supervisor let the customer choose a new PIN."""

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
"""How a payload of an older schema version becomes one of the next: {(type, version): upcaster}.

Empty while every payload is of version 1. Stored events never change; they are raised step by step when read.
"""

_TYPE_NAMES = {event_class: name for name, event_class in EVENT_TYPES.items()}
_KEYS = {
    event_class: [(field.name, PAYLOAD_KEYS.get(field.name, field.name)) for field in fields(event_class)]
    for event_class in _TYPE_NAMES
}

_DECODED = {name: (event_class, [key for _, key in _KEYS[event_class]]) for name, event_class in EVENT_TYPES.items()}


class UnknownEvent(Exception):
    """A stored event that this version of the bank cannot read."""


def encode(event: BankEvent) -> tuple[str, dict[str, Any]]:
    """Return the stored type and payload of an event."""
    return _TYPE_NAMES[type(event)], {key: getattr(event, name) for name, key in _KEYS[type(event)]}


def decode(event_type: str, schema_version: int, data: Mapping[str, Any]) -> BankEvent:
    """Return the event that a stored type and payload stand for.

    Raises:
        UnknownEvent: a type, schema version or payload that is not known.
    """
    try:
        event_class, keys = _DECODED[event_type]
        for version in range(schema_version, SCHEMA_VERSION):
            data = UPCASTERS[event_type, version](data)
        if schema_version > SCHEMA_VERSION:
            raise UnknownEvent(f"{event_type} of schema version {schema_version} is newer than this program")
        return event_class(*[data[key] for key in keys])
    except KeyError as error:
        raise UnknownEvent(f"{event_type} of schema version {schema_version}: no {error}") from error
