"""The event store under the recorder tests that the library `eventsourcing` ships.

An adapter maps its interface to `eventstore.store`. The tests of subscriptions and tracking recorders are left out,
because signals, workers and checkpoints replace these, and those that only print a time.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Never
from uuid import UUID, uuid4

import pytest
from django.db import connections
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification, StoredEvent
from eventsourcing.tests import persistence as peer

from eventstore import clock, store
from eventstore.events import START, Envelope, LogPosition, NewEvent, RecordedEvent
from tests.support.databases import needs


class Recorder(ApplicationRecorder):
    """The event store as the library's recorder: originators are streams, topics are types, states are data.

    Some of its streams begin with version 0, the store's with 1. An event's data holds the library's version.
    """

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        if not stored_events:
            return None
        with of_this_thread():
            return self._append(stored_events)

    def _append(self, stored_events: Sequence[StoredEvent]) -> list[int]:
        stream, versions = name_of(stored_events[0].originator_id), [e.originator_version for e in stored_events]
        if versions != list(range(versions[0], versions[0] + len(versions))):
            raise IntegrityError("the store numbers the events of an append itself, one after another")
        earliest = next(store.read_stream(stream, last=1), None)
        first = earliest.data["version"] if earliest else versions[0]
        try:
            recorded = store.append(
                stream,
                [NewEvent(e.topic, {"version": e.originator_version, "state": e.state.hex()}) for e in stored_events],
                expected_version=versions[0] - first,
                command=Envelope(uuid4(), "insert_events", "", clock.now(), bytes(32)),
            )
        except store.StoreError as error:
            raise IntegrityError(str(error)) from error
        return [event.position for event in recorded]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        with of_this_thread():
            events = [stored(event) for event in store.read_stream(name_of(originator_id))]
        wanted = [
            event
            for event in events
            if (gt is None or event.originator_version > gt) and (lte is None or event.originator_version <= lte)
        ]
        return (wanted[::-1] if desc else wanted)[:limit]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = 0 if start is None else start - inclusive_of_start
        with of_this_thread():
            following = (
                Notification(*stored_fields(event), id=event.position)
                for event in log_after(after, limit)
                if (not topics or event.type in topics) and (stop is None or event.position <= stop)
            )
            return list(islice(following, limit))

    def max_notification_id(self) -> int | None:
        return store.last_position() or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Never:
        raise NotImplementedError


class StreamRecorder(Recorder):
    """The same for test cases without an order of the whole log."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events)


def name_of(originator_id: UUID | str) -> str:
    return f"peer-{originator_id}"


def stored_fields(event: RecordedEvent) -> tuple[UUID, int, str, bytes]:
    originator_id = UUID(event.stream.removeprefix("peer-"))
    return originator_id, event.data["version"], event.type, bytes.fromhex(event.data["state"])


def stored(event: RecordedEvent) -> StoredEvent:
    return StoredEvent(*stored_fields(event))


def log_after(position: int, batch: int) -> Iterator[RecordedEvent]:
    """Yield the events after a position in the log order."""
    log_position = START
    if position:
        following = store.first_after(position)
        if following is None:
            return
        log_position = LogPosition(following.transaction_id, following.position - 1)
    while events := store.read_all(log_position, limit=batch):
        yield from events
        log_position = events[-1].log_position


@contextmanager
def of_this_thread() -> Iterator[None]:
    """Close the connections of the library's threads."""
    try:
        yield
    finally:
        if threading.current_thread() is not threading.main_thread():
            connections.close_all()


@pytest.mark.usefixtures("bank")
class TestStreams(peer.AggregateRecorderTestCase):
    vendor = "sqlite"
    test_performance = None  # type: ignore[assignment]

    def create_recorder(self) -> StreamRecorder:
        return StreamRecorder()


@pytest.mark.usefixtures("bank")
class TestLog(peer.ApplicationRecorderTestCase[Recorder]):
    vendor = "sqlite"
    test_performance = None  # type: ignore[assignment]

    def create_recorder(self) -> Recorder:
        return Recorder()


class TestStreamsOnPostgresql(TestStreams):
    pytestmark = needs("postgresql")
    vendor = "postgresql"


class TestLogOnPostgresql(TestLog):
    pytestmark = needs("postgresql")
    vendor = "postgresql"
