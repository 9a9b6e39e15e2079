"""Statements that PostgreSQL keeps prepared: to plan one anew takes as long as to carry it out.

Where a pooler stands between, the next transaction may be on another connection, so nothing is prepared there.
"""

import sys
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.base.base import BaseDatabaseWrapper

_direct: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def rows(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> list[Any]:
    """Return the rows of a statement of the path of every command, on any database; it says which types it takes."""
    if connection.vendor == "sqlite" or _is_watched(connection) or not is_direct(connection):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            found: list[Any] = cursor.fetchall()
            return found
    import psycopg  # SQLite needs none of it

    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement.encode(), values, prepare=True).fetchall()


def numbers(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> Sequence[int] | None:
    """Return the whole numbers of the one row of a statement, or None where it gives none, on PostgreSQL.

    It is what `rows` is, for the append alone.
    """
    driver = connection.connection
    if driver is None or not _direct.get(driver) or not driver.autocommit or _is_watched(connection):
        return next(iter(rows(connection, statement, values)), None)
    from . import libpq  # SQLite needs none of it

    with connection.wrap_database_errors:
        return libpq.numbers(driver, statement, values)


def _is_watched(connection: BaseDatabaseWrapper) -> bool:
    return bool(connection.execute_wrappers) or connection.queries_logged


def is_direct(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether a connection is one to the server itself: a pooler knows no process of the server to tell of."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    driver: Any = connection.connection
    if driver not in _direct:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            _direct[driver] = cursor.fetchone()[0] == driver.info.backend_pid
        if _direct[driver]:
            driver.prepare_threshold = sys.maxsize  # what asks for it is prepared, and nothing else
    return _direct[driver]
