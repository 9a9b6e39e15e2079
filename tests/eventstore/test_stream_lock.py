"""Stream locks on PostgreSQL: the messages to the server, and errors at any statement."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from django.db import OperationalError, connections

from bank.application.dispatch import handle
from bank.domain.commands import DepositMoneyIntoBankAccount
from eventstore import errors, store
from eventstore.backends import postgresql
from eventstore.backends.postgresql import PostgreSQL
from eventstore.stream_lock import stream_lock
from projections import engine, queries
from tests.support.databases import Urls, stranger
from tests.support.things import append, assert_unchanged, envelope
from tests.support.things import no_read_side as no_read_side
from tests.support.values import at_once, broken_links, open_account, query, whole_log

pytestmark = [
    pytest.mark.usefixtures("bank"),
    pytest.mark.only_on("postgresql", reason="SQLite's turn is a transaction that begins with the file's lock"),
]
PATIENCE = 60


@pytest.fixture(params=["sent in one message", "watched"])
def _messages(request: pytest.FixtureRequest, bank: Any) -> Iterator[None]:
    """Statement watchers and poolers get statements one by one."""

    def look(execute: Callable[..., Any], *arguments: Any) -> Any:
        return execute(*arguments)

    watched = request.param == "watched"
    with connections["default"].execute_wrapper(look) if watched else nullcontext():
        yield


@contextmanager
def another() -> Iterator[Any]:
    with PostgreSQL("default").connect() as connection:
        yield connection


def in_thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until_someone_waits(event: str) -> None:
    """Wait until a process of the server waits for this event of `pg_stat_activity`."""
    deadline = time.monotonic() + PATIENCE
    while not query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = %s", event):
        assert time.monotonic() < deadline
        time.sleep(0.001)


def take_turn(after: int, *, meanwhile: Callable[[], object] = bool, **options: Any) -> None:
    """Append under the stream lock, and call `meanwhile` between reading and appending."""
    with stream_lock("thing-1") as lock:
        *_, last = store.read_stream("thing-1")
        meanwhile()
        append("thing-1", 2, after=after, **{"previous_hash": last.hash, "lock": lock, **options})


def fail() -> None:
    raise InterruptedError


def assert_clean(events: int) -> None:
    """Check that a failed append left nothing behind, and that the next one works."""
    connection = connections["default"]
    assert not connection.in_atomic_block
    assert connection.get_autocommit()
    assert query("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    assert query("SELECT pg_current_xact_id_if_assigned()") == [(None,)], "no transaction is under way"
    assert_unchanged(events=events, commands=events)
    take_turn(after=events)
    assert_unchanged(events=events + 1, commands=events + 1)
    assert broken_links() == []


# Failures


@pytest.mark.usefixtures("_messages")
@pytest.mark.parametrize(
    "held",
    [
        "SELECT pg_advisory_xact_lock(hashtextextended('thing-1', 0))",
        "LOCK TABLE eventstore_commandrecord IN EXCLUSIVE MODE",
    ],
    ids=["for the turn", "to append"],
)
def test_a_wait_for_the_stream_lock_that_times_out_leaves_nothing_behind(
    held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    append("thing-1")
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", 20)
    with another() as other, other.transaction():
        other.execute(held)
        with pytest.raises(OperationalError) as busy:
            take_turn(after=1)
    assert errors.is_busy(busy.value)
    assert_clean(events=1)


@pytest.mark.usefixtures("_messages")
def test_a_refused_append_leaves_nothing_behind() -> None:
    command = envelope()
    append("thing-1", command=command)
    with pytest.raises(store.CommandIdTaken):
        take_turn(after=1, command=command)
    assert_clean(events=1)
    [first, _] = store.read_stream("thing-1")
    for previous in (first.hash, b"another history"):
        with pytest.raises(store.WrongExpectedVersion):
            take_turn(after=1, previous_hash=previous)
    assert_clean(events=2)


@pytest.mark.usefixtures("_messages")
@pytest.mark.parametrize("reads", [True, False])
def test_an_error_before_the_append_leaves_nothing_behind(reads: bool) -> None:
    append("thing-1")
    if reads:
        with pytest.raises(InterruptedError):
            take_turn(after=1, meanwhile=fail)
    else:
        with pytest.raises(InterruptedError), stream_lock("thing-1"):
            fail()
    assert list(store.read_stream("thing-1"))
    assert_clean(events=1)


@pytest.mark.usefixtures("_messages")
def test_rows_written_beside_an_append_under_the_stream_lock_fail_with_it() -> None:
    append("thing-1")
    with pytest.raises(InterruptedError):
        take_turn(after=1, also=fail)
    assert_clean(events=1)


def test_a_connection_lost_between_read_and_append_raises_an_error_of_the_connection() -> None:
    append("thing-1")
    [(process,)] = query("SELECT pg_backend_pid()")
    with another() as other, pytest.raises(OperationalError) as lost:
        take_turn(after=1, meanwhile=lambda: other.execute("SELECT pg_terminate_backend(%s)", [process]))
    assert errors.is_lost(lost.value)
    connections["default"].close()
    assert_clean(events=1)


def test_a_connection_lost_while_waiting_for_the_stream_lock_raises_an_error_of_the_connection() -> None:
    append("thing-1")
    [(process,)] = query("SELECT pg_backend_pid()")
    with another() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('thing-1', 0))")

        def end() -> None:
            wait_until_someone_waits("advisory")
            query("SELECT pg_terminate_backend(%s)", process)

        ending = in_thread(end)
        with pytest.raises(OperationalError) as lost:
            take_turn(after=1)
        ending.join(PATIENCE)
        other.execute("SELECT pg_advisory_unlock_all()")
    assert errors.is_lost(lost.value)
    connections["default"].close()
    assert_clean(events=1)


@pytest.mark.usefixtures("_messages")
def test_stream_locks_work_after_the_server_dropped_prepared_statements() -> None:
    append("thing-1")
    for version in (1, 2, 3):
        take_turn(after=version)
        query("DEALLOCATE ALL")
    assert_clean(events=4)


def test_a_command_whose_connection_is_lost_under_the_stream_lock_counts_once(
    urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_account()
    carry_out = store.append

    def lose_at_first(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(store, "append", carry_out)
        if options["lock"]:
            with stranger(urls["DATABASE_URL"]) as other:
                options["lock"].cursor.execute("SELECT pg_backend_pid()")
                other.execute("SELECT pg_terminate_backend(%s)", options["lock"].cursor.fetchone())
            return carry_out(*arguments, **options)
        monkeypatch.setattr(store, "append", lose_at_first)
        raise store.WrongExpectedVersion("somebody else was quicker")

    monkeypatch.setattr(store, "append", lose_at_first)
    assert handle(DepositMoneyIntoBankAccount(1, 10)).version == 2
    engine.catch_up()
    assert queries.check_balance(1) == 10


# Visibility


@pytest.mark.parametrize(("stream", "version"), [("thing-1", 1), ("thing-2", 0)], ids=["next event", "first event"])
def test_an_append_without_the_stream_lock_is_refused_while_another_writer_holds_it(stream: str, version: int) -> None:
    """Otherwise it could change the stream between the other writer's decision and its append."""
    append("thing-1")
    with another() as other:
        with other.transaction():
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [stream])
            with pytest.raises(store.WrongExpectedVersion):
                append(stream, 2, after=version)
            assert_unchanged(events=1, commands=1)
        append(stream, 2, after=version)
    assert_unchanged(events=2, commands=2)


def test_a_writer_that_stands_back_continues_after_the_events_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql, "HEAD_START", 1.0)
    append("thing-1")

    def stand_back() -> None:
        with stream_lock("thing-1", stand_back=True) as lock:
            *_, last = store.read_stream("thing-1")
            append("thing-1", 9, after=last.version, previous_hash=last.hash, lock=lock)

    thread = in_thread(stand_back)
    wait_until_someone_waits("PgSleep")
    append("thing-1", 2, after=1)
    thread.join(PATIENCE)
    assert [event.data["number"] for event in store.read_stream("thing-1")] == [1, 2, 9]


def test_a_writer_who_lost_to_a_busy_writer_comes_next() -> None:
    open_account(1)
    stop, given = threading.Event(), list[int]()

    def write() -> None:
        while not stop.is_set():
            given.append(handle(DepositMoneyIntoBankAccount(1, 1)).version)

    writers = [in_thread(write) for _ in range(3)]
    try:
        mine = [handle(DepositMoneyIntoBankAccount(1, 1)).version for _ in range(20)]
    finally:
        stop.set()
        for writer in writers:
            writer.join(PATIENCE)
    assert sorted([*given, *mine]) == list(range(2, len(given) + 22))
    assert broken_links() == []


def test_an_event_appended_under_the_stream_lock_is_read_after_those_before_the_lock() -> None:
    append("thing-1")
    with another() as other:
        other.execute("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('thing-1', 0))")
        later = in_thread(lambda: take_turn(after=1))
        wait_until_someone_waits("advisory")
        append("thing-2")
        other.execute("COMMIT")
        later.join(PATIENCE)
    assert [event.stream for event in whole_log()] == ["thing-1", "thing-2", "thing-1"]
    assert [event.log_position for event in whole_log()] == sorted(event.log_position for event in whole_log())


def test_reading_under_the_stream_lock_assigns_no_transaction_id() -> None:
    append("thing-1")
    with stream_lock("thing-1") as lock:
        list(store.read_stream("thing-1"))
        lock.cursor.execute("SELECT pg_current_xact_id_if_assigned()")
        assert lock.cursor.fetchall() == [(None,)]


def test_many_at_one_account_lose_and_double_nothing() -> None:
    open_account(1)

    def pay_in() -> None:
        for _ in range(25):
            handle(DepositMoneyIntoBankAccount(1, 1))

    at_once([pay_in] * 8)
    engine.catch_up()
    assert queries.check_balance(1) == 200
    assert [event.version for event in whole_log()] == list(range(1, 202))
    assert broken_links() == []
