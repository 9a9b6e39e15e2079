"""The driver's cursor, with a fair wait for locks, and a cache of translated statements.

SQLite's own wait sleeps longer each time, up to 0.1 seconds, so a later writer is often served first.
"""

import random
import sqlite3
import time
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper

from ..patience import end_of_wait

PAUSES = 0.0002, 0.0015
"""The shortest and the longest pause between two tries for a lock, in seconds. A command holds it for less."""


class WaitingCursor(SQLiteCursorWrapper):
    """Cursor that repeats a statement until it meets no lock.

    It gives up after `patience` seconds, or at the end of the web request's time limit.
    """

    patience = 0.0

    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        """Return a statement with `?` for `%s`. The cache saves a tenth of a deposit."""
        if param_names is not None:
            return str(super().convert_query(query, param_names=param_names))
        return _with_question_marks(query)

    def execute(self, query: str, params: Any = None) -> Any:
        give_up_at = 0.0
        while True:
            try:
                if params is None or isinstance(params, dict):
                    return super().execute(query, params)
                return sqlite3.Cursor.execute(self, _with_question_marks(query), params)
            except sqlite3.OperationalError as error:
                give_up_at = give_up_at or end_of_wait(self.patience)
                if not is_locked(error) or time.monotonic() >= give_up_at:
                    raise
            time.sleep(random.uniform(*PAUSES))


def is_locked(error: sqlite3.OperationalError) -> bool:
    """Return whether a wait may help. It cannot if the transaction has read an outdated snapshot."""
    code = getattr(error, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT)


@lru_cache(maxsize=512)
def _with_question_marks(query: str) -> str:
    return str(FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%"))


def bare_cursor(connection: Any) -> Any:
    """Return the driver's cursor of an open connection, or Django's own where statements are logged or wrapped.

    Django's takes as long as a short statement. The caller wraps the driver's errors.
    """
    is_watched = connection.queries_logged or connection.execute_wrappers
    return connection.cursor() if is_watched else connection.create_cursor()
