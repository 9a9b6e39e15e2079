"""Cursors that do for each statement what Django's do, at a third of the price.

Django turns each `%s` into a `?` by a regular expression every time, and goes through five calls and a context manager
around each statement, whether anything is to be watched and translated or not. Here a statement is turned once, and
the errors of the driver are translated when there are some. Where somebody watches the statements, Django's own way is
taken.

They also wait for a lock in a way of their own. SQLite's sleeps longer each time, up to a tenth of a second, so that
whoever comes later is often served sooner, and one in a hundred waits thirty times as long as most do.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper

if TYPE_CHECKING:
    from .base import DatabaseWrapper

PAUSES = 0.0002, 0.0015
"""The shortest and the longest pause between two tries for a lock, in seconds; a command holds it for less."""


class DriverCursor(SQLiteCursorWrapper):
    """The driver's cursor, which takes Django's `%s` for a place of a value, and waits for locks."""

    patience = 0.0
    """Seconds that a statement waits for a lock."""

    def execute(self, query: str, params: Any = None) -> Any:
        try:
            if type(params) in (list, tuple):
                return sqlite3.Cursor.execute(self, _with_question_marks(query), params)
            return super().execute(query, params)
        except sqlite3.OperationalError as error:
            return self._when_unlocked(error, lambda: SQLiteCursorWrapper.execute(self, query, params))

    def executemany(self, query: str, param_list: Any) -> Any:
        if type(param_list) is list and param_list and type(param_list[0]) in (list, tuple):
            return sqlite3.Cursor.executemany(self, _with_question_marks(query), param_list)
        return super().executemany(query, param_list)

    def _when_unlocked(self, error: sqlite3.OperationalError, execute: Callable[[], Any]) -> Any:
        """Try a statement that met a lock again until it meets none, or raise its error."""
        give_up_at = time.monotonic() + self.patience
        while _is_locked(error) and time.monotonic() < give_up_at:
            time.sleep(random.uniform(*PAUSES))
            try:
                return execute()
            except sqlite3.OperationalError as again:
                error = again
        raise error


class Cursor(CursorWrapper):
    """Django's cursor around that of the driver."""

    def execute(self, sql: Any, params: Any = None) -> Any:
        if self.db.execute_wrappers or self.db.needs_rollback:
            return super().execute(sql, params)
        try:
            return self.cursor.execute(sql, params)
        except sqlite3.Error:
            self._translate()

    def executemany(self, sql: Any, param_list: Any) -> Any:
        if self.db.execute_wrappers or self.db.needs_rollback:
            return super().executemany(sql, param_list)
        try:
            return self.cursor.executemany(sql, param_list)
        except sqlite3.Error:
            self._translate()

    def fetchone(self) -> Any:
        try:
            return self.cursor.fetchone()
        except sqlite3.Error:
            self._translate()

    def fetchall(self) -> Any:
        try:
            return self.cursor.fetchall()
        except sqlite3.Error:
            self._translate()

    def _translate(self) -> NoReturn:
        _raise_as_djangos(self.db)


class TransactionCursor(sqlite3.Cursor):
    """What the two are within a `WriteTransaction`, in one: there nobody watches, and there is no lock to wait for."""

    db: "DatabaseWrapper"

    def execute(self, sql: str, params: Any = ()) -> Any:
        if self.db.needs_rollback:
            self.db.validate_no_broken_transaction()
        try:
            return _execute(self, _with_question_marks(sql), params)
        except sqlite3.Error:
            _raise_as_djangos(self.db)

    def executemany(self, sql: str, param_list: Any) -> Any:
        if self.db.needs_rollback:
            self.db.validate_no_broken_transaction()
        try:
            return _executemany(self, _with_question_marks(sql), param_list)
        except sqlite3.Error:
            _raise_as_djangos(self.db)


_execute, _executemany = sqlite3.Cursor.execute, sqlite3.Cursor.executemany


def _raise_as_djangos(connection: "DatabaseWrapper") -> NoReturn:
    """Raise the error at hand as Django's error of the same name."""
    with connection.wrap_database_errors:
        raise
    raise AssertionError


def _is_locked(error: sqlite3.OperationalError) -> bool:
    """Tell whether it may help to wait: not where a transaction reads what is no longer the latest."""
    code = getattr(error, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT)


@lru_cache(maxsize=512)
def _with_question_marks(query: str) -> str:
    converted: str = FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")
    return converted
