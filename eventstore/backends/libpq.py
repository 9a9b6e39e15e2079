"""Prepared statements carried out through libpq itself: psycopg's cursors take as long as the rest of an append.

Only for a connection to the server itself. Several statements go in one message and cost one round trip: the server
carries them out one after the other, and none of those that follow one that fails.
"""

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from functools import cache
from itertools import count
from types import NoneType
from typing import Any

from psycopg import errors, generators, pq
from psycopg.adapt import Transformer

type Statement = tuple[str, Sequence[Any]]
"""A statement with its values."""

_IDLE = pq.TransactionStatus.IDLE
_DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_number = count()


class Session:
    """One connection to the server itself, and what is known of it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.pgconn = driver.pgconn
        self.longest_wait = 0
        """Milliseconds that it waits for a lock, if that was said."""
        self.beginning: list[Statement] = []
        """What goes before the next statements, in one message with them."""
        self._names: dict[str, bytes] = {}
        """What is prepared, by the statement."""

    def execute(self, *statements: Statement) -> Sequence[Any]:
        """Carry out statements, sent in one message after what goes before them, and return their results.

        Raises:
            psycopg.Error: of the first that failed.
        """
        before, self.beginning = self.beginning, []
        idle = self.pgconn.transaction_status == _IDLE
        if idle and not self.driver.autocommit:
            before = [("BEGIN", ()), *before]  # as psycopg does
        if before:
            return self._execute([*before, *statements], again=idle)[len(before) :]
        return self._execute(statements, again=idle)

    def _execute(self, statements: Sequence[Statement], *, again: bool) -> Sequence[Any]:
        try:
            names = [self._names.get(statement) or self._prepare(statement) for statement, _ in statements]
            if len(statements) == 1:
                return [self._checked(self.pgconn.exec_prepared(names[0], *_sent(statements[0][1])))]
            return self._send(names, statements)
        except (errors.InvalidSqlStatementName, errors.FeatureNotSupported):  # let go of, or what it reads was altered
            self._names.clear()
            if not again:
                raise
            if self.pgconn.transaction_status != _IDLE:
                self.pgconn.exec_(b"ROLLBACK")
            return self._execute(statements, again=False)

    def _prepare(self, statement: str) -> bytes:
        name = f"bank_{next(_number)}".encode()
        self._checked(self.pgconn.prepare(name, _numbered(statement)))
        self._names[statement] = name
        return name

    def _send(self, names: Sequence[bytes], statements: Sequence[Statement]) -> list[Any]:
        sent = [_sent(values) for _, values in statements]
        pgconn = self.pgconn
        try:
            pgconn.enter_pipeline_mode()
            for name, (values, formats) in zip(names, sent, strict=True):
                pgconn.send_query_prepared(name, values, formats)
            pgconn.pipeline_sync()
            results = self.driver.wait(_answers(pgconn, len(names)))
            if pgconn.status != pq.ConnStatus.OK:
                raise errors.OperationalError(pgconn.get_error_message())
            pgconn.exit_pipeline_mode()
        except BaseException:
            self.driver.close()  # nothing can be said any more on what was broken off in mid-message
            raise
        return [self._checked(result) for result in results]

    def _checked(self, result: Any) -> Any:
        """Return a result, or raise it where it is an error."""
        if result.status in _DONE:
            return result
        if self.pgconn.status != pq.ConnStatus.OK:
            raise errors.OperationalError(result.get_error_message())
        raise errors.error_from_result(result)

    def rows(self, result: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a result as psycopg's cursors do."""
        transformer = Transformer(self.driver)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def numbers(self, result: Any) -> tuple[int, ...] | None:
        """Return the one row of a result, all whole numbers, or None where there is none."""
        if not result.ntuples:
            return None
        return tuple([int(result.get_value(0, each)) for each in range(result.nfields)])


def _answers(pgconn: Any, number: int) -> Generator[Any, Any, list[Any]]:
    """Return the result of each of so many statements that are on their way, for psycopg to wait for."""
    yield from generators.send(pgconn)
    results = []
    for _ in range(number):
        results += yield from generators.fetch_many(pgconn)
    yield from generators.fetch_many(pgconn)  # the end of the message
    return results


@cache
def _numbered(statement: str) -> bytes:
    """Return a statement with libpq's names for the places of values."""
    first, *others = statement.split("%s")
    return "".join([first, *(f"${number}{text}" for number, text in enumerate(others, 1))]).encode()


def _sent(values: Sequence[Any]) -> tuple[list[bytes | None], list[bool]]:
    """Return values as they are sent, and which of them are bytes as they stand and no text."""
    return [_TEXTS[type(value)](value) for value in values], [type(value) is bytes for value in values]


def _text(value: str) -> bytes:
    """Return a text as it is sent. libpq would end it at a NUL, and so look for another one."""
    if "\0" in value:
        raise errors.DataError("PostgreSQL text cannot contain NUL characters")
    return value.encode()


def _printed(value: object) -> bytes:
    return str(value).encode()


_TEXTS: dict[type, Callable[[Any], bytes | None]] = {
    str: _text,
    bytes: bytes,
    int: b"%d".__mod__,
    bool: _printed,
    float: _printed,
    datetime: _printed,
    NoneType: lambda value: None,
}
"""What makes of a value what PostgreSQL reads: its text, but for bytes."""
