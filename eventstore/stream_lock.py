"""Turns: who loads, decides and appends at a stream with nobody else beside it.

On SQLite a turn is the file's own lock. On PostgreSQL it is a lock on the stream's name, which goes in one message with
the first thing that is read, as the commit goes in one with the append: what others wait for are two round trips.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connections

from .backends import prepared
from .backends.postgresql import WRITE_SIDE
from .backends.rows import TURN
from .backends.transactions import writing

LONGEST_TURN = 5000
"""Milliseconds that a writer waits for its turn at a stream, or any other lock, on PostgreSQL.

SQLite's time-out is in the settings.
"""
HEAD_START = 0.01
"""Seconds that a writer who has lost a race leaves to whoever has won it, on PostgreSQL.

Who has just written at a stream knows what it adds up to, and writes again in one round trip, several times as fast as
writers that take turns one event each. Those who wait do so one after the other, so each of them comes next in time:
the last of eight after some 0.1 seconds, up to which an answer seems to come at once (Nielsen, Usability Engineering,
1993).
"""
_TURN = TURN.format("%s")
_TAKE = f"SELECT pg_advisory_xact_lock({_TURN})"
_STAND_BACK = f"""
    SELECT pg_advisory_xact_lock(hashtextextended(%s, 1)), pg_sleep(%s::float8), pg_advisory_xact_lock({_TURN})
"""

_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


@contextmanager
def turn(stream: str, *, stands_back: bool = False) -> Iterator[None]:
    """Wait for a turn at a stream. Whoever loads, decides and appends within it does so with no other turn beside it.

    All of it is one transaction. An append is the last thing in it: PostgreSQL has committed then, SQLite does at the
    end of the block. Writers without a turn are kept out as well, on SQLite by having to wait and on PostgreSQL by
    being refused. How long is waited on PostgreSQL is for `postgresql.limited` to say.

    Args:
        stands_back: leave the stream to who is at it for `HEAD_START` more.

    Raises:
        django.db.OperationalError: the turn did not come in time, which is told by the first thing that is read on
            PostgreSQL; see `errors.is_busy`.
    """
    connection = connections[WRITE_SIDE]
    token = _has_turn.set(True)
    try:
        with writing(connection) as cursor:  # on SQLite it begins when no other writer is at work
            if connection.vendor == "postgresql":
                # The transaction gets its id with its first write, hence after the events that are read here.
                lock = (_STAND_BACK, [stream, HEAD_START, stream]) if stands_back else (_TAKE, [stream])
                if not prepared.begin_with(connection, *lock):
                    cursor.execute(*lock)
            yield
    finally:
        prepared.forget_beginning(connection)
        _has_turn.reset(token)


def has_turn() -> bool:
    """Tell whether this is within a turn."""
    return _has_turn.get()


def after_commit(do: Callable[[], object]) -> None:
    """Do something after an append has been committed: now, or within a turn when that ends."""
    if _has_turn.get():
        connections[WRITE_SIDE].on_commit(do)
    else:
        do()
