"""The account cache: the store checks every decision that was made on a cached account."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from bank.application import account_cache, repository
from bank.application.dispatch import handle
from bank.domain.commands import ChangePin, UnlockPin
from bank.domain.errors import InvalidAmount, PinNotLocked
from bank.domain.events import (
    AccountOverdrawn,
    MoneyWithdrawnFromBankAccount,
    PinUnlocked,
    WithdrawalBlocked,
)
from eventstore import clock, snapshots, store
from eventstore.events import Envelope
from eventstore.stream_lock import StreamLock, stream_lock
from projections import queries
from projections.workers import replay
from tests.support.values import PIN, broken_links, deposit, open_account, query, whole_log, withdraw

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture(autouse=True)
def _new_process() -> None:
    account_cache._loaded.clear()


@contextmanager
def another_process() -> Iterator[None]:
    """Run a block like another process: afterwards the account cache does not know of it."""
    mine = dict(account_cache._loaded)
    account_cache._loaded.clear()
    yield
    account_cache._loaded.clear()
    account_cache._loaded.update(mine)


def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return a list that collects the streams that are read, with the known version."""
    loads: list[tuple[str, int]] = []
    read_latest = store.read_latest

    def noting(stream: str, known: int) -> Any:
        loads.append((stream, known))
        return read_latest(stream, known)

    monkeypatch.setattr(store, "read_latest", noting)
    return loads


def test_a_saved_account_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    open_account(balance=10)
    loads = reads(monkeypatch)
    for _ in range(5):
        deposit(1, 10)
    assert loads == []
    account_cache.forget("bank_account-1")
    deposit(1, 10)
    assert loads == [("bank_account-1", 0)]
    assert queries.check_balance(1) == 70


def test_a_cached_account_that_the_log_does_not_have_is_dropped() -> None:
    """The log was restored from an older copy."""
    open_account(balance=10)
    cached = account_cache.get("bank_account-1")
    assert cached
    account_cache.put("bank_account-1", cached._replace(version=9))
    deposit(1, 10)
    assert queries.check_balance(1) == 20
    now = account_cache.get("bank_account-1")
    assert now
    assert now.version == 3


def test_a_writer_who_lost_a_race_reads_only_the_newer_events(monkeypatch: pytest.MonkeyPatch) -> None:
    open_account(balance=10)
    with another_process():
        deposit(1, 10)
    loads = reads(monkeypatch)
    deposit(1, 10)
    assert loads == [("bank_account-1", 2)]
    assert queries.check_balance(1) == 30


def test_a_writer_who_is_far_behind_continues_from_the_snapshot() -> None:
    open_account(balance=10)
    with another_process():
        for _ in range(2 * snapshots.EVERY):
            deposit(1, 1)
    with stream_lock("bank_account-1") as lock:
        snapshot, events = store.read_latest("bank_account-1", account_cache._loaded["bank_account-1"].version)
        assert snapshot is not None
        assert len(list(events)) < snapshots.EVERY
        assert repository.load(1, lock).aggregate.balance == 10 + 2 * snapshots.EVERY


def test_a_command_that_is_rejected_under_the_stream_lock_is_not_decided_again(monkeypatch: pytest.MonkeyPatch) -> None:
    open_account(balance=10)
    loads = reads(monkeypatch)
    with pytest.raises(InvalidAmount):
        withdraw(1, 0)
    assert len(loads) == 1


def test_events_of_another_process_are_loaded_before_a_decision_is_saved() -> None:
    open_account(balance=10)
    for _ in range(3):
        with another_process():
            deposit(1, 10)
        deposit(1, 10)
    with another_process():
        withdraw(1, 60)
    assert withdraw(1, 11).events == (AccountOverdrawn(1, 10, 11),)
    assert withdraw(1, 10).events == (MoneyWithdrawnFromBankAccount(1, 10),)
    assert broken_links() == []


def test_a_pin_lock_of_another_process_is_loaded_before_a_pin_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    open_account(balance=10)
    with another_process():
        for _ in range(3):
            withdraw(1, 1, PIN + 1)
    monkeypatch.setattr("bank.application.pins.matches", lambda *args: pytest.fail("it was compared"))
    assert withdraw(1, 1).events == (WithdrawalBlocked(1, 1),)


def test_no_command_is_rejected_because_of_the_account_cache_alone() -> None:
    open_account(balance=10)
    with another_process():
        for _ in range(3):
            withdraw(1, 1, PIN + 1)
    assert handle(UnlockPin(1)).events == (PinUnlocked(1),)
    with pytest.raises(PinNotLocked):
        handle(UnlockPin(1))


def test_events_that_are_rolled_back_do_not_stay_in_the_cache() -> None:
    open_account(balance=10)
    cached = account_cache._loaded["bank_account-1"]

    def save_and_fail(lock: StreamLock | None = None) -> None:
        loaded = repository.load(1, lock)
        envelope = Envelope(uuid4(), "deposit_money_into_bank_account", "", clock.now(), b"")
        repository.save(loaded, [loaded.aggregate.deposit(5)], envelope, lock, also=fail)

    def fail() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        save_and_fail()
    with pytest.raises(RuntimeError, match="broken"), stream_lock("bank_account-1") as lock:
        save_and_fail(lock)
    assert account_cache._loaded["bank_account-1"] == cached
    deposit(1, 5)
    assert queries.check_balance(1) == 15


def test_an_account_is_cached_after_its_events_are_committed() -> None:
    open_account(balance=10)
    cached = account_cache._loaded["bank_account-1"]

    def save_and_fail(lock: StreamLock) -> None:
        loaded = repository.load(1, lock)
        envelope = Envelope(uuid4(), "deposit_money_into_bank_account", "", clock.now(), b"")
        repository.save(loaded, [loaded.aggregate.deposit(5)], envelope, lock)
        assert account_cache._loaded["bank_account-1"] == cached
        raise RuntimeError("after the append")

    with pytest.raises(RuntimeError, match="after the append"), stream_lock("bank_account-1") as lock:
        save_and_fail(lock)
    assert account_cache._loaded["bank_account-1"] == cached
    deposit(1, 5)
    assert queries.check_balance(1) == 15


def test_another_history_of_the_same_length_has_another_hash() -> None:
    """This happens after a backup was restored beneath a process: the versions agree, and the events differ."""
    open_account(balance=10)
    other = repository.Loaded(repository.load(1).aggregate.apply(AccountOverdrawn(1, 0, 0)), 2, b"other" * 6 + b"!!")
    account_cache._loaded["bank_account-1"] = other._replace(aggregate=type(other.aggregate)(1, "Josh", 1_000_000))

    ack = deposit(1, 5)
    assert ack.version == 3
    account_cache._loaded["bank_account-1"] = other._replace(
        aggregate=type(other.aggregate)(1, "Josh", 1_000_000), version=3
    )
    assert withdraw(1, 500).events == (AccountOverdrawn(1, 15, 500),)
    assert broken_links() == []
    assert replay.check() == []


def test_a_new_pin_and_a_deposit_that_cross_both_count() -> None:
    open_account(balance=10)
    with another_process():
        deposit(1, 10)
    handle(ChangePin(1, 4321))
    with another_process():
        deposit(1, 10)
    assert withdraw(1, 30, 4321).events == (MoneyWithdrawnFromBankAccount(1, 30),)
    assert [event.version for event in whole_log()] == list(range(1, len(whole_log()) + 1))


def test_the_cache_holds_a_bounded_number_of_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_cache, "SIZE", 3)
    for account_id in range(1, 6):
        open_account(account_id)
    deposit(3, 1)
    open_account(6)
    assert sorted(account_cache._loaded) == ["bank_account-3", "bank_account-5", "bank_account-6"], (
        "those saved longest ago are forgotten"
    )
    assert query("SELECT COUNT(*) FROM eventstore_event") == [(7,)]
