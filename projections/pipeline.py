"""A transaction of PostgreSQL's in as few messages as it has answers that are read, its statements prepared.

For the few events of a command Django's and psycopg's cursors, and planning each statement anew, take several times as
long as what the statements do.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from eventstore.backends import postgresql, prepared

LONGEST_WAIT = 5000
"""Milliseconds that a web process waits for a lock of PostgreSQL's before it leaves projections to the next wake-up."""
_BEGIN = [("BEGIN", ()), (f"SET LOCAL lock_timeout = {LONGEST_WAIT}", ())]


class Messages:
    """What of a cursor the projectors use. Nothing is sent before it is asked for."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.db = connection
        self._statements: list[tuple[str, Sequence[Any]]] = list(_BEGIN)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._statements.append((sql, values))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._statements += [(sql, row) for row in rows]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Send what waits, and return the rows of the last statement."""
        statements, self._statements = self._statements, []
        with self.db.wrap_database_errors:
            session = prepared.session(self.db)
            return cast("list[tuple[Any, ...]]", session.rows(session.execute(*statements)[-1]))


@contextmanager
def transaction(connection: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    """Return a transaction with such a cursor for it, on a connection that keeps statements prepared."""
    from psycopg.pq import TransactionStatus

    connection.validate_no_atomic_block()
    driver = cast("Any", connection.connection)
    cursor = Messages(connection)
    try:
        yield cast("CursorWrapper", cursor)
        cursor.execute("COMMIT")
        cursor.fetchall()
    except BaseException:
        if not driver.closed and driver.info.transaction_status != TransactionStatus.IDLE:
            driver.rollback()
        raise


def sending(cursor: CursorWrapper) -> AbstractContextManager[Any]:
    """Send the statements of a block in as few messages as its cursor can."""
    return nullcontext() if isinstance(cursor, Messages) else postgresql.pipelined(cursor.db)
