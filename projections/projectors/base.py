"""What all projectors have in common: they add up what events do to the rows of a table, and write that."""

from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any, ClassVar

from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from .batches import Batch

ROWS = 1000
"""How many rows are handed to the database at a time."""

type Changes = dict[Any, Any]
"""What is to be written, by the rows' primary keys."""


class Projector:
    """Keeps one table. `suffix` names another table of the same shape, in which a replay builds it anew.

    It has no state of its own: what it has added up is handed to it.
    """

    name: ClassVar[str]
    model: ClassVar[type[Model]]
    statement: ClassVar[str]
    tells_origin: ClassVar[bool] = False
    """Whether its rows say where they come from; see `Batch.origins`."""
    most_waiting: ClassVar[int] = 1
    """How many rows a replay lets wait, because what comes later may change the same ones."""

    def __init__(self, suffix: str = "") -> None:
        self.table = self.model._meta.db_table + suffix
        self.sql = self.statement.format(table=self.table)

    def apply(self, cursor: CursorWrapper, batch: Batch, waiting: Changes | None = None) -> None:
        """Write what a batch does to the table. With `waiting`, add it to what waits there until that is much."""
        changes = {} if waiting is None else waiting
        self.fold(changes, batch)
        if changes and (waiting is None or len(waiting) >= self.most_waiting):
            self.write(cursor, changes)
            changes.clear()

    def write(self, cursor: CursorWrapper, changes: Changes) -> None:
        """Write what batches have added up to."""
        if len(changes) == 1:
            for row in self.rows(cursor, changes):
                cursor.execute(self.sql, row)
        elif changes:
            for rows in batched(self.rows(cursor, changes), ROWS, strict=False):
                cursor.executemany(self.sql, list(rows))

    def fold(self, changes: Changes, batch: Batch) -> None:
        """Add what a batch does to what the ones before it do."""
        raise NotImplementedError

    def rows(self, cursor: CursorWrapper, changes: Changes) -> Iterable[Sequence[Any]]:
        """Return the values for the statement, row by row."""
        raise NotImplementedError
