"""The event store's transactions: joint writes, signals after the commit, and the stream lock."""

import time
from contextlib import suppress
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connections, transaction

from eventstore import store
from eventstore.backends import backend_of
from eventstore.chain import GENESIS
from eventstore.events import RecordedEvent
from eventstore.signals import events_appended
from eventstore.stream_lock import stream_lock
from tests.support.databases import Urls, stranger
from tests.support.things import announced as announced
from tests.support.things import append, assert_unchanged, envelope
from tests.support.things import no_read_side as no_read_side
from tests.support.values import at_once, broken_links, query, whole_log

# One transaction


def test_events_and_command_record_appear_together(urls: Urls) -> None:
    seen: list[list[int]] = []
    with stranger(urls["DATABASE_URL"]) as elsewhere:

        def look() -> list[int]:
            tables = ("eventstore_event", "eventstore_commandrecord")
            return [elsewhere.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]

        append("thing-1", 1, 2, also=lambda: seen.append(look()))
        seen.append(look())
    assert seen == [[0, 0], [2, 1]]


def test_the_signal_comes_after_the_commit_and_hands_the_events_over(urls: Urls) -> None:
    seen: list[tuple[list[RecordedEvent], int]] = []

    def listen(events: list[RecordedEvent], **kwargs: Any) -> None:
        with stranger(urls["DATABASE_URL"]) as elsewhere:
            seen.append((events, elsewhere.execute("SELECT COUNT(*) FROM eventstore_event").fetchone()[0]))

    events_appended.connect(listen)
    try:
        recorded = append("thing-1", 1, 2)
    finally:
        events_appended.disconnect(listen)
    assert seen == [(recorded, 2)]


@pytest.mark.only_on("postgresql", reason="SQLite has no pipeline")
@pytest.mark.usefixtures("bank")
def test_a_transaction_with_a_failed_statement_is_rolled_back_on_its_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        with backend_of("projections").transaction() as cursor:
            cursor.execute("SELECT 1 / 0")
            time.sleep(0.05)  # its error arrives before the results of later statements
            cursor.execute("SELECT 1")
            cursor.execute("SELECT 1")

    query("SELECT 1", using="projections")
    before = connections["projections"].connection
    with pytest.raises(DataError):
        fail()
    assert query("SELECT 1", using="projections") == [(1,)]
    assert connections["projections"].connection is before
    assert "rolling back" not in caplog.text  # the words of a pool that gets a broken connection back


@pytest.mark.only_on("postgresql", reason="SQLite has a setting of the connection")
@pytest.mark.usefixtures("bank")
def test_only_the_read_side_commits_without_waiting_for_the_disk() -> None:
    waits = {}
    for alias in ("default", "projections"):
        with backend_of(alias).transaction() as cursor:
            cursor.execute("SELECT current_setting('synchronous_commit')")
            waits[alias] = cursor.fetchone()[0]
    assert waits == {"default": "on", "projections": "off"}


@pytest.mark.parametrize("error", [RuntimeError, IntegrityError, KeyboardInterrupt])
def test_a_failed_append_writes_nothing_and_sends_no_signal(
    error: type[BaseException], announced: list[list[RecordedEvent]]
) -> None:
    def fail() -> None:
        raise error("broken")

    with pytest.raises(error, match="broken"):
        append("thing-1", 1, 2, also=fail)
    assert_unchanged(events=0, commands=0)
    assert announced == []


def test_a_refused_append_is_not_announced(announced: list[list[RecordedEvent]]) -> None:
    first = append("thing-1", 1)
    with pytest.raises(store.WrongExpectedVersion):
        append("thing-1", 2)
    store.record_rejection("thing-1", envelope(), reason="no", message="No.")
    assert announced == [first]


def test_an_append_within_somebody_elses_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(using="default"):
        append()
    assert_unchanged(events=0, commands=0)


def test_failures_leave_no_gap_in_a_stream() -> None:
    fail_and_succeed()
    assert [event.version for event in whole_log()] == [1, 2]


@pytest.mark.only_on("sqlite", reason="PostgreSQL's sequences count what was rolled back as well, as documented")
def test_positions_have_no_gaps_after_failures() -> None:
    fail_and_succeed()
    assert [event.position for event in whole_log()] == [1, 2]


def fail_and_succeed() -> None:
    for after in (0, 0, 1):
        with suppress(store.WrongExpectedVersion):
            append("thing-1", 1, after=after)


def test_of_writers_at_the_same_version_one_wins() -> None:
    def write() -> str:
        try:
            append("thing-1", 1)
        except store.WrongExpectedVersion:
            return "refused"
        return "won"

    assert sorted(at_once([write] * 8)) == ["refused"] * 7 + ["won"]
    assert_unchanged(events=1, commands=1)


# The stream lock


def test_a_stream_does_not_change_between_read_and_append_under_its_lock() -> None:
    append("thing-1", 0)

    def count_up() -> None:
        for _ in range(10):
            with stream_lock("thing-1") as lock:
                *_, last = store.read_stream("thing-1")
                append("thing-1", last.data["number"] + 1, after=last.version, lock=lock)

    at_once([count_up] * 8)
    assert [event.data["number"] for event in store.read_stream("thing-1")] == list(range(81))
    assert broken_links() == []


def test_a_failure_under_the_stream_lock_leaves_nothing_behind(announced: list[list[RecordedEvent]]) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"), stream_lock("thing-1") as lock:
        append("thing-1", 1, also=fail, lock=lock)
    with pytest.raises(store.WrongExpectedVersion), stream_lock("thing-1") as lock:
        append("thing-1", 1, after=1, previous_hash=GENESIS, lock=lock)
    assert_unchanged(events=0, commands=0)
    assert announced == []


def test_events_appended_under_the_stream_lock_are_announced_after_the_commit(
    announced: list[list[RecordedEvent]],
) -> None:
    with stream_lock("thing-1") as lock:
        recorded = append("thing-1", 1, lock=lock)
        assert announced == []
    assert announced == [recorded]


def test_the_stream_lock_is_refused_within_a_transaction_of_the_caller() -> None:
    with (
        pytest.raises(RuntimeError, match="durable"),
        transaction.atomic(using="default"),
        stream_lock("thing-1"),
    ):
        pass
