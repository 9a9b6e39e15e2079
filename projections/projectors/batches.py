"""Events as projectors take them: by columns, in the bank's words.

An object for each event would cost more than most projectors do with it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bank.domain.events import BankEvent, decode_columns
from eventstore.backends.rows import parsed
from eventstore.events import Columns, Place, RecordedEvent

type Origin = tuple[int, int, datetime | str, str, str]


class Batch:
    """Events that follow one another in the log; there is one at least.

    Attributes:
        kinds: the class of each event.
        values: the values of the fields of its class, in their order; the first is the account's id.
        versions: its version.
        moments: when it was recorded, as the database gives it; see `eventstore.backends.rows.time_column`.
    """

    __slots__ = ("_columns", "_origins", "kinds", "moments", "values", "versions")

    kinds: list[type[BankEvent]]
    values: list[tuple[Any, ...]]

    def __init__(self, columns: Columns) -> None:
        """Take events as the log has them.

        Raises:
            UnknownEvent
        """
        self._columns, self.versions, self.moments = columns, columns.versions, columns.raw_recorded_at
        self._origins: list[Origin] = []
        self.kinds, self.values = decode_columns(columns.types, columns.schema_versions, columns.data)

    @classmethod
    def of(cls, events: Sequence[RecordedEvent]) -> "Batch":
        """Return the batch of these events."""
        return cls(Columns.of(events))

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def positions(self) -> Sequence[int]:
        return self._columns.positions

    @property
    def last(self) -> Place:
        """The place of the last event."""
        return self._columns.last

    def until(self, place: Place) -> "Batch | None":
        """Return the batch of the events up to a place, if there are any; they come in the order of the log."""
        if self.last <= place:
            return self
        places = zip(self._columns.transaction_ids, self.positions, strict=True)
        count = sum(each <= place for each in places)
        return Batch(self._columns.first(count)) if count else None

    @property
    def origins(self) -> Sequence[Origin]:
        """What lines say of where they come from: position, version, moment, actor, command id."""
        if not self._origins:
            actors = [metadata["actor"] for metadata in parsed(self._columns.raw_metadata)]
            ids = [raw if isinstance(raw, str) else raw.hex for raw in self._columns.raw_command_ids]
            self._origins = list(zip(self.positions, self.versions, self.moments, actors, ids, strict=True))
        return self._origins
