"""Too many wrong PINs lock an account, for everybody at once, on real databases with real threads."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bank.application import account_cache, pins, repository
from bank.application.dispatch import Ack, handle
from bank.domain import events
from bank.domain.account_state import STATE_VERSION
from bank.domain.commands import (
    ChangePin,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import CommandRejected
from bank.domain.events import (
    AccountOverdrawn,
    BankEvent,
    InvalidPin,
    MoneyWithdrawnFromBankAccount,
    PinLocked,
    WithdrawalBlocked,
)
from bank.operations.audit import audit
from eventstore import snapshots, store
from eventstore.backends import postgresql
from eventstore.models import CommandRecord, Event, Snapshot
from eventstore.storable import Unstorable
from projections.workers import replay
from tests.support.values import PIN, at_once, broken_links, deposit, open_account, query, withdraw

WRONG = PIN + 1


@pytest.fixture(autouse=True)
def _josh(bank: Path) -> None:
    """Account 1 of Josh, with a balance of 50."""
    open_account(1, "Josh", PIN, balance=50)


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The list of compared PINs."""
    compared: list[int] = []
    really = pins.matches

    def matches(account_id: int, pin: int) -> bool:
        compared.append(pin)
        return really(account_id, pin)

    monkeypatch.setattr(pins, "matches", matches)
    return compared


def lock() -> Ack:
    """Lock account 1, and return the acknowledgement of the withdrawal that locked it."""
    return [withdraw(1, 5, WRONG) for _ in range(3)][-1]


# Locking


def test_the_third_wrong_pin_records_two_events_under_one_command() -> None:
    ack = lock()
    assert ack.events == (InvalidPin(1, 5), PinLocked(1, 3))
    assert ack.version == 6
    rows = Event.objects.filter(command_id=ack.command_id).order_by("version")
    assert [(row.version, row.type, row.data) for row in rows] == [
        (5, "invalid_pin", {"accountId": 1, "amount_requested": 5}),
        (6, "pin_locked", {"accountId": 1, "wrong_pins": 3}),
    ]
    assert len({row.transaction_id for row in rows}) == len({row.recorded_at for row in rows}) == 1
    record = CommandRecord.objects.get(id=ack.command_id)
    assert (record.version, record.position, record.event_count) == (6, ack.position, 2)
    assert broken_links() == []


def test_a_refusal_whose_lock_cannot_be_recorded_is_not_recorded_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(event: BankEvent) -> tuple[str, dict[str, Any]]:
        return ("pin_locked", {"accountId": object()}) if isinstance(event, PinLocked) else events.encode(event)

    monkeypatch.setattr(repository, "encode", encode)
    with pytest.raises(Unstorable, match="object"):
        lock()
    assert store.last_position() == 4
    assert repository.load(1).aggregate.wrong_pins == 2


def test_a_locked_account_does_not_look_at_any_pin(comparisons: list[int]) -> None:
    lock()
    assert comparisons == [WRONG] * 3
    assert withdraw(1, 5, WRONG).events == (WithdrawalBlocked(1, 5),)
    assert withdraw(1, 5, PIN).events == (WithdrawalBlocked(1, 5),)
    assert withdraw(1, 500, PIN).events == (WithdrawalBlocked(1, 500),)
    assert comparisons == [WRONG] * 3
    assert Event.objects.latest("position").data == {"accountId": 1, "amount_requested": 500}


@pytest.mark.parametrize("amount", [5, 500], ids=["paid out", "overdrawn"])
def test_a_right_pin_sets_the_count_back(amount: int) -> None:
    for _ in range(3):
        withdraw(1, 1, WRONG)
        withdraw(1, 1, WRONG)
        event = withdraw(1, amount, PIN).events[0]
        assert type(event) is (MoneyWithdrawnFromBankAccount if amount == 5 else AccountOverdrawn)


def test_accounts_lock_one_by_one() -> None:
    open_account(2, "Luke", PIN, balance=50)
    lock()
    assert withdraw(2, 5, WRONG).events == (InvalidPin(2, 5),)
    assert withdraw(2, 5, PIN).events == (MoneyWithdrawnFromBankAccount(2, 5),)


def test_the_setting_defines_how_many_wrong_pins_lock(settings: Any) -> None:
    settings.PIN_ATTEMPTS = 1
    assert withdraw(1, 5, WRONG).events == (InvalidPin(1, 5), PinLocked(1, 1))


def test_another_setting_changes_no_history(settings: Any) -> None:
    open_account(2, "Luke", PIN, balance=50)
    lock()
    withdraw(2, 5, WRONG)
    withdraw(2, 5, WRONG)
    before = [repository.load(1), repository.load(2)]
    for attempts in (1, 10):
        settings.PIN_ATTEMPTS = attempts
        Snapshot.objects.all().delete()
        assert [repository.load(1), repository.load(2)] == before
        assert replay.check() == []
    assert withdraw(1, 5, PIN).events == (WithdrawalBlocked(1, 5),)
    settings.PIN_ATTEMPTS = 1
    assert withdraw(2, 5, PIN).events == (MoneyWithdrawnFromBankAccount(2, 5),)


# A command counts once, and compares its PIN once


def test_the_third_wrong_pin_sent_again_has_the_first_outcome_without_a_comparison(comparisons: list[int]) -> None:
    first = lock()
    again = handle(WithdrawMoneyFromBankAccount(1, 5, WRONG), command_id=first.command_id)
    assert again == first._replace(repeated=True)
    assert len(comparisons) == 3


@pytest.mark.parametrize(
    "command",
    [
        partial(CreateBankAccount, 2, "Luke"),
        partial(WithdrawMoneyFromBankAccount, 1, 5),
        partial(WithdrawMoneyFromBankAccount, 1, 500),
        partial(ChangePin, 1),
    ],
)
@pytest.mark.parametrize("pin", [PIN, WRONG])
def test_the_id_of_an_earlier_command_is_no_way_to_try_pins(
    command: Callable[[int], Command], pin: int, comparisons: list[int]
) -> None:
    first = handle(command(pin))
    looked = len(comparisons)
    answers = {handle(command(guess), command_id=first.command_id) for guess in (PIN, WRONG, 0, 9999)}
    assert answers == {first._replace(repeated=True)}, "whoever sends it again learns nothing of its PIN"
    assert len(comparisons) == looked
    assert pins.matches(1, PIN) is (command.func is not ChangePin or pin == PIN)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("amount", "pin"), [(0, PIN), (10**12 + 1, PIN), (5, 10_000)])
def test_nonsense_is_rejected_without_a_look_at_the_pin(amount: int, pin: int, comparisons: list[int]) -> None:
    with pytest.raises(CommandRejected):
        withdraw(1, amount, pin)
    assert comparisons == []


# Simultaneous guesses


def test_a_pin_is_compared_only_while_nobody_else_can_write_at_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the last wrong PIN might not count yet, and simultaneous guesses would have more attempts."""
    alone: list[bool] = []
    really = pins.matches

    def matches(account_id: int, pin: int) -> bool:
        alone.append(connections["default"].in_atomic_block)  # the transaction of the stream lock
        return really(account_id, pin)

    monkeypatch.setattr(pins, "matches", matches)
    withdraw(1, 5, WRONG)
    withdraw(1, 5, PIN)
    assert alone == [True, True]


def test_fifty_simultaneous_guesses_get_three_comparisons(
    comparisons: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", 120_000)

    def guess(wrong: int) -> Callable[[], list[Ack]]:
        """Guess, and send the right PIN after a blocked withdrawal."""

        def work() -> list[Ack]:
            first = withdraw(1, 5, wrong)
            blocked = isinstance(first.events[0], WithdrawalBlocked)
            return [first, withdraw(1, 5, PIN)] if blocked else [first]

        return work

    acks = [ack for some in at_once([guess(2000 + number) for number in range(50)]) for ack in some]

    assert len(comparisons) == 3
    assert PIN not in comparisons
    assert Counter(event for ack in acks for event in ack.events) == {
        InvalidPin(1, 5): 3,
        PinLocked(1, 3): 1,
        WithdrawalBlocked(1, 5): 47 * 2,
    }
    assert repository.load(1).aggregate.balance == 50
    assert sorted(ack.version for ack in acks) == [3, 4, 6, *range(7, 7 + 47 * 2)]
    assert replay.check() == []


def test_a_guesser_beside_the_customer_never_gets_three_wrong_pins_in_a_row_without_a_lock(
    comparisons: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", 120_000)
    at_once([partial(withdraw, 1, 1, pin) for number in range(10) for pin in (2000 + number, PIN)])

    in_a_row = looked = 0
    for event in store.read_stream("bank_account-1", first=3):
        if event.type in ("pin_locked", "withdrawal_blocked"):
            assert in_a_row == 3
            continue
        assert in_a_row < 3, "nobody looks at a PIN after the third wrong one"
        in_a_row = in_a_row + 1 if event.type == "invalid_pin" else 0
        looked += 1
    assert len(comparisons) == looked, "each look at a PIN is on record"


# Snapshots


def test_a_snapshot_between_the_two_events_of_a_lock_has_both() -> None:
    for _ in range(snapshots.EVERY - 5):
        deposit(1, 1)
    lock()
    snapshot = Snapshot.objects.get(stream="bank_account-1")
    assert snapshot.version == repository.load(1).version == snapshots.EVERY + 1
    assert snapshot.state["pin_locked"] is True
    account_cache.forget("bank_account-1")  # as in another process
    loaded = repository.load(1)
    Snapshot.objects.all().delete()
    assert repository.load(1) == loaded


def test_a_snapshot_without_the_lock_is_not_used() -> None:
    lock()
    before = repository.load(1)
    old = {"account_id": 1, "account_holder": "Josh", "balance": 50, "state_version": STATE_VERSION}
    query(snapshots.UPSERT, *snapshots.values("bank_account-1", before.version, old, before.hash))
    account_cache.forget("bank_account-1")  # as in another process
    assert repository.load(1) == before
    assert before.aggregate.pin_locked
    assert handle(DepositMoneyIntoBankAccount(1, 5)).version == before.version + 1


@pytest.mark.parametrize("other", [{"state_version": STATE_VERSION + 1}, {"state_version": None}, {}], ids=str)
def test_a_snapshot_of_another_state_version_is_not_used_and_is_no_finding(other: dict[str, Any]) -> None:
    lock()
    before = repository.load(1)
    state = {**asdict(before.aggregate), "pin_locked": False, **other}
    query(snapshots.UPSERT, *snapshots.values("bank_account-1", before.version, state, before.hash))
    assert audit(processes=1).findings == []
    account_cache.forget("bank_account-1")  # as in another process
    assert repository.load(1) == before
