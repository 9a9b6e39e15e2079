"""The time limit for this thread's waits for locks.

A command of `manage.py` waits as long as its connection allows. A web request limits the sum of its waits, because a
user is waiting.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline = ContextVar("deadline", default=math.inf)


@contextmanager
def waits_limited_to(seconds: float) -> Iterator[None]:
    """Limit the sum of all waits within the block to `seconds` from now."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def end_of_wait(patience: float) -> float:
    """Return the monotonic time at which a wait of `patience` seconds that begins now must end."""
    return min(time.monotonic() + patience, _deadline.get())


def milliseconds_left(most: int) -> int:
    """Return how long a wait that begins now may last: at most `most`, and at least one."""
    return max(1, round(1000 * (end_of_wait(most / 1000) - time.monotonic())))
