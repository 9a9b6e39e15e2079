"""The write side's tables as verification reads them: all rows, in order, with any values.

`reader.py` reads the single rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connections

from ..bulk_reading import rows_of
from ..events import START, LogPosition
from ..rows import COLUMNS
from .findings import whole

_COMMANDS = """
    SELECT id, name, actor, {received_at}, fingerprint, outcome, reason, message, stream, version, event_count,
        position, transaction_id, seal
    FROM eventstore_commandrecord
"""
POSITION = 11
"""The column of a command record's row with the position of its last event."""


class Log:
    """The tables of one write side."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.on_sqlite = connections[using].vendor == "sqlite"

    # Raw rows: a bad row must not end the reading of the table

    def events(self) -> Iterator[Sequence[Any]]:
        """Yield the rows of all events in the order of positions. Within a stream this is the order of versions."""
        columns = COLUMNS.replace("recorded_at", self._moment("recorded_at"))
        return rows_of(self.using, f"SELECT {columns} FROM eventstore_event ORDER BY position")

    def accepted(self) -> Iterator[Sequence[Any]]:
        """Yield the rows of the records of accepted commands, by the positions of their last events."""
        statement = _COMMANDS.format(received_at=self._moment("received_at"))
        return rows_of(self.using, f"{statement} WHERE position IS NOT NULL ORDER BY position")

    def rejected(self) -> Iterator[tuple[Any, Sequence[Any]]]:
        """Yield the order key and the row of each record of a rejected command."""
        order = "rowid" if self.on_sqlite else "transaction_id"
        statement = _COMMANDS.format(received_at=self._moment("received_at")).replace("SELECT", f"SELECT {order},")
        for row in rows_of(self.using, f"{statement} WHERE position IS NULL ORDER BY {order}, id"):
            yield row[0], row[1:]

    def _moment(self, column: str) -> str:
        """Return the SQL expression for a time. It is NULL if the column's value is not a time of Python's.

        Without it the driver raises in the middle of the reading: SQLite's for a value that is not a time, psycopg for
        infinity.
        """
        if self.on_sqlite:
            return f"CASE typeof({column}) WHEN 'text' THEN CAST({column} AS TEXT) END"
        return f"CASE WHEN {column} BETWEEN '0001-01-02 00:00+00' AND '9999-12-30 00:00+00' THEN {column} END"

    # Snapshots, epochs and single values

    def snapshots(self) -> Iterator[Sequence[Any]]:
        """Yield the rows of all snapshots."""
        return rows_of(self.using, "SELECT stream, version, state, hash, seal FROM eventstore_snapshot")

    def epochs(self) -> Iterator[Sequence[Any]]:
        """Yield the number, shift and beginning of each epoch."""
        columns = f"number, shift, {self._moment('began_at')}"
        return rows_of(self.using, f"SELECT {columns} FROM eventstore_epoch ORDER BY number")

    def count(self) -> int:
        """Return the number of events."""
        return int(self._value("SELECT COUNT(*) FROM eventstore_event"))

    def settled(self) -> tuple[LogPosition, int]:
        """Return the settled ends of events and of rejected commands: no commit can add anything before them."""
        if self.on_sqlite:
            position = self._value("SELECT MAX(position) FROM eventstore_event")
            rejected = self._value("SELECT MAX(rowid) FROM eventstore_commandrecord")
            return LogPosition(0, whole(position)), whole(rejected)
        horizon = self._value("SELECT eventstore_horizon()")
        log_positions = rows_of(
            self.using,
            """SELECT transaction_id, position FROM eventstore_event WHERE transaction_id < %s
               ORDER BY transaction_id DESC, position DESC LIMIT 1""",
            [horizon],
        )
        return next((LogPosition(*row) for row in log_positions), START), horizon - 1

    def last_given(self) -> Any:
        """Return the last position that SQLite gave to an event; None on PostgreSQL, which does not store it."""
        if not self.on_sqlite:
            return None
        given = rows_of(self.using, "SELECT seq FROM sqlite_sequence WHERE name = 'eventstore_event'")
        return next((seq for (seq,) in given), 0)

    def _value(self, statement: str) -> Any:
        with connections[self.using].cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]
