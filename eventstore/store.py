"""The event store: append to a stream, read a stream, read all.

It knows streams, versions, types and JSON, and nothing of the bank.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from . import clock, snapshots
from .backends import postgresql, prepared
from .backends.rows import (
    INSERT_COMMAND,
    READ,
    READ_FIGURES,
    READ_ORIGINS,
    Draft,
    columns_of,
    command_values,
    insert_at_once,
    insert_event,
    recorded_event,
    recorded_events,
)
from .backends.transactions import writing
from .chain import GENESIS
from .errors import CommandIdTaken as CommandIdTaken
from .errors import StoreError as StoreError
from .errors import WrongExpectedVersion as WrongExpectedVersion
from .errors import meaning_of
from .events import START, Columns, Envelope, NewEvent, Outcome, Place, RecordedEvent, SnapshotOf
from .signals import events_appended
from .storable import check_storable
from .stream_lock import after_commit as after_commit
from .stream_lock import has_turn as has_turn
from .stream_lock import turn as turn

WRITE_SIDE = postgresql.WRITE_SIDE
"""The alias of the database that holds the log."""

_SELECT_OUTCOME = """
    SELECT outcome, reason, message, stream, version, event_count, fingerprint
    FROM eventstore_commandrecord WHERE id = %s
"""
_SELECT_STREAM = {
    vendor: f"""
        SELECT {columns} FROM eventstore_event
        WHERE stream = %s AND version >= %s AND version <= %s ORDER BY version LIMIT %s
    """
    for vendor, columns in READ.items()
}
# The snapshot, if there is one that is newer than what is known, comes with the event that proves it.
_SELECT_LATEST = {
    vendor: f"""
        SELECT {columns}, state, digest, seal, at FROM eventstore_event
        LEFT JOIN (
            SELECT stream AS of, version AS at, {snapshots.READ[vendor]}
            FROM eventstore_snapshot
        ) AS kept ON of = stream AND at = version
        WHERE stream = %s AND version >= COALESCE(
            (SELECT version FROM eventstore_snapshot WHERE stream = %s AND version > %s), %s
        ) ORDER BY version LIMIT %s
    """
    for vendor, columns in READ.items()
}
_SELECT_ALL = {
    "sqlite": "SELECT {} FROM eventstore_event WHERE position > %s ORDER BY position LIMIT {limit}",
    # A lower position can commit after a higher one, so this goes by transaction, and only as far as no
    # transaction is under way any more. See migration 0003 and `models.Epoch`.
    "postgresql": """
        SELECT {} FROM eventstore_event
        WHERE (transaction_id, position) > (%s, %s)
          AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
              + (SELECT COALESCE(MAX(shift), 0) FROM eventstore_epoch)
        ORDER BY transaction_id, position LIMIT {limit}
    """,
}
_LATEST = 2**63 - 1
CHUNK = 1000
"""How many events of a stream are in memory at a time; between two chunks no cursor stays open."""


def append(
    stream: str,
    events: Sequence[NewEvent],
    *,
    expected_version: int,
    command: Envelope,
    previous_hash: bytes | None = None,
    state: Mapping[str, Any] | None = None,
    also: Callable[[], None] | None = None,
) -> list[RecordedEvent]:
    """Append events to a stream, with the record of the command that caused them, in one transaction.

    Within a turn it is the last thing there.

    Args:
        expected_version: the version of the stream that the decision was made on; 0 for a new stream.
        previous_hash: the hash of the event at that version; read from the stream when it is not given.
        state: what the stream adds up to with these events, if that is worth a snapshot.
        also: writes what else belongs into the same transaction.

    Raises:
        WrongExpectedVersion: the stream is at another version.
        CommandIdTaken: the command is on record already.
        Unstorable: a text or a value cannot be kept alike by every database.

    The signal `events_appended` follows when the transaction has committed.
    """
    assert events, "an accepted command has at least one event"
    connection = connections[WRITE_SIDE]
    try:
        if previous_hash is None:
            previous_hash = _hash_at(stream, expected_version)
        moment = clock.now()
        drafts: list[Draft] = []
        for version, event in enumerate(events, expected_version + 1):
            drafts.append(Draft(connection.vendor, stream, version, event, command, moment, previous_hash))
            previous_hash = drafts[-1].hash
        last = drafts[-1]
        snapshot = None if state is None else snapshots.values(stream, last.version, state, last.hash)
        if len(drafts) == 1 and also is None and connection.vendor == "postgresql":
            recorded = _append_at_once(connection, last, snapshot)
        else:
            recorded = _append_in_transaction(connection, drafts, snapshot, also)
    except (IntegrityError, WrongExpectedVersion) as error:
        if refusal := _refusal(error, stream, expected_version, command):
            raise refusal from error
        raise
    after_commit(lambda: events_appended.send(sender=append, events=recorded))
    return recorded


def _append_at_once(
    connection: BaseDatabaseWrapper, draft: Draft, snapshot: Sequence[Any] | None
) -> list[RecordedEvent]:
    if connection.in_atomic_block and not has_turn():
        raise RuntimeError("An append is durable, so it cannot be a part of somebody else's transaction.")
    return [insert_at_once(connection, draft, snapshot, commits=has_turn())]


def _append_in_transaction(
    connection: BaseDatabaseWrapper,
    drafts: Sequence[Draft],
    snapshot: Sequence[Any] | None,
    also: Callable[[], None] | None,
) -> list[RecordedEvent]:
    with writing(connection, durable=not has_turn()) as cursor:
        recorded = [insert_event(cursor, draft) for draft in drafts]
        last, command = recorded[-1], drafts[-1].command
        outcome = ("accepted", "", "", last.stream, last.version, len(recorded))
        cursor.execute(INSERT_COMMAND, [*command_values(connection, command, outcome, last.hash), last.position])
        if snapshot is not None:
            cursor.execute(snapshots.UPSERT, snapshot)
        if also is not None:
            also()
    return recorded


def record_rejection(stream: str, command: Envelope, *, reason: str, message: str) -> None:
    """Put a command on record that changed nothing.

    Raises:
        CommandIdTaken: the command is on record already.
        Unstorable: a text cannot be kept alike by every database.
    """
    check_storable([command.name, command.actor, stream, reason, message])
    try:
        connection, outcome = connections[WRITE_SIDE], ("rejected", reason, message, stream, None, 0)
        with writing(connection) as cursor:
            cursor.execute(INSERT_COMMAND, [*command_values(connection, command, outcome, GENESIS), None])
    except IntegrityError as error:
        if refusal := _refusal(error, stream, 0, command):
            raise refusal from error
        raise


def find_outcome(command_id: UUID) -> Outcome | None:
    """Return what became of the command of this id, or None if there was none."""
    found = prepared.rows(connections[WRITE_SIDE], _SELECT_OUTCOME, [command_id.hex])
    if not found:
        return None
    [(outcome, reason, message, stream, version, event_count, fingerprint)] = found
    return Outcome(outcome == "accepted", reason, message, stream, version, event_count, bytes(fingerprint))


def read_stream(stream: str, *, first: int = 1, last: int = _LATEST) -> Iterator[RecordedEvent]:
    """Yield a stream's events in the order of their versions, from `first` to `last` inclusive."""
    connection = connections[WRITE_SIDE]
    while True:
        rows = prepared.rows(connection, _SELECT_STREAM[connection.vendor], [stream, first, last, CHUNK])
        for event in recorded_events(rows):
            yield event
            first = event.version + 1
        if len(rows) < CHUNK:
            return


def read_latest(stream: str, known: int = 0) -> tuple[SnapshotOf | None, Iterator[RecordedEvent]]:
    """Return a stream's snapshot, and its events from that version on, at once.

    Args:
        known: the version that is known without it; an older snapshot is of no use then, and the events begin there.
    """
    connection = connections[WRITE_SIDE]
    rows = prepared.rows(connection, _SELECT_LATEST[connection.vendor], [stream, stream, known, known, CHUNK])
    events = recorded_events([row[:-4] for row in rows])
    snapshot = None
    if rows and rows[0][-1] is not None and events[0].version > known:
        snapshot = snapshots.of_row(events[0].version, *rows[0][-4:-1])
    rest = read_stream(stream, first=events[-1].version + 1) if len(events) == CHUNK else ()
    return snapshot, chain(events, rest)


def read_all(after: Place = START, *, limit: int = 1000) -> list[RecordedEvent]:
    """Return the next events of the whole log, at most `limit`, in an order in which none can be skipped."""
    return recorded_events(_rows_after(after, limit, READ))


def read_columns(after: Place = START, *, limit: int = 1000, with_origins: bool = True) -> Columns | None:
    """Return the events that `read_all` does, by columns, or None where there is none.

    Args:
        with_origins: whether metadata and command ids are wanted.
    """
    rows = _rows_after(after, limit, READ_ORIGINS if with_origins else READ_FIGURES)
    return columns_of(rows) if rows else None


def _rows_after(after: Place, limit: int, columns: Mapping[str, str]) -> list[Sequence[Any]]:
    connection = connections[WRITE_SIDE]
    place = after[1:] if connection.vendor == "sqlite" else after
    # With its value unknown, PostgreSQL would plan for a tenth of the log.
    statement = _SELECT_ALL[connection.vendor].format(columns[connection.vendor], limit=limit)
    return prepared.rows(connection, statement, place)


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
    connection = connections[WRITE_SIDE]
    with connection.cursor() as cursor:
        columns = READ[connection.vendor]
        cursor.execute(
            f"SELECT {columns} FROM eventstore_event WHERE position > %s ORDER BY position LIMIT 1", [position]
        )
        row = cursor.fetchone()
    return row and recorded_event(row)


def _hash_at(stream: str, version: int) -> bytes:
    if version == 0:
        return GENESIS
    for event in read_stream(stream, first=version, last=version):
        return event.hash
    raise WrongExpectedVersion(f"{stream} has no version {version}")


def _refusal(error: Exception, stream: str, expected_version: int, command: Envelope) -> StoreError | None:
    """Return what an error means in the store's own words, if it is one of them."""
    meaning = meaning_of(error)
    # A repeated command is that before all else. Within a turn the transaction is broken and can ask nothing more.
    repeated = meaning is WrongExpectedVersion and not has_turn() and find_outcome(command.id) is not None
    if repeated or meaning is CommandIdTaken:
        return CommandIdTaken(str(command.id))
    if meaning is WrongExpectedVersion and meaning is not type(error):
        return WrongExpectedVersion(f"{stream} is not at version {expected_version}")
    return None
