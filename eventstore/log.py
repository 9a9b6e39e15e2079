"""The write side's rows, as a verification reads them: whole tables, in order, and strictly as the store wrote them."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connections

from . import seals
from .hashing import GENESIS, canonical, command_text
from .reading import rows_of
from .records import START, Envelope, Place, RecordedEvent, SnapshotOf
from .rows import COLUMNS, recorded_event, utc

_COMMANDS = """
    SELECT id, name, actor, {received_at}, fingerprint, outcome, reason, message, stream, version, event_count,
        position, transaction_id, seal
    FROM eventstore_commandrecord
"""


_POSITION = 11


class Command(NamedTuple):
    """A command record. `outcome` is its outcome, reason, message, stream, version and event count."""

    envelope: Envelope
    outcome: tuple[Any, ...]
    position: int | None
    transaction_id: int
    seal: bytes

    def misfit(self, event: RecordedEvent, count: int) -> str | None:
        """Return what is wrong with the record of an accepted command.

        Args:
            event: the last event of the command, at the record's position.
            count: how many events it has.
        """
        envelope = self.envelope
        if envelope.id != event.command_id:
            return f"the command record at its position is of another command, {envelope.id}"
        if event.metadata != {"actor": envelope.actor, "correlation_id": str(envelope.id)}:
            return "it names another actor or command than its command record does"
        if self.outcome != ("accepted", "", "", event.stream, event.version, count):
            return "its command record tells of other events"
        if self.transaction_id != event.transaction_id:
            return "its command record is of another transaction"
        return self._broken_seal(event.hash)

    def misfit_of_rejection(self) -> str | None:
        """Return what is wrong with the record of a command that has no event."""
        outcome, _, _, _, version, event_count = self.outcome
        if (outcome, version, event_count) != ("rejected", None, 0):
            return "it tells of events, but not where they are"
        return self._broken_seal(GENESIS)

    def _broken_seal(self, last_hash: bytes) -> str | None:
        try:
            seals.check(self.seal, command_text(self.envelope, self.outcome, last_hash))
        except seals.BadSeal as error:
            return f"its command record was changed: {error}"
        return None


class Log:
    """The tables of one write side."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.on_sqlite = connections[using].vendor == "sqlite"

    # Rows as they come: what can go wrong with a single one must not end the reading of all

    def events(self) -> Iterator[Sequence[Any]]:
        """Yield the rows of all events in the order of positions, which within a stream is that of versions."""
        columns = COLUMNS.replace("recorded_at", self._text("recorded_at"))
        return rows_of(self.using, f"SELECT {columns} FROM eventstore_event ORDER BY position")

    def accepted(self) -> Iterator[Sequence[Any]]:
        """Yield the rows of the records of accepted commands, by the positions of their last events."""
        statement = _COMMANDS.format(received_at=self._text("received_at"))
        return rows_of(self.using, f"{statement} WHERE position IS NOT NULL ORDER BY position")

    def rejected(self) -> Iterator[tuple[int, Sequence[Any]]]:
        """Yield the rows of the records of all other commands, each after its place among them."""
        order = "rowid" if self.on_sqlite else "transaction_id"
        statement = _COMMANDS.format(received_at=self._text("received_at")).replace("SELECT", f"SELECT {order},")
        for row in rows_of(self.using, f"{statement} WHERE position IS NULL ORDER BY {order}, id"):
            yield row[0], row[1:]

    def _text(self, column: str) -> str:
        # SQLite holds times as text, and its driver raises in the middle of the reading when one is none.
        return f"CAST({column} AS TEXT)" if self.on_sqlite else column

    # What rows say

    def event(self, row: Sequence[Any]) -> tuple[RecordedEvent, str, str]:
        """Return the event of a row with the canonical texts of its data and metadata.

        Raises:
            ValueError, TypeError: the store wrote no such row.
        """
        if not self.on_sqlite:
            event = recorded_event(row)
            return event, canonical(event.data), canonical(event.metadata)
        event = recorded_event((*row[:7], _uuid(row[7]), _moment(row[8]), *row[9:]))
        return event, row[5], row[6]

    def command(self, row: Sequence[Any], likely: UUID | None = None) -> Command:
        """Return the command record of a row, whose id is likely this one.

        Raises:
            ValueError, TypeError: the store wrote no such row.
        """
        id_, name, actor, received_at, fingerprint, *outcome, position, transaction_id, seal = row
        if self.on_sqlite:
            received_at = _moment(received_at)
            id_ = likely if likely and likely.hex == id_ else _uuid(id_)
        envelope = Envelope(id_, name, actor, utc(received_at), bytes(fingerprint))
        return Command(envelope, tuple(outcome), position, transaction_id, bytes(seal))

    # Smaller things

    def snapshots(self) -> dict[str, SnapshotOf]:
        """Return all snapshots by their streams."""
        return {
            stream: SnapshotOf(version, state if self.on_sqlite else canonical(json.loads(state)), bytes(digest))
            for stream, version, state, digest in rows_of(
                self.using, "SELECT stream, version, state, hash FROM eventstore_snapshot"
            )
        }

    def epochs(self) -> list[tuple[int, int, str]]:
        """Return the number, shift and beginning of each epoch."""
        columns = f"number, shift, {self._text('began_at')}"
        rows = rows_of(self.using, f"SELECT {columns} FROM eventstore_epoch ORDER BY number")
        return [(number, shift, str(began_at)) for number, shift, began_at in rows]

    def count(self) -> int:
        """Return the number of events."""
        return int(self._value("SELECT COUNT(*) FROM eventstore_event"))

    def settled(self) -> tuple[Place, int]:
        """Return how far nothing can come in between any more: for events, and for rejected commands."""
        if self.on_sqlite:
            position = self._value("SELECT COALESCE(MAX(position), 0) FROM eventstore_event")
            return Place(0, position), self._value("SELECT COALESCE(MAX(rowid), 0) FROM eventstore_commandrecord")
        horizon = self._value("SELECT eventstore_horizon()")
        places = rows_of(
            self.using,
            """SELECT transaction_id, position FROM eventstore_event WHERE transaction_id < %s
               ORDER BY transaction_id DESC, position DESC LIMIT 1""",
            [horizon],
        )
        return next((Place(*row) for row in places), START), horizon - 1

    def last_given(self) -> int | None:
        """Return the last position that was given to an event, where the database knows."""
        if not self.on_sqlite:
            return None
        given = rows_of(self.using, "SELECT seq FROM sqlite_sequence WHERE name = 'eventstore_event'")
        return next((int(seq) for (seq,) in given), 0)

    def _value(self, statement: str) -> Any:
        with connections[self.using].cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]


def position_of(row: Sequence[Any]) -> int:
    """Return the position that the row of a command record names; one that is no number comes after all."""
    position = row[_POSITION]
    return position if isinstance(position, int) else 2**63


def _uuid(text: str) -> UUID:
    """Return the id of a SQLite text that is written as the store writes it."""
    value = UUID(text)
    if value.hex != text:
        raise ValueError(f"{text!r} is no id as it is written here")
    return value


def _moment(text: str) -> datetime:
    """Return the moment of a SQLite text that is written as Django writes it."""
    moment = datetime.fromisoformat(text)
    if str(moment) != text:
        raise ValueError(f"{text!r} is no time as it is written here")
    return moment
