"""The clock by which access decides: the one that all web servers share, so that none ends what another began."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

shared: list[Callable[[], float]] = []
"""What returns the shared Unix time. `bank.apps` fills it in, because access knows nothing of the event store."""


def seconds() -> float:
    """Return the Unix time."""
    return shared[0]() if shared else time.time()


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.fromtimestamp(seconds(), UTC)
