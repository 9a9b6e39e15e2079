"""The event store: append to a stream, read a stream, read all, and refusals."""

from datetime import timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from eventstore import clock, store
from eventstore.chain import GENESIS, canonical
from eventstore.events import Envelope, NewEvent, Outcome
from eventstore.storable import Unstorable
from tests.support.things import NOON, append, assert_unchanged, envelope
from tests.support.things import no_read_side as no_read_side
from tests.support.values import broken_links, query, whole_log

# Appending and reading


def test_appended_events_are_read_unchanged() -> None:
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


def test_the_latest_of_a_long_stream_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    for version in range(10):
        append("thing-1", after=version)
    monkeypatch.setattr(store, "CHUNK", 3)
    for known, first in ((0, 1), (1, 1), (6, 6)):
        snapshot, events = store.read_latest("thing-1", known)
        assert snapshot is None
        assert [event.version for event in events] == list(range(first, 11))
    assert list(store.read_latest("thing-1", 11)[1]) == []


def test_the_whole_log_can_be_read_in_pieces() -> None:
    recorded = append("thing-1", *range(5))
    assert [event.position for event in store.read_all(limit=2)] == [1, 2]
    assert [event.position for event in store.read_all(recorded[1].log_position, limit=2)] == [3, 4]
    assert store.read_all(recorded[4].log_position) == []


def test_an_empty_log_has_answers() -> None:
    assert store.read_all() == []
    assert list(store.read_stream("thing-1")) == []
    assert store.last_position() == store.count_events() == 0
    assert store.first_after(0) is None
    assert store.find_outcome(uuid4()) is None


def test_the_log_returns_its_length_and_the_next_event() -> None:
    recorded = append("thing-1", 1, 2, 3)
    assert store.last_position() == store.count_events() == 3
    assert store.first_after(1) == recorded[1]
    assert store.first_after(3) is None


# Expected versions and command ids


@pytest.mark.parametrize("expected", [0, 1, 2])
@pytest.mark.parametrize("knows_hash", [True, False])
def test_an_append_after_an_older_version_is_refused(expected: int, knows_hash: bool) -> None:
    hashes = [GENESIS, *(event.hash for event in append("thing-1", 1, 2, 3))]
    with pytest.raises(store.WrongExpectedVersion):
        append("thing-1", 4, after=expected, previous_hash=hashes[expected] if knows_hash else None)
    assert_unchanged(events=3, commands=1)


def test_a_writer_who_expects_another_event_at_the_version_is_refused() -> None:
    append("thing-1", 1, 2, 3)
    with pytest.raises(store.WrongExpectedVersion):
        append("thing-1", 4, after=3, previous_hash=b"x" * 32)
    assert_unchanged(events=3, commands=1)


@pytest.mark.parametrize("expected", [4, 5, 100])
def test_a_writer_who_expects_a_future_version_is_refused(expected: int) -> None:
    append("thing-1", 1, 2, 3)
    with pytest.raises(store.WrongExpectedVersion, match=f"no version {expected}"):
        append("thing-1", 4, after=expected)
    assert_unchanged(events=3, commands=1)


def test_a_command_id_counts_once_across_all_streams() -> None:
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
    assert store.find_outcome(command.id) == Outcome("do_something", False, "no", "No.", "thing-1", None, 0, b"f" * 32)
    assert_unchanged(events=0, commands=1)


def test_a_command_record_names_the_stream_and_versions_of_its_events() -> None:
    command = envelope()
    append("thing-1", 1)
    append("thing-1", 2, 3, after=1, command=command)
    assert store.find_outcome(command.id) == Outcome("do_something", True, "", "", "thing-1", 3, 2, b"f" * 32)
    (position,) = query("SELECT position FROM eventstore_commandrecord WHERE id = %s", command.id.hex)[0]
    assert position == 3


# Unstorable values


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"], ids=["NUL", "half a character"])
@pytest.mark.parametrize("where", ["stream", "type", "key", "value", "deep", "actor", "name", "reason", "message"])
def test_a_text_that_not_every_database_keeps_is_refused_by_the_store_itself(where: str, text: str) -> None:
    def text_for(name: str) -> str:
        return text if name == where else name

    command = Envelope(uuid4(), text_for("name"), text_for("actor"), NOON, b"f" * 32)
    event = NewEvent(text_for("type"), {text_for("key"): text_for("value"), "list": [{"deep": text_for("deep")}]})
    if where not in ("reason", "message"):
        with pytest.raises(Unstorable):
            store.append(text_for("stream"), [NewEvent("first", {}), event], expected_version=0, command=command)
    if where not in ("type", "key", "value", "deep"):
        with pytest.raises(Unstorable):
            store.record_rejection(text_for("stream"), command, reason=text_for("reason"), message=text_for("message"))
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
def test_accepted_values_are_read_unchanged(payload: dict[str, Any]) -> None:
    stream = f"thing-{uuid4()}"
    try:
        store.append(stream, [NewEvent("happened", payload)], expected_version=0, command=envelope())
    except Unstorable:
        assert "\\u0000" in canonical(payload)
        return
    (event,) = store.read_stream(stream)
    assert event.data == payload
    assert broken_links() == []
