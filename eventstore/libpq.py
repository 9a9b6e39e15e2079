"""A prepared statement carried out through libpq itself: psycopg's cursors take as long as the rest of an append.

Only for a connection to the server itself, outside of a transaction, and for a statement that gives whole numbers.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import errors, pq

_names: WeakKeyDictionary[Any, dict[str, bytes]] = WeakKeyDictionary()
"""The names of the statements that each connection has prepared."""


def numbers(driver: Any, statement: str, values: Sequence[Any]) -> tuple[int, ...] | None:
    """Return the one row of a statement, or None where it gives none.

    Raises:
        psycopg.Error
    """
    texts = [_text(value) for value in values]
    try:
        result = _execute(driver, statement, texts)
    except errors.InvalidSqlStatementName:  # psycopg has let go of all statements, as it does after a rollback
        _names.pop(driver)
        result = _execute(driver, statement, texts)
    return tuple(int(result.get_value(0, each)) for each in range(result.nfields)) if result.ntuples else None


def _execute(driver: Any, statement: str, texts: Sequence[bytes | None]) -> Any:
    names = _names.setdefault(driver, {})
    if statement not in names:
        name = f"append_{len(names)}".encode()
        _checked(driver.pgconn, driver.pgconn.prepare(name, _numbered(statement)))
        names[statement] = name
    return _checked(driver.pgconn, driver.pgconn.exec_prepared(names[statement], texts))


def _checked(pgconn: Any, result: Any) -> Any:
    """Return a result, or raise it where it is an error."""
    if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        return result
    if pgconn.status != pq.ConnStatus.OK:
        raise errors.OperationalError(result.get_error_message())
    raise errors.error_from_result(result)


@cache
def _numbered(statement: str) -> bytes:
    """Return a statement with libpq's names for the places of values."""
    first, *others = statement.split("%s")
    return "".join([first, *(f"${number}{text}" for number, text in enumerate(others, 1))]).encode()


def _text(value: Any) -> bytes | None:
    """Return a value as PostgreSQL reads it."""
    if type(value) is str:
        return value.encode()
    if type(value) is bytes:
        return b"\\x" + value.hex().encode()
    assert value is None or isinstance(value, int | datetime), f"no value of an append is a {type(value).__name__}"
    return None if value is None else str(value).encode()
