"""The event store: append to a stream, read a stream, read all.

It knows streams, versions, types and JSON, and nothing of the bank.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from . import clock, snapshots
from .backends import WRITE_SIDE as WRITE_SIDE
from .backends import backend_of
from .backends.base import INSERT_COMMAND
from .chain import GENESIS
from .errors import CommandIdTaken as CommandIdTaken
from .errors import StoreError as StoreError
from .errors import WrongExpectedVersion as WrongExpectedVersion
from .errors import meaning_of
from .events import START, Envelope, LogPosition, NewEvent, Outcome, RecordedEvent, SnapshotOf
from .rows import COLUMNS, command_values, drafts_of, recorded_events
from .signals import events_appended
from .storable import check_storable
from .stream_lock import StreamLock, after_commit

_SELECT_OUTCOME = """
    SELECT name, outcome, reason, message, stream, version, event_count, fingerprint
    FROM eventstore_commandrecord WHERE id = %s
"""
_SELECT_STREAM = f"""
    SELECT {COLUMNS} FROM eventstore_event
    WHERE stream = %s AND version >= %s AND version <= %s ORDER BY version LIMIT %s
"""
# A snapshot newer than the known version comes with the event at its version, which proves it.
_SELECT_LATEST = f"""
    SELECT {COLUMNS}, state, digest, seal, at FROM eventstore_event
    LEFT JOIN (SELECT stream AS of, version AS at, {{snapshot}} FROM eventstore_snapshot) AS snapshot
        ON of = stream AND at = version
    WHERE stream = %s AND version >= COALESCE(
        (SELECT version FROM eventstore_snapshot WHERE stream = %s AND version > %s), %s
    ) ORDER BY version LIMIT %s
"""
LATEST = 2**63 - 1
CHUNK = 1000
"""The largest number of a stream's events in memory. No cursor stays open between two chunks."""


def append(
    stream: str,
    events: Sequence[NewEvent],
    *,
    expected_version: int,
    command: Envelope,
    previous_hash: bytes | None = None,
    previous_at: datetime | None = None,
    state: Mapping[str, Any] | None = None,
    also: Callable[[], None] | None = None,
    lock: StreamLock | None = None,
) -> list[RecordedEvent]:
    """Append events to a stream, and record the command that caused them, in one transaction.

    After the commit, the signal `events_appended` is sent.

    Args:
        expected_version: the version of the stream at the decision; 0 for a new stream.
        previous_hash: the hash of the event at that version; read from the stream if it is None.
        previous_at: the time of that event, if known. New events get no earlier time, even if this clock is slow.
        state: the state of the stream after these events, if a snapshot is due.
        also: writes other rows in the same transaction.
        lock: the lock of the stream. Its transaction commits at the end of its block.

    Raises:
        WrongExpectedVersion: the stream is at another version.
        CommandIdTaken: the command is recorded already.
        Unstorable: the databases would not all store a value unchanged.
    """
    assert events, "an accepted command has at least one event"
    backend, moment, recorded = backend_of(), clock.now(), []
    try:
        if previous_hash is None:
            previous_hash, previous_at = _end_at(stream, expected_version)
        if previous_at is not None:
            moment = max(moment, previous_at)
        drafts = drafts_of(stream, expected_version, events, command, moment, previous_hash)
        last = drafts[-1].event
        outcome = ("accepted", "", "", stream, last.version, len(events))
        record = command_values(command, outcome, last.hash)
        is_one = len(events) == 1 and state is None and also is None
        with nullcontext(lock.cursor) if lock else backend.transaction(one_statement=is_one) as cursor:
            for event, values in drafts:
                inserted = backend.insert_event(cursor, values, previous_hash, record if event is last else ())
                if inserted is None:
                    raise WrongExpectedVersion(f"{stream} is not at version {event.version - 1}")
                transaction_id, position = inserted
                recorded.append(event._replace(transaction_id=transaction_id, position=position))
                previous_hash = event.hash
            if state is not None:
                cursor.execute(snapshots.UPSERT, snapshots.values(stream, last.version, state, last.hash))
            if also is not None:
                also()
    except (IntegrityError, WrongExpectedVersion) as error:
        if refusal := _refusal(error, stream, expected_version, command, lock):
            raise refusal from error
        raise
    after_commit(lock, lambda: events_appended.send(sender=append, events=recorded))
    return recorded


def record_rejection(stream: str, command: Envelope, *, reason: str, message: str) -> None:
    """Record a rejected command.

    Raises:
        CommandIdTaken: the command is recorded already.
        Unstorable: the databases would not all store a text unchanged.
    """
    check_storable([command.name, command.actor, stream, reason, message])
    outcome = ("rejected", reason, message, stream, None, 0)
    try:
        with backend_of().transaction() as cursor:
            cursor.execute(INSERT_COMMAND, [*command_values(command, outcome, GENESIS), None])
    except IntegrityError as error:
        if refusal := _refusal(error, stream, 0, command, None):
            raise refusal from error
        raise


def find_outcome(command_id: UUID) -> Outcome | None:
    """Return the recorded outcome of a command, or None."""
    backend = backend_of()
    found = backend.rows(_SELECT_OUTCOME, [backend.adapt(command_id)])
    if not found:
        return None
    [(name, outcome, reason, message, stream, version, event_count, fingerprint)] = found
    return Outcome(name, outcome == "accepted", reason, message, stream, version, event_count, bytes(fingerprint))


def read_stream(stream: str, *, first: int = 1, last: int = LATEST) -> Iterator[RecordedEvent]:
    """Yield a stream's events in the order of their versions, from `first` to `last` inclusive."""
    while True:
        rows = backend_of().rows(_SELECT_STREAM, [stream, first, last, CHUNK])
        for event in recorded_events(rows):
            yield event
            first = event.version + 1
        if len(rows) < CHUNK:
            return


def read_latest(stream: str, known: int = 0) -> tuple[SnapshotOf | None, Iterator[RecordedEvent]]:
    """Return a stream's snapshot, and its events from the snapshot's version on.

    Args:
        known: the version of a known state. An older snapshot is not returned, and the events begin at this version.
    """
    backend = backend_of()
    statement = _SELECT_LATEST.format(snapshot=backend.snapshot_columns)
    rows = backend.rows(statement, [stream, stream, known, known, CHUNK])
    events = recorded_events([row[:-4] for row in rows])
    snapshot = None
    if rows and rows[0][-1] is not None and events[0].version > known:
        snapshot = snapshots.of_row(events[0].version, *rows[0][-4:-1])
    rest = read_stream(stream, first=events[-1].version + 1) if len(events) == CHUNK else ()
    return snapshot, chain(events, rest)


def read_all(after: LogPosition = START, *, limit: int = 1000, without: Collection[str] = ()) -> list[RecordedEvent]:
    """Return at most `limit` events after a log position, in an order in which none can be skipped.

    On PostgreSQL, a lower position can commit after a higher one. There, events come in the order of transactions, up
    to the first open one.

    Args:
        without: the types of events that are left out.
    """
    backend = backend_of()
    others = f"AND type NOT IN ({', '.join(['%s'] * len(without))})" if without else ""
    # The limit is a literal: for an unknown value, PostgreSQL plans to return a tenth of the log.
    statement = f"""
        SELECT {COLUMNS} FROM eventstore_event WHERE {backend.log_after} AND {backend.is_readable} {others}
        ORDER BY {backend.log_order} LIMIT {int(limit)}
    """
    return recorded_events(backend.rows(statement, [*backend.values_of(after), *without]))


def checkpoint_before(events: Sequence[RecordedEvent]) -> LogPosition | None:
    """Return the log position after which appended events are certain to be the next ones, if there is one."""
    return backend_of().checkpoint_before(events)


def last_position() -> int:
    """Return the highest position of the log, or 0 if it is empty."""
    return int(backend_of().rows("SELECT COALESCE(MAX(position), 0) FROM eventstore_event")[0][0])


def count_events() -> int:
    """Return the number of events. It scans the whole log."""
    return int(backend_of().rows("SELECT COUNT(*) FROM eventstore_event")[0][0])


def first_after(position: int) -> RecordedEvent | None:
    """Return the event at the next higher position, readable by projections or not."""
    statement = f"SELECT {COLUMNS} FROM eventstore_event WHERE position > %s ORDER BY position LIMIT 1"
    return next(iter(recorded_events(backend_of().rows(statement, [position]))), None)


def _end_at(stream: str, version: int) -> tuple[bytes, datetime | None]:
    if version == 0:
        return GENESIS, None
    for event in read_stream(stream, first=version, last=version):
        return event.hash, event.recorded_at
    raise WrongExpectedVersion(f"{stream} has no version {version}")


def _refusal(
    error: Exception, stream: str, expected_version: int, command: Envelope, lock: StreamLock | None
) -> StoreError | None:
    """Return the refusal that a database error stands for, or None."""
    meaning = meaning_of(error)
    # A repeated command takes precedence. Within a lock the transaction is broken, so it cannot be queried.
    repeated = meaning is WrongExpectedVersion and lock is None and find_outcome(command.id) is not None
    if repeated or meaning is CommandIdTaken:
        return CommandIdTaken(str(command.id))
    if meaning is WrongExpectedVersion and meaning is not type(error):
        return WrongExpectedVersion(f"{stream} is not at version {expected_version}")
    return None
