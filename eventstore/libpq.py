"""Prepared statements carried out through libpq itself: psycopg's cursors take as long as the rest of an append.

Only for a connection to the server itself. Several statements go in one message and cost one round trip: the server
carries them out one after the other, and none of those that follow one that fails.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from itertools import count
from types import NoneType
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import errors, generators, pq
from psycopg.adapt import Transformer

type Statement = tuple[str, Sequence[Any]]
"""A statement with its values."""

BEGIN: Statement = ("BEGIN", ())
COMMIT: Statement = ("COMMIT", ())

_names: WeakKeyDictionary[Any, dict[str, bytes]] = WeakKeyDictionary()
"""The names of the statements that each connection has prepared."""
_number = count()


def execute(driver: Any, *statements: Statement) -> list[Any]:
    """Carry out statements, sent in one message, and return their results.

    Raises:
        psycopg.Error: of the first that failed.
    """
    idle = driver.pgconn.transaction_status == pq.TransactionStatus.IDLE
    if idle and not driver.autocommit:
        return _execute(driver, [BEGIN, *statements], again=True)[1:]  # as psycopg does
    return _execute(driver, statements, again=idle)


def _execute(driver: Any, statements: Sequence[Statement], *, again: bool) -> list[Any]:
    texts = [[_TEXTS[type(value)](value) for value in values] for _, values in statements]
    send = _send_one if len(statements) == 1 else _send
    try:
        return send(driver, _prepared(driver, statements), texts)
    except (errors.InvalidSqlStatementName, errors.FeatureNotSupported):  # let go of, or what it reads was altered
        _names.pop(driver, None)
        if not again:
            raise
        if driver.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            driver.pgconn.exec_(b"ROLLBACK")
        return _execute(driver, statements, again=False)


def numbers(result: Any) -> tuple[int, ...] | None:
    """Return the one row of a result, all whole numbers, or None where there is none."""
    return tuple(int(result.get_value(0, each)) for each in range(result.nfields)) if result.ntuples else None


def rows(driver: Any, result: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a result as psycopg's cursors do."""
    transformer = Transformer(driver)
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def _prepared(driver: Any, statements: Sequence[Statement]) -> list[bytes]:
    """Return the names of statements, which are prepared now where they are not yet."""
    names = _names.setdefault(driver, {})
    for statement, _ in statements:
        if statement not in names:
            name = f"bank_{next(_number)}".encode()
            _checked(driver.pgconn, driver.pgconn.prepare(name, _numbered(statement)))
            names[statement] = name
    return [names[statement] for statement, _ in statements]


def _send_one(driver: Any, names: Sequence[bytes], texts: Sequence[Sequence[bytes | None]]) -> list[Any]:
    return [_checked(driver.pgconn, driver.pgconn.exec_prepared(names[0], texts[0]))]


def _send(driver: Any, names: Sequence[bytes], texts: Sequence[Sequence[bytes | None]]) -> list[Any]:
    pgconn = driver.pgconn
    try:
        pgconn.enter_pipeline_mode()
        for name, values in zip(names, texts, strict=True):
            pgconn.send_query_prepared(name, values)
        pgconn.pipeline_sync()
        driver.wait(generators.send(pgconn))
        *results, _ = [driver.wait(generators.fetch_many(pgconn)) for _ in [*names, "the end of the message"]]
        if pgconn.status != pq.ConnStatus.OK:
            raise errors.OperationalError(pgconn.get_error_message())
        pgconn.exit_pipeline_mode()
    except BaseException:
        driver.close()  # nothing can be said any more on what was broken off in mid-message
        raise
    return [_checked(pgconn, result) for [result] in results]


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


def _printed(value: object) -> bytes:
    return str(value).encode()


_TEXTS: dict[type, Callable[[Any], bytes | None]] = {
    str: str.encode,
    bytes: lambda value: b"\\x" + value.hex().encode(),
    int: _printed,
    bool: _printed,
    float: _printed,
    datetime: _printed,
    NoneType: lambda value: None,
}
"""What makes of a value the text that PostgreSQL reads."""
