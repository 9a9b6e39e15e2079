"""The base class of projectors: fold events into changes of a table's rows, then write the rows.

A projector reads no table but its own and no clock but the events'. The engine hands it each event exactly once.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import batched
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from bank.domain.events import BankEvent
from eventstore.backends import backend_of
from eventstore.events import RecordedEvent

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
    """The columns that `rows` fills, in this order."""
    on_conflict: ClassVar[str] = ""
    """The end of the INSERT statement, where a row may exist already. It calls the table `live`."""

    @classmethod
    def built_with(cls) -> str:
        """Return what the rows depend on besides the events: a version of the projector's own, or a setting.

        A table that was built with another value is stale until a replay rebuilds it.
        """
        return ""

    def __init_subclass__(cls) -> None:
        """Hold the columns to the model's.

        Raises:
            ImproperlyConfigured: the model has a column that the projector does not fill, or the other way round.
        """
        filled, there = set(cls.columns), {str(field.column) for field in cls.model._meta.concrete_fields}
        if filled != there:
            raise ImproperlyConfigured(
                f"The projector {cls.name!r} and {cls.model.__name__} differ in: {', '.join(sorted(filled ^ there))}"
            )

    def __init__(self, suffix: str = "") -> None:
        self.table = self.model._meta.db_table + suffix
        values = ", ".join(self.value(column) for column in self.columns).format(table=self.table)
        columns = ", ".join(self.columns)
        self.insert = f"INSERT INTO {self.table} AS live ({columns}) VALUES ({values}) {self.on_conflict}"

    def value(self, column: str) -> str:
        """Return the SQL expression of a column's value."""
        return "%s"

    def apply(self, cursor: CursorWrapper, batch: Batch) -> None:
        """Write the changes of a batch to the table."""
        changes: Changes = {}
        for event, recorded in batch:
            self.fold(changes, event, recorded)
        for rows in batched(self.rows(changes, backend_of(cursor.db.alias).adapt), ROWS):
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


def added_up(columns: Iterable[str]) -> str:
    """Return assignments that add a row's values to those of the row that exists."""
    return ", ".join(f"{column} = live.{column} + excluded.{column}" for column in columns)
