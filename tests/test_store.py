"""The event store: append to a stream, read a stream, read all."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from eventstore import clock, store
from eventstore.hashing import GENESIS, canonical
from eventstore.records import Envelope, NewEvent, Outcome, RecordedEvent
from eventstore.signals import events_appended
from eventstore.storable import Unstorable

from .databases import Urls, stranger
from .support import at_once, broken_links, count, lift_protection, query, whole_log

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_read_side(bank: Path, settings: Any) -> None:
    """The store's own events mean nothing to the bank's projections."""
    settings.PROJECTION_MODE = "worker"


@pytest.fixture
def announced() -> Iterator[list[list[RecordedEvent]]]:
    """What the signal said."""
    said: list[list[RecordedEvent]] = []

    def listen(events: list[RecordedEvent], **kwargs: Any) -> None:
        said.append(events)

    events_appended.connect(listen, weak=False)
    yield said
    events_appended.disconnect(listen)


def envelope(command_id: UUID | None = None, actor: str = "teller") -> Envelope:
    return Envelope(command_id or uuid4(), "do_something", actor, NOON, b"f" * 32)


def append(stream: str = "thing-1", *numbers: int, after: int = 0, **options: Any) -> list[RecordedEvent]:
    events = [NewEvent("happened", {"number": number}) for number in numbers or (1,)]
    return store.append(stream, events, expected_version=after, **{"command": envelope(), **options})


def assert_unchanged(events: int, commands: int) -> None:
    assert count("eventstore_event") == events
    assert count("eventstore_commandrecord") == commands


# Appending and reading


def test_what_is_appended_is_what_is_read() -> None:
    command = envelope(actor="tina")
    with clock.set_to(NOON):
        recorded = append("thing-1", 7, 8, command=command)

    assert list(store.read_stream("thing-1")) == store.read_all() == recorded
    assert [(event.position, event.version, event.data) for event in recorded] == [
        (1, 1, {"number": 7}),
        (2, 2, {"number": 8}),
    ]
    for event in recorded:
        assert event.stream == "thing-1"
        assert event.type == "happened"
        assert event.schema_version == 1
        assert event.metadata == {"actor": "tina", "correlation_id": str(command.id)}
        assert event.command_id == command.id
        assert event.recorded_at == NOON


def test_a_moment_of_another_zone_is_read_back_in_utc() -> None:
    with clock.set_to(NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))):
        append()
    (event,) = store.read_all()
    assert event.recorded_at == NOON
    assert event.recorded_at.utcoffset() == timedelta(0)
    assert broken_links() == []


def test_versions_count_per_stream_and_positions_in_the_whole_log() -> None:
    append("thing-1", 1, 2)
    append("thing-2", 3)
    append("thing-1", 4, after=2)

    streams = ["thing-1", "thing-1", "thing-2", "thing-1"]
    assert [(event.stream, event.version) for event in whole_log()] == list(zip(streams, [1, 2, 1, 3], strict=True))
    assert [event.position for event in whole_log()] == [1, 2, 3, 4]


def test_a_stream_can_be_read_from_one_version_to_another() -> None:
    append("thing-1", *range(1, 11))
    append("thing-10", 99)
    assert [event.version for event in store.read_stream("thing-1", first=3, last=5)] == [3, 4, 5]
    assert [event.version for event in store.read_stream("thing-1", first=9)] == [9, 10]
    assert list(store.read_stream("thing-1", first=11)) == []
    assert list(store.read_stream("thing")) == []


def test_the_whole_log_can_be_read_in_pieces() -> None:
    recorded = append("thing-1", *range(5))
    assert [event.position for event in store.read_all(limit=2)] == [1, 2]
    assert [event.position for event in store.read_all(recorded[1].place, limit=2)] == [3, 4]
    assert store.read_all(recorded[4].place) == []


def test_an_empty_log_has_answers() -> None:
    assert store.read_all() == []
    assert list(store.read_stream("thing-1")) == []
    assert store.last_position() == store.count_events() == 0
    assert store.first_after(0) is None
    assert store.find_outcome(uuid4()) is None


def test_the_log_says_how_long_it_is_and_what_comes_next() -> None:
    recorded = append("thing-1", 1, 2, 3)
    assert store.last_position() == store.count_events() == 3
    assert store.first_after(1) == recorded[1]
    assert store.first_after(3) is None


# Expected versions and command ids


@pytest.mark.parametrize("expected", [0, 1, 2])
@pytest.mark.parametrize("knows_hash", [True, False])
def test_a_writer_who_has_not_seen_the_latest_version_is_refused(expected: int, knows_hash: bool) -> None:
    seen = [GENESIS, *(event.hash for event in append("thing-1", 1, 2, 3))]
    with pytest.raises(store.WrongExpectedVersion):
        append("thing-1", 4, after=expected, previous_hash=seen[expected] if knows_hash else None)
    assert_unchanged(events=3, commands=1)


@pytest.mark.parametrize("expected", [4, 5, 100])
def test_a_writer_who_expects_a_version_that_is_not_there_yet_is_refused(expected: int) -> None:
    append("thing-1", 1, 2, 3)
    with pytest.raises(store.WrongExpectedVersion, match=f"no version {expected}"):
        append("thing-1", 4, after=expected)
    assert_unchanged(events=3, commands=1)


def test_a_command_id_counts_once_whatever_the_stream() -> None:
    command = envelope()
    append("thing-1", 1, command=command)
    with pytest.raises(store.CommandIdTaken):
        append("thing-2", 2, command=command)
    with pytest.raises(store.CommandIdTaken):
        append("thing-1", 1, command=command)
    with pytest.raises(store.CommandIdTaken):
        store.record_rejection("thing-1", command, reason="no", message="No.")
    assert_unchanged(events=1, commands=1)


def test_a_rejected_commands_id_is_taken_as_well() -> None:
    command = envelope()
    store.record_rejection("thing-1", command, reason="no", message="No.")
    with pytest.raises(store.CommandIdTaken):
        append("thing-1", 1, command=command)
    with pytest.raises(store.CommandIdTaken):
        store.record_rejection("thing-1", command, reason="other", message="Other.")
    assert store.find_outcome(command.id) == Outcome(False, "no", "No.", "thing-1", None, 0, b"f" * 32)
    assert_unchanged(events=0, commands=1)


def test_the_record_of_a_command_says_where_its_events_are() -> None:
    command = envelope()
    append("thing-1", 1)
    append("thing-1", 2, 3, after=1, command=command)
    assert store.find_outcome(command.id) == Outcome(True, "", "", "thing-1", 3, 2, b"f" * 32)
    (position,) = query("SELECT position FROM eventstore_commandrecord WHERE id = %s", command.id.hex)[0]
    assert position == 3


# What cannot be kept


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"], ids=["NUL", "half a character"])
@pytest.mark.parametrize("where", ["stream", "type", "key", "value", "deep", "actor", "name", "reason", "message"])
def test_a_text_that_not_every_database_keeps_is_refused_by_the_store_itself(where: str, text: str) -> None:
    def said(name: str) -> str:
        return text if name == where else name

    command = Envelope(uuid4(), said("name"), said("actor"), NOON, b"f" * 32)
    event = NewEvent(said("type"), {said("key"): said("value"), "list": [{"deep": said("deep")}]})
    if where not in ("reason", "message"):
        with pytest.raises(Unstorable):
            store.append(said("stream"), [NewEvent("first", {}), event], expected_version=0, command=command)
    if where not in ("type", "key", "value", "deep"):
        with pytest.raises(Unstorable):
            store.record_rejection(said("stream"), command, reason=said("reason"), message=said("message"))
    assert_unchanged(events=0, commands=0)


@pytest.mark.parametrize("value", [1e22, -0.0, float("nan"), b"bytes", {1}])
def test_a_value_that_not_every_database_keeps_is_refused_by_the_store_itself(value: Any) -> None:
    with pytest.raises(Unstorable, match=type(value).__name__):
        store.append("thing-1", [NewEvent("happened", {"number": value})], expected_version=0, command=envelope())
    assert_unchanged(events=0, commands=0)


@hypothesis_settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), max_size=4
    )
)
def test_whatever_the_store_does_not_refuse_it_gives_back_as_it_was(payload: dict[str, Any]) -> None:
    stream = f"thing-{uuid4()}"
    try:
        store.append(stream, [NewEvent("happened", payload)], expected_version=0, command=envelope())
    except Unstorable:
        assert "\\u0000" in canonical(payload)
        return
    (event,) = store.read_stream(stream)
    assert event.data == payload
    assert broken_links() == []


# One transaction


def test_events_and_command_record_appear_together(urls: Urls) -> None:
    seen: list[list[int]] = []
    with stranger(urls["DATABASE_URL"]) as elsewhere:

        def look() -> list[int]:
            tables = ("eventstore_event", "eventstore_commandrecord")
            return [elsewhere.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]

        append("thing-1", 1, 2, also=lambda last: seen.append(look()))
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


@pytest.mark.parametrize("error", [RuntimeError, IntegrityError, KeyboardInterrupt])
def test_nothing_is_written_or_said_when_something_fails_on_the_way(
    error: type[BaseException], announced: list[list[RecordedEvent]]
) -> None:
    def fail(last: RecordedEvent) -> None:
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


# Turns


def test_whoever_has_the_turn_decides_on_what_stays_true_until_it_has_written() -> None:
    append("thing-1", 0)

    def count_up() -> None:
        for _ in range(10):
            with store.turn("thing-1"):
                *_, last = store.read_stream("thing-1")
                append("thing-1", last.data["number"] + 1, after=last.version)

    at_once([count_up] * 8)
    assert [event.data["number"] for event in store.read_stream("thing-1")] == list(range(81))
    assert broken_links() == []


def test_a_turn_in_which_something_fails_leaves_nothing_behind(announced: list[list[RecordedEvent]]) -> None:
    def fail(last: RecordedEvent) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"), store.turn("thing-1"):
        append("thing-1", 1, also=fail)
    with pytest.raises(store.WrongExpectedVersion), store.turn("thing-1"):
        append("thing-1", 1, after=1, previous_hash=GENESIS)
    assert_unchanged(events=0, commands=0)
    assert announced == []


def test_what_a_turn_appended_is_announced_when_it_is_committed(announced: list[list[RecordedEvent]]) -> None:
    with store.turn("thing-1"):
        recorded = append("thing-1", 1)
        assert announced == []
    assert announced == [recorded]


def test_there_is_no_turn_within_somebody_elses_transaction() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(using="default"), store.turn("thing-1"):
        pass


# The chain


def test_each_event_is_chained_to_the_one_before_it_in_its_stream() -> None:
    append("thing-1", 1, 2)
    append("thing-2", 1)
    append("thing-1", 3, after=2)
    assert broken_links() == []
    assert len({event.hash for event in whole_log()}) == 4


@pytest.mark.parametrize(
    "change",
    [
        "stream = 'thing-9'",
        "version = 9",
        "type = 'else'",
        "schema_version = 2",
        """data = '{"number":1000000}'""",
        """metadata = '{"actor":"mallory","correlation_id":""}'""",
        "command_id = '00000000000000000000000000000000'",
        "recorded_at = '2020-01-01 00:00:00'",
        "hash = substr(hash, 1, 31)",
    ],
)
def test_whatever_is_changed_in_a_row_breaks_the_chain(change: str) -> None:
    append("thing-1", 1, 2, 3)
    lift_protection()
    query(f"UPDATE eventstore_event SET {change} WHERE position = 2")
    assert broken_links()


@hypothesis_settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_a_payload_has_one_canonical_form(payload: dict[str, Any]) -> None:
    assert canonical(payload) == canonical(dict(reversed(payload.items())))
