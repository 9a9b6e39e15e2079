"""Stream locks: within a lock, a writer loads, decides and appends while no other writer can append to the stream."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import IntegrityError
from django.db.backends.utils import CursorWrapper

from .backends import backend_of
from .errors import meaning_of


class StreamLock:
    """The lock of one stream, held within the block of `stream_lock`.

    A read within the block returns the latest state. `store.append` writes in its transaction.
    """

    def __init__(self, stream: str, cursor: CursorWrapper) -> None:
        self.stream = stream
        self.cursor = cursor
        self.after_commit: list[Callable[[], object]] = []
        """The functions to call after the commit, in this order."""


@contextmanager
def stream_lock(stream: str, *, stand_back: bool = False) -> Iterator[StreamLock]:
    """Wait for the lock of a stream, and hold it within the block, which is one transaction.

    The lock also keeps out writers without it: SQLite makes them wait, PostgreSQL refuses their append.

    Args:
        stand_back: let the last writer of the stream append again first.

    Raises:
        django.db.OperationalError: the lock was not free in time; see `errors.is_busy`.
        StoreError: the database refused the append at the commit.
    """
    try:
        with backend_of().stream_lock(stream, stand_back=stand_back) as cursor:
            lock = StreamLock(stream, cursor)
            yield lock
    except IntegrityError as error:
        if meaning := meaning_of(error):
            raise meaning(stream) from error
        raise
    for call in lock.after_commit:
        call()


def after_commit(lock: StreamLock | None, call: Callable[[], object]) -> None:
    """Call a function after the commit of an append: at once, or at the end of the lock's block."""
    if lock is None:
        call()
    else:
        lock.after_commit.append(call)
