"""What time it is for whatever is recorded. One place, so that a test or a demonstration can set it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_set_to: ContextVar[datetime | None] = ContextVar("clock", default=None)


def now() -> datetime:
    """Return the present moment in UTC."""
    return _set_to.get() or datetime.now(UTC)


@contextmanager
def set_to(moment: datetime) -> Iterator[None]:
    """Make it this moment, an aware datetime, within the block and this thread."""
    token = _set_to.set(moment)
    try:
        yield
    finally:
        _set_to.reset(token)
