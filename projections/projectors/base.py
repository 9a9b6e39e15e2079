"""The base class of projectors: fold events into changes of a table's rows, then write the rows.

A projector reads only its own table, and no clock but the times of events. The engine passes it each event exactly
once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from bank.domain.events import BankEvent
from bank.domain.streams import OfAccount, OfTill
from eventstore.backends import backend_of
from eventstore.events import RecordedEvent

from ..replicas import READ_SIDE

ROWS = 1000
"""The largest number of rows in one call of the database driver."""

type Batch = Sequence[tuple[BankEvent, RecordedEvent]]
"""Events in the order of the log, each decoded and as recorded."""
type Adapt = Callable[[Any], Any]
type Changes = dict[Any, Any]
"""The changes of a batch by primary key, in a form of the projector's own."""


class Projector:
    """The code that writes one table of the read side, from the events of one aggregate.

    Args:
        suffix: the suffix of another table of the same shape, which a replay builds.
    """

    name: ClassVar[str]
    folds: ClassVar[type[OfAccount] | type[OfTill]]
    """The base class of the events that it folds: those of one aggregate. It passes over all others."""
    model: ClassVar[type[Model]]
    columns: ClassVar[Sequence[str]]
    """The columns that `rows` fills, in this order, the primary key first."""
    updates: ClassVar[Mapping[str, str]] = {}
    """The columns that change if the row exists, each with the SQL expression of its new value.

    `live` is the existing row, `excluded` the new one. Empty if no row is ever written twice.
    """
    constant: ClassVar[Sequence[str]] = ()
    """The other columns of such a table. They keep their first value."""

    index: ClassVar[str] = ""
    """The name of the index that the INSERT statement reads, if it reads one."""

    @classmethod
    def built_with(cls) -> str:
        """Return what the rows depend on besides the events: a version of the projector, or a setting.

        A table built with another value is stale until a replay rebuilds it.
        """
        return ""

    def as_built(self, built_with: str) -> "Projector":
        """Return a projector that continues a live table built with this value, so that all its rows are alike.

        A projector without this ability returns itself.
        """
        return self

    def __init_subclass__(cls) -> None:
        """Check that the projector fills and updates exactly the columns of its model.

        Raises:
            ImproperlyConfigured: a column of the model is missing, or a named column is not in the model.
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
            if isinstance(event, self.folds):
                self.fold(changes, event, recorded)
        if not changes:
            return
        for rows in batched(self.rows(changes, backend_of(READ_SIDE).adapt), ROWS):
            if len(rows) == 1:
                cursor.execute(self.insert, rows[0])
            else:
                cursor.executemany(self.insert, list(rows))

    def fold(self, changes: Changes, event: Any, recorded: RecordedEvent) -> None:
        """Add the changes of one event, of the class that `folds` names, to those of the events before it."""
        raise NotImplementedError

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        """Return the rows of the INSERT statement.

        Args:
            adapt: converts a datetime or UUID to the form that the driver takes.
        """
        raise NotImplementedError


def added_up(columns: Iterable[str]) -> Mapping[str, str]:
    """Return `updates` that add a row's values to those of the existing row."""
    return {column: f"live.{column} + excluded.{column}" for column in columns}
