"""Statements that PostgreSQL keeps prepared: to plan one anew takes as long as to carry it out.

Where a pooler stands between, the next transaction may be on another connection, so nothing is prepared there.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def begin_with(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> bool:
    """Let a transaction begin with a statement, in one message with the next one that goes through here.

    Tell whether that can be done on this connection.
    """
    if (kept := session(connection)) is None or _is_watched(connection):
        return False
    kept.beginning = [(statement, values)]
    return True


def forget_beginning(connection: BaseDatabaseWrapper) -> None:
    """Forget it where no such statement has come."""
    if kept := getattr(connection.connection, "session", None):
        kept.beginning = []


def rows(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> list[Any]:
    """Return the rows of a statement of the path of every command, on any database; it says which types it takes."""
    if not keeps(connection):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())
    connection.validate_no_broken_transaction()
    kept = session(connection)
    with connection.wrap_database_errors:
        return list(kept.rows(*kept.execute((statement, values))))


def numbers(
    connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any], *, commits: bool
) -> Sequence[int] | None:
    """Return the whole numbers of the one row of a statement, or None where it gives none, on PostgreSQL.

    It is what `rows` is, for the append alone.

    Args:
        commits: it is the last one of a transaction, whose commit goes in one message with it.
    """
    kept = session(connection)
    if kept is None or kept.driver.autocommit is commits or _is_watched(connection):
        return next(iter(rows(connection, statement, values)), None)
    with connection.wrap_database_errors:
        end = [("COMMIT", ())] if commits else []
        found: Sequence[int] | None = kept.numbers(kept.execute((statement, values), *end)[0])
    return found


def keeps(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether statements are kept prepared on a connection, and nobody watches them."""
    return connection.vendor == "postgresql" and not _is_watched(connection) and session(connection) is not None


def _is_watched(connection: BaseDatabaseWrapper) -> bool:
    return bool(connection.execute_wrappers) or connection.queries_logged


def session(connection: BaseDatabaseWrapper) -> Any:
    """Return the `libpq.Session` of a connection to the server itself, or None for one to a pooler.

    A pooler knows no process of the server to tell of.
    """
    wrapper: Any = connection  # whose stubs do not know all of it
    if wrapper.connection is None or not wrapper.health_check_done:
        connection.close_if_health_check_failed()
        connection.ensure_connection()
    driver = wrapper.connection
    try:
        return driver.session
    except AttributeError:
        driver.session = _session_of(connection, driver)
        return driver.session


def _session_of(connection: BaseDatabaseWrapper, driver: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        if cursor.fetchone()[0] != driver.info.backend_pid:
            return None
    driver.prepare_threshold = sys.maxsize  # what asks for it is prepared, and nothing else
    return import_module("eventstore.backends.libpq").Session(driver)  # SQLite needs nothing of that module
