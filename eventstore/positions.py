"""Where things stand in the whole log, in the order in which it is read.

On SQLite one writer at a time makes that the order of positions. On PostgreSQL a lower position can commit after
a higher one, so it goes by transaction first; see `store.read_all`. Here every event counts, whether or not it may
be read yet.
"""

from typing import Any

from django.db import connections

from .backends.rows import READ, recorded_event
from .events import START, Place, RecordedEvent
from .store import WRITE_SIDE

_ORDER = {"sqlite": "position", "postgresql": "transaction_id, position"}
_REVERSED = {"sqlite": "position DESC", "postgresql": "transaction_id DESC, position DESC"}
_AFTER = {"sqlite": "%s IS NOT NULL AND position > %s", "postgresql": "(transaction_id, position) > (%s, %s)"}


def last_place() -> Place:
    """Return the place of the log's last event; `START` when it is empty."""
    order = _REVERSED[_vendor()]
    row = _first(f"SELECT transaction_id, position FROM eventstore_event ORDER BY {order} LIMIT 1")
    return Place(*row) if row else START


def next_after(place: Place) -> RecordedEvent | None:
    """Return the event after a place."""
    order, after = _ORDER[_vendor()], _AFTER[_vendor()]
    row = _first(f"SELECT {READ[_vendor()]} FROM eventstore_event WHERE {after} ORDER BY {order} LIMIT 1", *place)
    return row and recorded_event(row)


def count_after(place: Place, *, limit: int = 1000) -> int:
    """Return how many events come after a place, counting no further than `limit`."""
    after = _AFTER[_vendor()]
    counted = f"(SELECT 1 FROM eventstore_event WHERE {after} LIMIT %s) AS counted"
    return int(_first(f"SELECT COUNT(*) FROM {counted}", *place, limit)[0])


def _vendor() -> str:
    return connections[WRITE_SIDE].vendor


def _first(statement: str, *values: Any) -> Any:
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()
