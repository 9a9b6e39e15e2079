"""The time that this thread may still spend waiting for locks of SQLite.

A command of `manage.py` waits as long as its connection allows. A web request sets a limit for all its waits together,
because somebody looks at the screen.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline = ContextVar("deadline", default=math.inf)


@contextmanager
def waits_limited_to(seconds: float) -> Iterator[None]:
    """Let all waits within the block end after `seconds`, counted from its beginning."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def end_of_wait(patience: float) -> float:
    """Return the monotonic time at which a wait of `patience` seconds that begins now has to end."""
    return min(time.monotonic() + patience, _deadline.get())
