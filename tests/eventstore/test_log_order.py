"""The order of the log on PostgreSQL: no event is skipped, and writers at different accounts do not wait.

A lower position can commit after a higher one. These tests provoke the known failures of that with real connections.
"""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections, transaction

from bank.application import repository
from bank.domain.events import MoneyDepositedIntoBankAccount
from eventstore import clock, positions, store
from eventstore.events import START, Envelope, NewEvent, RecordedEvent
from projections import engine, freshness, queries
from projections.workers import replay
from tests.support.values import broken_links, deposit, open_account, query, whole_log

pytestmark = [
    pytest.mark.usefixtures("bank"),
    pytest.mark.only_on("postgresql", reason="SQLite has one writer at a time, so positions commit in their order"),
]
PATIENCE = 60.0
"""Seconds that another thread may take on a slow machine."""


class SlowWriter:
    """A deposit whose transaction stays open until `commit` or `rollback`."""

    def __init__(self, account_id: int, amount: int) -> None:
        self._wrote, self._go_on, self.commits = threading.Event(), threading.Event(), True
        self._thread = threading.Thread(target=self._deposit, args=[account_id, amount])
        self._thread.start()
        assert self._wrote.wait(PATIENCE), "it has written"

    def end(self, *, commits: bool = True) -> None:
        self.commits = commits
        self._go_on.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _deposit(self, account_id: int, amount: int) -> None:
        event = MoneyDepositedIntoBankAccount(account_id, amount)
        try:
            repository.save(repository.load(account_id), [event], envelope(), also=self._linger)
        except InterruptedError:
            pass
        finally:
            connections.close_all()

    def _linger(self) -> None:
        self._wrote.set()
        assert self._go_on.wait(PATIENCE), "somebody lets it end"
        if not self.commits:
            raise InterruptedError("rolled back")


def envelope() -> Envelope:
    return Envelope(uuid4(), "deposit_money_into_bank_account", "", clock.now(), bytes(32))


def balances() -> list[int]:
    return [queries.check_balance(1), queries.check_balance(2)]


# One writer at a time


def test_a_slow_writer_with_a_lower_position_is_not_skipped_when_a_fast_one_commits_before_it() -> None:
    open_account(1)
    open_account(2)
    for turn in range(1, 31):
        slow = SlowWriter(1, 10)
        fast = deposit(2, 10)  # it has a higher position, and does not wait
        assert balances() == [10 * (turn - 1)] * 2, "what comes after an event that may yet come is not read"
        slow.end()
        assert freshness.look(fast.token).reached
        assert balances() == [10 * turn] * 2
    assert len(whole_log()) == 62
    assert replay.check() == []


def test_a_writer_that_rolls_back_leaves_a_gap_that_nobody_waits_for() -> None:
    open_account(1)
    open_account(2)
    for turn in range(1, 31):
        slow = SlowWriter(1, 10)
        fast = deposit(2, 10)
        slow.end(commits=False)
        assert freshness.look(fast.token).reached
        assert balances() == [0, 10 * turn]
    positions = [event.position for event in whole_log()]
    assert positions[-1] > len(positions), "there are gaps"
    assert replay.check() == []


def test_an_append_waits_for_no_writer_at_another_account() -> None:
    for account_id in range(1, 7):
        open_account(account_id)
    slow = [SlowWriter(account_id, 1) for account_id in range(1, 6)]
    assert deposit(6, 5).version == 2, "five others are in the middle of their transactions"
    for writer in slow:
        writer.end()
    engine.catch_up()
    assert queries.get_total_deposits() == 10


def test_an_event_committed_during_a_replay_is_neither_lost_nor_doubled() -> None:
    open_account(1)
    paid_in, stop = [0], threading.Event()

    def pay_in() -> None:
        while not stop.is_set():
            deposit(1, 1)
            paid_in[0] += 1
        connections.close_all()

    teller = threading.Thread(target=pay_in)
    teller.start()
    try:
        for _ in range(3):
            replay.replay()
    finally:
        stop.set()
        teller.join(PATIENCE)
    engine.catch_up()
    assert queries.check_balance(1) == paid_in[0] > 0
    assert replay.check() == []


# Several writers


def test_a_reader_that_follows_many_writers_sees_each_event_once_and_in_order(settings: Any) -> None:
    """Writers commit or roll back after random pauses, while a reader continues from its last position."""
    settings.PROJECTION_MODE = "worker"  # the bank does not know these events
    seen: list[RecordedEvent] = []
    writing = threading.Event()
    writing.set()

    def write(number: int) -> None:
        chance = random.Random(number)
        for turn in range(40):
            pause, falters = chance.uniform(0, 0.02), chance.random() < 0.2

            def linger(pause: float = pause, falters: bool = falters) -> None:
                time.sleep(pause)
                if falters:
                    raise InterruptedError

            events = [NewEvent("happened", {"turn": turn})] * chance.randint(1, 3)
            with suppress(InterruptedError):
                store.append(f"thing-{number}-{turn}", events, expected_version=0, command=envelope(), also=linger)
            if chance.random() < 0.5:
                with transaction.atomic(using="default"):  # outside of the log, but with a transaction id
                    query("SELECT pg_current_xact_id()")
                    time.sleep(chance.uniform(0, 0.01))

    def read() -> None:
        last_round = False
        while not last_round:
            last_round = not writing.is_set()
            seen.extend(store.read_all(seen[-1].log_position if seen else START, limit=7))
            last_round = last_round and not store.read_all(seen[-1].log_position, limit=1)

    at_once_with_a_reader([*[lambda number=number: write(number) for number in range(5)]], read, writing)

    everything = query("SELECT position FROM eventstore_event")
    assert sorted(event.position for event in seen) == sorted(position for (position,) in everything)
    assert [event.log_position for event in seen] == sorted(event.log_position for event in seen)
    assert len(seen) > 100
    assert broken_links() == []


def at_once_with_a_reader(
    writers: list[Callable[[], None]], reader: Callable[[], None], writing: threading.Event
) -> None:
    """Run writers beside a reader. Raise the error of any of them."""
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in writers]
    follower = threading.Thread(target=run, args=[reader])
    for thread in [*threads, follower]:
        thread.start()
    for thread in threads:
        thread.join()
    writing.clear()
    follower.join(PATIENCE)
    if failures:
        raise failures[0]
    assert not follower.is_alive()


# Another server


def test_a_log_from_a_server_with_higher_transaction_ids_is_read_and_continued() -> None:
    open_account(1)
    query(
        """INSERT INTO eventstore_event (stream, version, type, schema_version, data, metadata, command_id,
               recorded_at, hash, transaction_id)
           SELECT stream, 2, 'money_deposited_into_bank_account', 1, '{"accountId": 1, "amount": 10}', metadata,
               gen_random_uuid(), recorded_at, hash, transaction_id + 1000000 FROM eventstore_event"""
    )
    engine.catch_up()
    assert queries.check_balance(1) == 0, "it takes that event for one that is still being written"

    connect_anew()
    ack = deposit(1, 5)
    assert queries.check_balance(1) == 15
    log = whole_log()
    assert [event.version for event in log] == [1, 2, 3]
    assert log[2].transaction_id > log[1].transaction_id == log[0].transaction_id + 1_000_000
    assert freshness.look(ack.token).reached
    assert query("SELECT number FROM eventstore_epoch") == [(1,)]

    connect_anew()
    deposit(1, 5)
    assert query("SELECT number FROM eventstore_epoch") == [(1,)], "once for each server"
    assert positions.last_log_position() == whole_log()[-1].log_position


def connect_anew() -> None:
    """Connect like a process that started after the log had moved."""
    connections["default"].close()
    connections["default"].close_pool()  # type: ignore[attr-defined]
