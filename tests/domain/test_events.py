"""Stored types and payloads of events: they are the challenge's to the letter."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank.domain import commands, events, upcasters
from bank.domain import till_events as tills
from bank.domain.events import (
    EVENT_TYPES,
    AccountOverdrawn,
    BankAccountClosed,
    BankAccountCreated,
    BankEvent,
    DepositReversed,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyTransferCompleted,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    UnknownEvent,
    WithdrawalBlocked,
    WithdrawalReversed,
    decode,
    encode,
)
from bank.domain.upcasters import current_version

AS_STORED = [
    (BankAccountCreated(1, "Josh"), "bank_account_created", {"accountId": 1, "accountHolder": "Josh"}),
    (MoneyDepositedIntoBankAccount(1, 10), "money_deposited_into_bank_account", {"accountId": 1, "amount": 10}),
    (MoneyWithdrawnFromBankAccount(1, 5), "money_withdrawn_from_bank_account", {"accountId": 1, "amount": 5}),
    (InvalidPin(1, 5), "invalid_pin", {"accountId": 1, "amount_requested": 5}),
    (AccountOverdrawn(1, 45, 500), "account_overdrawn", {"accountId": 1, "balance": 45, "amount_requested": 500}),
    (PinLocked(1, 3), "pin_locked", {"accountId": 1, "wrong_pins": 3}),
    (WithdrawalBlocked(1, 5), "withdrawal_blocked", {"accountId": 1, "amount_requested": 5}),
    (PinUnlocked(1), "pin_unlocked", {"accountId": 1}),
    (PinChanged(1), "pin_changed", {"accountId": 1}),
    (BankAccountClosed(1), "bank_account_closed", {"accountId": 1}),
    (
        DepositReversed(1, 50, "3f0c", "Typed twice"),
        "deposit_reversed",
        {"accountId": 1, "amount": 50, "reversedCommandId": "3f0c", "reason": "Typed twice"},
    ),
    (
        WithdrawalReversed(1, 50, "3f0c", "Typed twice"),
        "withdrawal_reversed",
        {"accountId": 1, "amount": 50, "reversedCommandId": "3f0c", "reason": "Typed twice"},
    ),
    (
        MoneyTransferSent(1, 2, 5, "t"),
        "money_transfer_sent",
        {"accountId": 1, "toAccountId": 2, "amount": 5, "transferId": "t"},
    ),
    (
        MoneyTransferReceived(2, 1, 5, "t"),
        "money_transfer_received",
        {"accountId": 2, "fromAccountId": 1, "amount": 5, "transferId": "t"},
    ),
    (MoneyTransferCompleted(1, "t"), "money_transfer_completed", {"accountId": 1, "transferId": "t"}),
    (
        MoneyTransferReturned(1, 2, 5, "t", "no_such_account"),
        "money_transfer_returned",
        {"accountId": 1, "toAccountId": 2, "amount": 5, "transferId": "t", "reason": "no_such_account"},
    ),
    (tills.TillOpened(7, "tina", 500), "till_opened", {"tillId": 7, "teller": "tina", "openingCash": 500}),
    (tills.CashPaidIntoTill(7, 5, "c"), "cash_paid_into_till", {"tillId": 7, "amount": 5, "commandId": "c"}),
    (tills.CashPaidOutOfTill(7, 5, "c"), "cash_paid_out_of_till", {"tillId": 7, "amount": 5, "commandId": "c"}),
    (tills.CashBroughtFromVault(7, 5), "cash_brought_from_vault", {"tillId": 7, "amount": 5}),
    (tills.CashTakenToVault(7, 5), "cash_taken_to_vault", {"tillId": 7, "amount": 5}),
    (tills.TillClosed(7, 9, 4, -5), "till_closed", {"tillId": 7, "expected": 9, "counted": 4, "difference": -5}),
    (
        tills.CashPaidIntoClosedTill(7, 5, "c"),
        "cash_paid_into_closed_till",
        {"tillId": 7, "amount": 5, "commandId": "c"},
    ),
    (
        tills.CashPaidOutOfClosedTill(7, 5, "c"),
        "cash_paid_out_of_closed_till",
        {"tillId": 7, "amount": 5, "commandId": "c"},
    ),
]
numbers = st.integers(min_value=-(2**63), max_value=2**63 - 1)
VALUES: dict[object, st.SearchStrategy[Any]] = {int: numbers, int | None: st.none() | numbers, str: st.text()}
facts: st.SearchStrategy[BankEvent] = st.one_of(
    [st.builds(each, *[VALUES[field.type] for field in fields(each)]) for each in events.EVENT_CLASSES]
)


@pytest.mark.parametrize(("event", "name", "payload"), AS_STORED)
def test_events_are_stored_in_the_challenges_words(event: BankEvent, name: str, payload: dict[str, Any]) -> None:
    assert encode(event) == (name, payload)
    assert decode(name, current_version(name), payload) == event


def test_the_event_types_are_exactly_these() -> None:
    assert list(EVENT_TYPES) == [name for _, name, _ in AS_STORED]


@settings(deadline=None)
@given(facts)
def test_every_event_comes_back_from_json_as_it_went_in(event: BankEvent) -> None:
    name, payload = encode(event)
    back = decode(name, current_version(name), json.loads(json.dumps(payload)))
    assert back == event
    assert type(back) is type(event)


def test_an_unknown_type_cannot_be_read() -> None:
    with pytest.raises(UnknownEvent, match="account_closed"):
        decode("account_closed", 1, {"accountId": 1})


def test_an_event_of_a_newer_program_cannot_be_read() -> None:
    with pytest.raises(UnknownEvent, match="newer"):
        decode("invalid_pin", current_version("invalid_pin") + 1, {"accountId": 1, "amount_requested": 5})


def test_a_payload_that_lacks_a_key_cannot_be_read() -> None:
    with pytest.raises(UnknownEvent, match="amount_requested"):
        decode("invalid_pin", 1, {"accountId": 1})


def test_a_payload_of_an_older_version_is_upcast_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {"account": 1, "sum": 5}

    def to_2(data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"accountId": data["account"], "sum": data["sum"]}

    def to_3(data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"accountId": data["accountId"], "amount_requested": data["sum"] * 100}

    monkeypatch.setitem(upcasters.UPCASTERS, "invalid_pin", [to_2, to_3])

    assert decode("invalid_pin", 1, stored) == InvalidPin(1, 500)
    assert decode("invalid_pin", 2, {"accountId": 1, "sum": 5}) == InvalidPin(1, 500)
    assert decode("invalid_pin", 3, {"accountId": 1, "amount_requested": 5}) == InvalidPin(1, 5)
    assert stored == {"account": 1, "sum": 5}, "what is stored does not change"


def test_an_upcaster_of_one_type_leaves_the_versions_of_all_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: current_version(name) for name in EVENT_TYPES}
    monkeypatch.setitem(upcasters.UPCASTERS, "invalid_pin", [dict])
    assert current_version("invalid_pin") == 2
    for event, name, payload in AS_STORED:
        assert decode(name, before[name], json.loads(json.dumps(payload))) == event
        assert current_version(name) == before[name] or name == "invalid_pin"


def test_a_lock_of_version_1_did_not_record_the_number_of_wrong_pins() -> None:
    assert decode("pin_locked", 1, {"accountId": 1}) == PinLocked(1, None)


@pytest.mark.parametrize(
    ("name", "schema_version", "data"),
    [
        ("account_closed", 1, {"accountId": 1}),
        ("account_closed", 2, {"accountId": 1}),
        ("invalid_pin", 2, {"accountId": 1, "amount_requested": 5}),
        ("invalid_pin", 0, {"accountId": 1, "amount_requested": 5}),
        ("invalid_pin", 1, {"accountId": 1}),
        ("pin_locked", 1, {}),
    ],
)
def test_an_unreadable_event_is_unknown(name: str, schema_version: int, data: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent, match=name):
        decode(name, schema_version, data)


def test_every_event_and_command_is_a_member_of_its_union() -> None:
    of_modules: list[tuple[ModuleType, Sequence[type]]] = [
        (events, events.ACCOUNT_EVENTS), (tills, events.TILL_EVENTS), (commands, commands.COMMANDS),
    ]  # fmt: skip
    for module, members in of_modules:
        defined = [each for each in vars(module).values() if is_dataclass(each) and isinstance(each, type)]
        assert [each.__name__ for each in defined] == [each.__name__ for each in members], module.__file__


def test_no_stored_name_is_used_twice() -> None:
    assert len(EVENT_TYPES) == len(events.EVENT_CLASSES)
    assert len({each.stored_name for each in commands.COMMANDS}) == len(commands.COMMANDS)
