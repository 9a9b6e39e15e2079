"""The clock of access control. All web servers share it, so that they agree on every time limit."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

shared: list[Callable[[], float]] = []
"""The function that returns the shared Unix time. `bank.apps` sets it, because access does not know the event store."""


def seconds() -> float:
    """Return the Unix time."""
    return shared[0]() if shared else time.time()


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.fromtimestamp(seconds(), UTC)
