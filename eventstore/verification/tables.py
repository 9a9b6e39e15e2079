"""The write side's tables for verification: all rows, in order, with any values.

`reader.py` reads the single rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ..backends import backend_of
from ..rows import COLUMNS

_COMMANDS = """
    SELECT id, name, actor, {received_at}, fingerprint, outcome, reason, message, stream, version, event_count,
        position, transaction_id, causation, seal
    FROM eventstore_commandrecord
"""
POSITION, CAUSATION = 11, 13
"""The columns of a command record's row with the position of its last event, and with the event that led to it."""


class Log:
    """The tables of one write side, in raw rows: a bad row does not end the reading of a table."""

    def __init__(self, using: str) -> None:
        self.backend = backend_of(using)
        self._moment = self.backend.moment_or_null.format

    def events(self) -> Iterator[Sequence[Any]]:
        """Yield the rows of all events in the order of positions. Within a stream this is the order of versions."""
        columns = COLUMNS.replace("recorded_at", self._moment("recorded_at"))
        return self.backend.chunked_rows(f"SELECT {columns} FROM eventstore_event ORDER BY position")

    def accepted(self) -> Iterator[Sequence[Any]]:
        """Yield the rows of the records of accepted commands, by the positions of their last events."""
        statement = _COMMANDS.format(received_at=self._moment("received_at"))
        return self.backend.chunked_rows(f"{statement} WHERE position IS NOT NULL ORDER BY position")

    def rejected(self) -> Iterator[tuple[Any, Sequence[Any]]]:
        """Yield the order key and the row of each record of a rejected command."""
        order = self.backend.record_order
        statement = _COMMANDS.format(received_at=self._moment("received_at")).replace("SELECT", f"SELECT {order},")
        for row in self.backend.chunked_rows(f"{statement} WHERE position IS NULL ORDER BY {order}, id"):
            yield row[0], row[1:]

    def snapshots(self) -> Iterator[Sequence[Any]]:
        """Yield the rows of all snapshots."""
        return self.backend.chunked_rows("SELECT stream, version, state, hash, seal FROM eventstore_snapshot")

    def epochs(self) -> Iterator[Sequence[Any]]:
        """Yield the number, shift and beginning of each epoch."""
        columns = f"number, shift, {self._moment('began_at')}"
        return self.backend.chunked_rows(f"SELECT {columns} FROM eventstore_epoch ORDER BY number")

    def count(self) -> int:
        """Return the number of events."""
        [(count,)] = self.backend.chunked_rows("SELECT COUNT(*) FROM eventstore_event")
        return int(count)
