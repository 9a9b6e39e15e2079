"""The end of the log, and the events after a log position.

Except for `last_readable`, these functions count every event, readable or not; see `store.read_all` for the order.
"""

from .backends import WRITE_SIDE, backend_of
from .events import START, LogPosition, RecordedEvent
from .rows import COLUMNS, recorded_events


def last_log_position() -> LogPosition:
    """Return the log position of the last event, or `START` if the log is empty."""
    return _last_where("TRUE")


def last_readable() -> LogPosition:
    """Return the log position up to which `store.read_all` reads, or `START`."""
    return _last_where(backend_of().is_readable)


def _last_where(condition: str) -> LogPosition:
    backend = backend_of()
    latest_first = ", ".join(f"{column} DESC" for column in backend.log_order.split(", "))
    rows = backend.rows(
        f"SELECT transaction_id, position FROM eventstore_event WHERE {condition} ORDER BY {latest_first} LIMIT 1"
    )
    return LogPosition(*rows[0]) if rows else START


def next_after(position: LogPosition) -> RecordedEvent | None:
    """Return the event after a log position, or None."""
    backend = backend_of()
    after, order = backend.log_after, backend.log_order
    statement = f"SELECT {COLUMNS} FROM eventstore_event WHERE {after} ORDER BY {order} LIMIT 1"
    return next(iter(recorded_events(backend.rows(statement, backend.values_of(position)))), None)


def event_at(position: int) -> RecordedEvent | None:
    """Return the event at a position, or None."""
    rows = backend_of().rows(f"SELECT {COLUMNS} FROM eventstore_event WHERE position = %s", [position])
    return next(iter(recorded_events(rows)), None)


def lowest_after(position: LogPosition, *, using: str = WRITE_SIDE) -> int | None:
    """Return the lowest position of the events after a log position, or None if there are none."""
    backend = backend_of(using)
    statement = f"SELECT MIN(position) FROM eventstore_event WHERE {backend.log_after}"
    lowest: int | None = backend.rows(statement, backend.values_of(position))[0][0]
    return lowest


def first_held_back() -> RecordedEvent | None:
    """Return the first event that an open transaction holds back, or None."""
    backend = backend_of()
    statement = (
        f"SELECT {COLUMNS} FROM eventstore_event WHERE NOT ({backend.is_readable}) ORDER BY {backend.log_order} LIMIT 1"
    )
    return next(iter(recorded_events(backend.rows(statement))), None)


def count_after(position: LogPosition, *, limit: int = 1000) -> int:
    """Return the number of events after a log position, at most `limit`."""
    backend = backend_of()
    counted = f"(SELECT 1 FROM eventstore_event WHERE {backend.log_after} LIMIT %s) AS counted"
    return int(backend.rows(f"SELECT COUNT(*) FROM {counted}", [*backend.values_of(position), limit])[0][0])
