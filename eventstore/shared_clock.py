"""The shared clock of all processes of a bank, and the difference of this process's clock from it.

On PostgreSQL, the shared clock is that of the database server. SQLite has none: there, this process is behind if the
last event lies in its future, and never ahead.
"""

import time
from datetime import datetime
from typing import NamedTuple

from django.db import connections

from .backends import WRITE_SIDE, backend_of
from .rows import utc

EVERY = 60.0
"""The number of seconds for which a measurement is used, while this process's clock runs evenly."""
NOTABLE = 1.0
"""The number of seconds of a difference, or of a jump of this process's clock, above which every call measures."""
_LAST = "SELECT recorded_at FROM eventstore_event ORDER BY position DESC LIMIT 1"


class _Measured(NamedTuple):
    """A measurement of the database's clock, with the monotonic time and the offset of this process's clock."""

    database: object
    ahead: float
    at: float
    offset: float


_last: _Measured | None = None


def ahead() -> float:
    """Return the seconds by which this process's clock is ahead of the shared one; negative if it is behind.

    The database is asked once a minute. The monotonic clock shows in between whether this process's clock was set.

    Raises:
        django.db.DatabaseError
    """
    global _last
    at = time.monotonic()
    offset = time.time() - at
    known = _last
    if (
        known is None
        or known.database is not connections.settings[WRITE_SIDE]
        or not 0 <= at - known.at < EVERY
        or abs(offset - known.offset) > NOTABLE
        or abs(known.ahead) > NOTABLE
    ):
        known = _last = _Measured(connections.settings[WRITE_SIDE], _measure(), at, offset)
    return known.ahead


def now() -> float:
    """Return the shared time as a Unix time."""
    return time.time() - ahead()


def _measure() -> float:
    """Return the difference that is certain: the duration of the query does not count."""
    before = time.time()
    shared = backend_of().server_time()
    after = time.time()
    if shared is None:
        events = backend_of().rows(_LAST)
        return min(after - _moment(events[0][0]), 0.0) if events else 0.0
    measured = shared.timestamp()
    return before - measured if measured < before else min(after - measured, 0.0)


def _moment(value: datetime) -> float:
    return utc(value).timestamp()
