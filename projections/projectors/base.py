"""The base class of projectors: fold events into changes of a table's rows, then write the rows.

A projector reads no table but its own and no clock but the events'. The engine hands it each event exactly once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from bank.domain.events import BankEvent
from eventstore.backends import backend_of
from eventstore.events import RecordedEvent

from ..replicas import READ_SIDE

ROWS = 1000
"""The number of rows that one call hands to the database driver."""

type Batch = Sequence[tuple[BankEvent, RecordedEvent]]
"""Events in the order of the log, each decoded and as recorded."""
type Adapt = Callable[[Any], Any]
type Changes = dict[Any, Any]
"""The changes of a batch by primary key, in a form of the projector's own."""


class Projector:
    """Keeps one table of the read side.

    Args:
        suffix: names another table of the same shape, into which a replay projects.
    """

    name: ClassVar[str]
    model: ClassVar[type[Model]]
    columns: ClassVar[Sequence[str]]
    """The columns that `rows` fills, in this order, the primary key first."""
    updates: ClassVar[Mapping[str, str]] = {}
    """Where a row may exist already: for each column that changes then, the SQL expression of its value.

    `live` is the row that exists, `excluded` the new one. Empty where a row is never written twice."""
    constant: ClassVar[Sequence[str]] = ()
    """The other columns of such a table, which keep their first value."""

    @classmethod
    def built_with(cls) -> str:
        """Return what the rows depend on besides the events: a version of the projector's own, or a setting.

        A table that was built with another value is stale until a replay rebuilds it.
        """
        return ""

    def as_built(self, built_with: str) -> "Projector":
        """Return the projector that goes on with a live table that was built with this value, so that rows stay alike.

        A projector that cannot do so returns itself.
        """
        return self

    def __init_subclass__(cls) -> None:
        """Check that the projector fills, and updates, the columns of its model.

        Raises:
            ImproperlyConfigured: a column of the model is forgotten, or a column is named that the model lacks.
        """
        there = {str(field.column) for field in cls.model._meta.concrete_fields}
        statements = {"fills": set(cls.columns)}
        if cls.updates:
            statements["updates or declares constant"] = {cls.columns[0], *cls.updates, *cls.constant}
        for what, named in statements.items():
            if differing := named ^ there:
                raise ImproperlyConfigured(
                    f"{cls.__name__} {what} other columns than {cls.model.__name__} has: {', '.join(sorted(differing))}"
                )

    def __init__(self, suffix: str = "") -> None:
        self.table = self.model._meta.db_table + suffix
        values = ", ".join(self.value(column) for column in self.columns).format(table=self.table)
        columns = ", ".join(self.columns)
        self.insert = f"INSERT INTO {self.table} AS live ({columns}) VALUES ({values})"
        if self.updates:
            updates = ", ".join(f"{column} = {value}" for column, value in self.updates.items())
            self.insert += f" ON CONFLICT ({self.columns[0]}) DO UPDATE SET {updates}"

    def value(self, column: str) -> str:
        """Return the SQL expression of a column's value."""
        return "%s"

    def apply(self, cursor: CursorWrapper, batch: Batch) -> None:
        """Write the changes of a batch to the table."""
        changes: Changes = {}
        for event, recorded in batch:
            self.fold(changes, event, recorded)
        if not changes:
            return
        for rows in batched(self.rows(changes, backend_of(READ_SIDE).adapt), ROWS):
            if len(rows) == 1:
                cursor.execute(self.insert, rows[0])
            else:
                cursor.executemany(self.insert, list(rows))

    def fold(self, changes: Changes, event: BankEvent, recorded: RecordedEvent) -> None:
        """Add the changes of one event to those of the events before it."""
        raise NotImplementedError

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        """Return the values of the INSERT statement, row by row.

        Args:
            adapt: makes of a moment or a UUID what the database takes.
        """
        raise NotImplementedError


def added_up(columns: Iterable[str]) -> Mapping[str, str]:
    """Return `updates` that add a row's values to those of the row that exists."""
    return {column: f"live.{column} + excluded.{column}" for column in columns}
