"""What can have happened to an account, and how each fact is written down.

Python uses the challenge's words in its own case; the stored names and payload keys are the challenge's to the
letter, and those of the PIN's lock are formed like them. This is the one place that maps the two. Amounts and
balances are integers of minor units (cents).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import itemgetter
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


def _getter(keys: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what takes the values of keys out of a payload."""
    get = itemgetter(*keys)
    return get if len(keys) > 1 else lambda data: (get(data),)


_VALUES = {name: _getter(keys) for name, (_, keys) in _DECODED.items()}


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
        if schema_version != SCHEMA_VERSION:
            data = _raised(event_type, schema_version, data)
        return event_class(*[data[key] for key in keys])
    except KeyError as error:
        raise UnknownEvent(f"{event_type} of schema version {schema_version}: no {error}") from error


def decode_columns(
    event_types: Sequence[str], schema_versions: Sequence[int], payloads: Sequence[Mapping[str, Any]]
) -> tuple[list[type[BankEvent]], list[tuple[Any, ...]]]:
    """Return the classes of many events, and the values of their fields in order; the first is the account's id.

    It says the same as `decode`, but makes no object of each.

    Raises:
        UnknownEvent: a type, schema version or payload that is not known.
    """
    newest = payloads
    try:
        if schema_versions.count(SCHEMA_VERSION) < len(schema_versions):
            newest = list(map(_raised, event_types, schema_versions, payloads))
        classes = [EVENT_TYPES[event_type] for event_type in event_types]
        return classes, [_VALUES[event_type](data) for event_type, data in zip(event_types, newest, strict=True)]
    except (KeyError, UnknownEvent):
        for stored in zip(event_types, schema_versions, payloads, strict=True):
            decode(*stored)  # the first that cannot be read says why
        raise


def _raised(event_type: str, schema_version: int, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a payload in the form of the newest schema version."""
    for version in range(schema_version, SCHEMA_VERSION):
        data = UPCASTERS[event_type, version](data)
    if schema_version > SCHEMA_VERSION:
        raise UnknownEvent(f"{event_type} of schema version {schema_version} is newer than this program")
    return data
