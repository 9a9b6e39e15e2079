"""Cursors that do for each statement what Django's do, at a third of the price.

Django turns each `%s` into a `?` by a regular expression every time, and goes through five calls and a context manager
around each statement, whether anything is to be watched and translated or not. Here a statement is turned once, and
the errors of the driver are translated when there are some. Where somebody watches the statements, Django's own way is
taken.
"""

import sqlite3
from functools import lru_cache
from typing import Any, NoReturn

from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper


class DriverCursor(SQLiteCursorWrapper):
    """The driver's cursor, which takes Django's `%s` for a place of a value."""

    def execute(self, query: str, params: Any = None) -> Any:
        if type(params) in (list, tuple):
            return sqlite3.Cursor.execute(self, _with_question_marks(query), params)
        return super().execute(query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        if type(param_list) is list and param_list and type(param_list[0]) in (list, tuple):
            return sqlite3.Cursor.executemany(self, _with_question_marks(query), param_list)
        return super().executemany(query, param_list)


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
        """Raise the error at hand as Django's error of the same name."""
        with self.db.wrap_database_errors:
            raise
        raise AssertionError


@lru_cache(maxsize=512)
def _with_question_marks(query: str) -> str:
    converted: str = FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")
    return converted
