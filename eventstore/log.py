"""The write side's rows, as a verification reads them: whole tables, in order. `strict.py` says what the rows say."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connections

from .hashing import canonical
from .reading import rows_of
from .records import START, Place, SnapshotOf
from .rows import COLUMNS

_COMMANDS = """
    SELECT id, name, actor, {received_at}, fingerprint, outcome, reason, message, stream, version, event_count,
        position, transaction_id, seal
    FROM eventstore_commandrecord
"""


_POSITION = 11


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
