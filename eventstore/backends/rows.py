"""The rows of the log in plain SQL: how they are written and how they are read.

The ORM's model machinery costs ten times as much as the statement itself here, and this is the path of every command.
An event is written only after the very event that the decision was made on, told by its hash: a writer may have any
idea of what came before, out of a cache for one, and is refused if it is wrong.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from .. import seals, snapshots
from ..chain import GENESIS, canonical, moment_text, record_text, row_hash
from ..errors import WrongExpectedVersion
from ..events import Columns, Envelope, NewEvent, RecordedEvent
from ..storable import check_storable
from . import prepared

COLUMNS = (
    "position, stream, version, type, schema_version, data, metadata, command_id, recorded_at, transaction_id, hash"
)
READ = {
    # What is no column as such is text as it stands: to make moments of it in SQLite's driver takes ten times as long.
    "sqlite": COLUMNS.replace("recorded_at", "recorded_at || '+00:00'"),
    "postgresql": COLUMNS,
}
"""What `recorded_events` takes, by the kind of database."""
_FIGURES = "position, version, type, schema_version, data, recorded_at, transaction_id"
READ_FIGURES = {
    "sqlite": _FIGURES.replace("recorded_at", "recorded_at || '+00:00'"),
    "postgresql": _FIGURES,
}
READ_ORIGINS = {vendor: f"{columns}, metadata, command_id" for vendor, columns in READ_FIGURES.items()}
"""What `columns_of` takes, by the kind of database, without and with what tells where an event comes from."""
_INSERT_COLUMNS = "stream, version, type, schema_version, data, metadata, command_id, recorded_at, hash"
_AFTER = "WHERE stream = %s AND version = %s AND hash = %s"
# Who has a turn at the stream keeps all others out on PostgreSQL, and they learn it at once.
TURN = "hashtextextended({}, 0)"
_NO_TURN = f"pg_try_advisory_xact_lock({TURN})"
# A row that would come after another event than the one that was meant has no hash, and is refused for that. To select
# what is inserted, or to return what was, takes SQLite a table of its own each time.
_SQLITE_INSERT = f"INSERT INTO eventstore_event ({_INSERT_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, {{}})"
# A statement that is prepared before its values are known has to say what they are.
# The transaction's id is the column's default, but written out it takes a tenth of the time of the function there.
_POSTGRESQL_INSERT = f"""
    INSERT INTO eventstore_event ({_INSERT_COLUMNS}, transaction_id)
    SELECT {{}}, %s, %s::smallint, %s::jsonb, %s::jsonb, %s::uuid, %s::timestamptz, %s::bytea,
        pg_current_xact_id()::text::bigint + (SELECT COALESCE(MAX(shift), 0) FROM eventstore_epoch)
    {{}} RETURNING position, transaction_id
"""
_INSERT_FIRST = {
    "sqlite": _SQLITE_INSERT.format("%s"),
    "postgresql": _POSTGRESQL_INSERT.format("%s, %s::bigint", f"WHERE {_NO_TURN.format('%s')}"),
}
_INSERT_NEXT = {
    "sqlite": _SQLITE_INSERT.format(f"(SELECT %s FROM eventstore_event {_AFTER})"),
    "postgresql": _POSTGRESQL_INSERT.format(
        "previous.stream, previous.version + 1",
        f"FROM eventstore_event AS previous {_AFTER} AND {_NO_TURN.format('previous.stream')}",
    ),
}
_RECORD = """
    INSERT INTO eventstore_commandrecord
        (id, name, actor, received_at, outcome, reason, message, stream, version, event_count, fingerprint, seal,
         position{})
"""
INSERT_COMMAND = f"{_RECORD.format('')} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
# PostgreSQL writes an event, its command record and a snapshot, if one is due, in one statement, hence in one round
# trip and without BEGIN. What the event's row says is not sent again.
_AT_ONCE = {
    (insert, with_snapshot): f"""
        WITH recorded AS ({insert}, stream, version, command_id)
            {f", kept AS ({snapshots.UPSERT_WITH})" if with_snapshot else ""}
        {_RECORD.format(", transaction_id")}
        SELECT command_id, %s, %s, %s::timestamptz, 'accepted', '', '', stream, version, 1, %s::bytea, %s::bytea,
            position, transaction_id
        FROM recorded
        RETURNING position, transaction_id
    """
    for insert in (_INSERT_FIRST["postgresql"], _INSERT_NEXT["postgresql"])
    for with_snapshot in (False, True)
}


class Draft:
    """An event on its way into the log: all that its row says but position and transaction id."""

    __slots__ = ("_data", "_facts", "_values", "_vendor", "command", "hash", "previous", "stream", "version")

    def __init__(
        self,
        vendor: str,
        stream: str,
        version: int,
        event: NewEvent,
        command: Envelope,
        moment: datetime,
        previous: bytes,
    ) -> None:
        self.stream, self.version, self.command, self.previous = stream, version, command, previous
        self._vendor, self._data = vendor, dict(event.data)
        check_storable(f"{stream} {event.type} {command.name} {command.actor}")
        check_storable(self._data)
        if event.circumstances:
            check_storable(dict(event.circumstances))
        self._facts = {**event.circumstances, "actor": command.actor, "correlation_id": str(command.id)}
        texts = canonical(self._data), canonical(self._facts)
        said, at = (event.type, event.schema_version, *texts, command.id.hex), moment_text(moment)
        self.hash = row_hash(previous, stream, version, *said, at)
        recorded_at = column_of_text(at) if vendor == "sqlite" else at
        self._values: list[Any] = [stream, version, *said, recorded_at, self.hash]

    def insert(self) -> tuple[str, list[Any]]:
        """Return the statement that inserts it, and its values."""
        vendor, values = self._vendor, self._values
        if self.previous == GENESIS:
            return _INSERT_FIRST[vendor], values if vendor == "sqlite" else [*values, self.stream]
        said = values if vendor == "sqlite" else values[2:]  # PostgreSQL has stream and version of the event before it
        return _INSERT_NEXT[vendor], [*said, self.stream, self.version - 1, self.previous]

    def recorded(self, row: Sequence[int] | None) -> RecordedEvent:
        """Return the event with the position and transaction id that the database gave it, as one that was read.

        Raises:
            WrongExpectedVersion: the database gave none, as the event before it is another one or not there, or
                somebody has a turn at the stream.
        """
        if row is None:
            raise WrongExpectedVersion(f"{self.stream} is not at version {self.version - 1}")
        position, transaction_id = row
        stream, version, event_type, schema_version, _, _, command_id, moment, digest = self._values
        if self._vendor == "sqlite":
            moment += "+00:00"
        return RecordedEvent(
            position, stream, version, event_type, schema_version, self._data, self._facts, command_id, moment,
            transaction_id, digest,
        )  # fmt: skip


def insert_event(cursor: CursorWrapper, draft: Draft) -> RecordedEvent:
    """Write an event's row, within the caller's transaction.

    Raises:
        WrongExpectedVersion, or what the database says of it: see `errors.meaning_of`.
    """
    cursor.execute(*draft.insert())
    return draft.recorded((cursor.lastrowid, 0) if cursor.db.vendor == "sqlite" else cursor.fetchone())


def insert_at_once(
    connection: BaseDatabaseWrapper, draft: Draft, snapshot: Sequence[Any] | None, *, commits: bool
) -> RecordedEvent:
    """Write an event's row, that of its command and that of a snapshot, if any, in one statement, on PostgreSQL.

    Args:
        commits: it is the last one of a transaction.
    """
    insert, values = draft.insert()
    outcome = ("accepted", "", "", draft.stream, draft.version, 1)
    record = command_values(connection, draft.command, outcome, draft.hash)
    _, name, actor, received_at, *_, fingerprint, seal = record
    statement = _AT_ONCE[insert, snapshot is not None]
    values = [*values, *(snapshot or ()), name, actor, received_at, fingerprint, seal]
    return draft.recorded(prepared.numbers(connection, statement, values, commits=commits))


def command_values(
    connection: BaseDatabaseWrapper, command: Envelope, outcome: Sequence[Any], last_hash: bytes
) -> list[Any]:
    """Return the values of a command's row, but its position; see `hashing.command_text`."""
    command_id, name, actor, received_at, fingerprint = command
    key, at = command_id.hex, moment_text(received_at)
    seal = seals.seal(record_text(key, name, actor, at, fingerprint, outcome, last_hash))
    moment = column_of_text(at) if connection.vendor == "sqlite" else at
    return [key, name, actor, moment, *outcome, fingerprint, seal]


def recorded_event(row: Sequence[Any]) -> RecordedEvent:
    """Return the event of a row, in which SQLite and PostgreSQL differ in a few types."""
    return recorded_events([row])[0]


def recorded_events(rows: Sequence[Sequence[Any]]) -> list[RecordedEvent]:
    """Return the events of rows; the JSON of all is read as one text, which takes a third of the time."""
    return [
        RecordedEvent(position, stream, version, type_, schema_version, data, metadata, command_id,
                      recorded_at if isinstance(recorded_at, str) else utc(recorded_at), transaction_id, bytes(digest))
        for (position, stream, version, type_, schema_version, _, metadata, command_id, recorded_at, transaction_id,
             digest), data in zip(rows, _json([row[5] for row in rows]), strict=True)
    ]  # fmt: skip


def columns_of(rows: Sequence[Sequence[Any]]) -> Columns:
    """Return the columns of rows, of which there is one at least."""
    positions, versions, types, schemas, data, moments, *others = zip(*rows, strict=True)
    if not isinstance(moments[0], str):
        moments = tuple(map(utc, moments))
    return Columns(positions, versions, types, schemas, _json(data), moments, *others)


def parsed(raw: Sequence[dict[str, Any] | str]) -> Sequence[dict[str, Any]]:
    """Return the metadata of events, all of which the database gave as text, or none."""
    return _json(raw) if raw and isinstance(raw[0], str) else cast("Sequence[dict[str, Any]]", raw)


def _json(texts: Sequence[Any]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    return values


def time_column(vendor: str, raw: datetime | str) -> datetime | str:
    """Return a moment, as a database gave it, in the form in which a column of this kind of database takes it."""
    if isinstance(raw, str):
        return raw[: -len("+00:00")] if vendor == "sqlite" else datetime.fromisoformat(raw)
    return to_column(vendor, raw)


def column_of_text(text: str) -> str:
    """Return a moment as SQLite's columns take it, given its one text."""
    seconds, micros = text[:19].replace("T", " "), text[19:26]
    return seconds if micros == ".000000" else seconds + micros


def to_column(vendor: str, moment: datetime) -> datetime | str:
    """Return a moment as this kind of database takes it in plain SQL, as Django's own adapter does, but sooner."""
    return column_of_text(moment_text(moment)) if vendor == "sqlite" else moment


def utc(moment: datetime) -> datetime:
    """Return a moment, naive or not as the databases give it, in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
