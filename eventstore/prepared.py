"""Statements that PostgreSQL keeps prepared: to plan one anew takes as long as to carry it out.

Where a pooler stands between, the next transaction may be on another connection, so nothing is prepared there.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.base.base import BaseDatabaseWrapper

_direct: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""`libpq`, of which SQLite needs nothing, for each connection to the server itself, and None for one to a pooler."""
_beginnings: WeakKeyDictionary[Any, list[tuple[str, Sequence[Any]]]] = WeakKeyDictionary()
"""What goes before the next statement of a connection, in one message with it."""


def begin_with(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> bool:
    """Let a transaction begin with a statement, in one message with the next one that goes through here.

    Tell whether that can be done on this connection.
    """
    if not is_direct(connection) or _is_watched(connection):
        return False
    _beginnings[connection.connection] = [(statement, values)]
    return True


def forget_beginning(connection: BaseDatabaseWrapper) -> None:
    """Forget it where no such statement has come."""
    if connection.vendor == "postgresql" and connection.connection is not None:
        _beginnings.pop(connection.connection, None)


def rows(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> list[Any]:
    """Return the rows of a statement of the path of every command, on any database; it says which types it takes."""
    if not keeps(connection):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())
    connection.validate_no_broken_transaction()
    driver: Any = connection.connection
    libpq = _direct[driver]
    with connection.wrap_database_errors:
        [*_, result] = libpq.execute(driver, *_beginnings.pop(driver, []), (statement, values))
        return list(libpq.rows(driver, result))


def numbers(
    connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any], *, commits: bool
) -> Sequence[int] | None:
    """Return the whole numbers of the one row of a statement, or None where it gives none, on PostgreSQL.

    It is what `rows` is, for the append alone.

    Args:
        commits: it is the last one of a transaction, whose commit goes in one message with it.
    """
    driver: Any = connection.connection
    libpq = _direct.get(driver) if driver else None
    if libpq is None or driver.autocommit is commits or _is_watched(connection):
        return next(iter(rows(connection, statement, values)), None)
    beginning, end = _beginnings.pop(driver, []), [libpq.COMMIT] if commits else []
    with connection.wrap_database_errors:
        found: Sequence[int] | None = libpq.numbers(
            libpq.execute(driver, *beginning, (statement, values), *end)[len(beginning)]
        )
    return found


def keeps(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether statements are kept prepared on a connection, and nobody watches them."""
    return connection.vendor == "postgresql" and not _is_watched(connection) and is_direct(connection)


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
            is_server = cursor.fetchone()[0] == driver.info.backend_pid
        if is_server:
            driver.prepare_threshold = sys.maxsize  # what asks for it is prepared, and nothing else
        _direct[driver] = import_module("eventstore.libpq") if is_server else None
    return _direct[driver] is not None
