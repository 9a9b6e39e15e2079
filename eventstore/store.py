"""The event store: append to a stream, read a stream, read all.

It knows streams, versions, types and JSON, and nothing of the bank. It writes plain SQL, because the ORM's model
machinery costs ten times as much as the statement itself here, and this is the path of every command.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connections, transaction

from . import clock
from .errors import CommandIdTaken as CommandIdTaken
from .errors import StoreError as StoreError
from .errors import WrongExpectedVersion as WrongExpectedVersion
from .errors import meaning_of
from .hashing import GENESIS, canonical, event_hash
from .records import START, Envelope, NewEvent, Outcome, Place, RecordedEvent
from .signals import events_appended

WRITE_SIDE = "default"
"""The alias of the database that holds the log."""


COLUMNS = (
    "position, stream, version, type, schema_version, data, metadata, command_id, recorded_at, transaction_id, hash"
)
_INSERT_EVENT = """
    INSERT INTO eventstore_event
        (stream, version, type, schema_version, data, metadata, command_id, recorded_at, hash)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    RETURNING position, transaction_id
"""
_INSERT_COMMAND = """
    INSERT INTO eventstore_commandrecord
        (id, name, actor, received_at, outcome, reason, message, stream, version, position, event_count, fingerprint)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SELECT_OUTCOME = """
    SELECT outcome, reason, message, stream, version, event_count, fingerprint
    FROM eventstore_commandrecord WHERE id = %s
"""
_SELECT_STREAM = f"""
    SELECT {COLUMNS} FROM eventstore_event
    WHERE stream = %s AND version >= %s AND version <= %s ORDER BY version LIMIT %s
"""
_SELECT_ALL = {
    "sqlite": f"SELECT {COLUMNS} FROM eventstore_event WHERE position > %s ORDER BY position LIMIT %s",
    # A lower position can commit after a higher one, so this goes by transaction, and only as far as no
    # transaction is under way any more. See migration 0003 and `models.Epoch`.
    "postgresql": f"""
        SELECT {COLUMNS} FROM eventstore_event
        WHERE (transaction_id, position) > (%s, %s)
          AND transaction_id < eventstore_horizon()
        ORDER BY transaction_id, position LIMIT %s
    """,
}
_LATEST = 2**63 - 1
CHUNK = 1000
"""How many events of a stream are in memory at a time; between two chunks no cursor stays open."""
LONGEST_TURN = 5000
"""Milliseconds that a writer waits for its turn at a stream on PostgreSQL. SQLite's time-out is in the settings."""

_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


@contextmanager
def turn(stream: str) -> Iterator[None]:
    """Wait for a turn at a stream. Whoever loads, decides and appends within it does so with no other turn beside it.

    All of it is one transaction, committed at the end of the block. Writers without a turn are not kept out: an
    append can still be refused, which rolls all of it back.

    Raises:
        django.db.OperationalError: the turn did not come in time; see `errors.is_busy`.
    """
    token = _has_turn.set(True)
    try:
        with transaction.atomic(using=WRITE_SIDE, durable=True):  # on SQLite it begins when no other writer is at work
            connection = connections[WRITE_SIDE]
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    # The transaction gets its id with its first write, hence after the events that are read here.
                    cursor.execute(
                        "SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock(hashtextextended(%s, 0))",
                        [str(LONGEST_TURN), stream],
                    )
            yield
    finally:
        _has_turn.reset(token)


def append(
    stream: str,
    events: Sequence[NewEvent],
    *,
    expected_version: int,
    command: Envelope,
    previous_hash: bytes | None = None,
    also: Callable[[RecordedEvent], None] | None = None,
) -> list[RecordedEvent]:
    """Append events to a stream, with the record of the command that caused them, in one transaction.

    Args:
        expected_version: the version of the stream that the decision was made on; 0 for a new stream.
        previous_hash: the hash of the event at that version; read from the stream when it is not given.
        also: writes what else belongs into the same transaction; it is given the last of the recorded events.

    Raises:
        WrongExpectedVersion: the stream is at another version.
        CommandIdTaken: the command is on record already.

    The signal `events_appended` follows when the transaction has committed.
    """
    assert events, "an accepted command has at least one event"
    try:
        with transaction.atomic(using=WRITE_SIDE, durable=not _has_turn.get(), savepoint=False):
            if previous_hash is None:
                previous_hash = _hash_at(stream, expected_version)
            recorded = _insert_events(stream, events, expected_version, command, previous_hash)
            last = recorded[-1]
            _insert_command(command, ("accepted", "", "", stream, last.version, last.position, len(recorded)))
            if also is not None:
                also(last)
            transaction.on_commit(lambda: _announce(recorded), using=WRITE_SIDE)
    except IntegrityError as error:
        if refusal := _refusal(error, stream, expected_version, command):
            raise refusal from error
        raise
    return recorded


def record_rejection(stream: str, command: Envelope, *, reason: str, message: str) -> None:
    """Put a command on record that changed nothing.

    Raises:
        CommandIdTaken: the command is on record already.
    """
    try:
        with transaction.atomic(using=WRITE_SIDE, durable=True):
            _insert_command(command, ("rejected", reason, message, stream, None, None, 0))
    except IntegrityError as error:
        if refusal := _refusal(error, stream, 0, command):
            raise refusal from error
        raise


def find_outcome(command_id: UUID) -> Outcome | None:
    """Return what became of the command of this id, or None if there was none."""
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute(_SELECT_OUTCOME, [command_id.hex])
        row = cursor.fetchone()
    if row is None:
        return None
    outcome, reason, message, stream, version, event_count, fingerprint = row
    return Outcome(outcome == "accepted", reason, message, stream, version, event_count, bytes(fingerprint))


def read_stream(stream: str, *, first: int = 1, last: int = _LATEST) -> Iterator[RecordedEvent]:
    """Yield a stream's events in the order of their versions, from `first` to `last` inclusive."""
    rows: list[Any] = [None] * CHUNK
    while len(rows) == CHUNK:
        with connections[WRITE_SIDE].cursor() as cursor:
            cursor.execute(_SELECT_STREAM, [stream, first, last, CHUNK])
            rows = cursor.fetchall()
        for row in rows:
            yield recorded_event(row)
            first = row[2] + 1


def read_all(after: Place = START, *, limit: int = 1000) -> list[RecordedEvent]:
    """Return the next events of the whole log, at most `limit`, in an order in which none can be skipped."""
    connection = connections[WRITE_SIDE]
    place = after[1:] if connection.vendor == "sqlite" else after
    with connection.cursor() as cursor:
        cursor.execute(_SELECT_ALL[connection.vendor], [*place, limit])
        return [recorded_event(row) for row in cursor.fetchall()]


def last_position() -> int:
    """Return the highest position in the log, 0 when it is empty."""
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(position), 0) FROM eventstore_event")
        return int(cursor.fetchone()[0])


def count_events() -> int:
    """Return the number of events; the whole log is counted, which takes a while when it is long."""
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM eventstore_event")
        return int(cursor.fetchone()[0])


def first_after(position: int) -> RecordedEvent | None:
    """Return the event of the next higher position, whether or not a projection may read it yet."""
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM eventstore_event WHERE position > %s ORDER BY position LIMIT 1", [position]
        )
        row = cursor.fetchone()
    return row and recorded_event(row)


def _insert_events(
    stream: str, events: Sequence[NewEvent], version: int, command: Envelope, previous: bytes
) -> list[RecordedEvent]:
    connection = connections[WRITE_SIDE]
    now = clock.now()
    recorded_at = connection.ops.adapt_datetimefield_value(now)
    facts = {"actor": command.actor, "correlation_id": str(command.id)}
    metadata = canonical(facts)
    recorded = []
    with connection.cursor() as cursor:
        for event in events:
            version += 1
            data = canonical(event.data)
            previous = event_hash(
                previous, stream, version, event.type, event.schema_version, data, metadata, command.id, now
            )
            said = (stream, version, event.type, event.schema_version)
            cursor.execute(_INSERT_EVENT, [*said, data, metadata, command.id.hex, recorded_at, previous])
            position, transaction_id = cursor.fetchone()
            recorded.append(
                RecordedEvent(position, *said, dict(event.data), facts, command.id, now, transaction_id, previous)
            )
    return recorded


def _insert_command(command: Envelope, outcome: Sequence[Any]) -> None:
    connection = connections[WRITE_SIDE]
    received_at = connection.ops.adapt_datetimefield_value(command.received_at)
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_COMMAND,
            [command.id.hex, command.name, command.actor, received_at, *outcome, command.fingerprint],
        )


def _hash_at(stream: str, version: int) -> bytes:
    if version == 0:
        return GENESIS
    for event in read_stream(stream, first=version, last=version):
        return event.hash
    raise WrongExpectedVersion(f"{stream} has no version {version}")


def _refusal(error: IntegrityError, stream: str, expected_version: int, command: Envelope) -> StoreError | None:
    """Return what an IntegrityError means in the store's own words, if it is one of them."""
    meaning = meaning_of(error)
    # A repeated command is that before all else. Within a turn the transaction is broken and can ask nothing more.
    repeated = meaning is WrongExpectedVersion and not _has_turn.get() and find_outcome(command.id) is not None
    if repeated or meaning is CommandIdTaken:
        return CommandIdTaken(str(command.id))
    if meaning is WrongExpectedVersion:
        return WrongExpectedVersion(f"{stream} is not at version {expected_version}")
    return None


def _announce(recorded: list[RecordedEvent]) -> None:
    events_appended.send(sender=append, events=recorded)


def recorded_event(row: Sequence[Any]) -> RecordedEvent:
    """Return the event of a row, in which SQLite and PostgreSQL differ in a few types."""
    (position, stream, version, type_, schema, data, metadata, command_id, recorded_at, transaction_id, digest) = row
    return RecordedEvent(
        position,
        stream,
        version,
        type_,
        schema,
        json.loads(data),
        json.loads(metadata),
        command_id if isinstance(command_id, UUID) else UUID(command_id),
        _utc(recorded_at),
        transaction_id,
        bytes(digest),
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
