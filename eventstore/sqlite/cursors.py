"""The driver's cursor, with a wait for locks that is fair, and statements that are translated once.

SQLite's own wait sleeps longer each time, up to a tenth of a second, so that a writer that comes later is often served
sooner, and one in a hundred waits thirty times as long as most do.
"""

import random
import sqlite3
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper

from ..patience import end_of_wait

PAUSES = 0.0002, 0.0015
"""The shortest and the longest pause between two tries for a lock, in seconds. A command holds it for less."""


class WaitingCursor(SQLiteCursorWrapper):
    """Tries a statement that meets a lock again until it meets none.

    The tries end after `patience` seconds, or with the time that a web request may wait.
    """

    patience = 0.0

    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        """Return a statement with `?` for `%s`. Django translates it each time, which is a tenth of a deposit."""
        if param_names is not None:
            return str(super().convert_query(query, param_names=param_names))
        return _with_question_marks(query)

    def execute(self, query: str, params: Any = None) -> Any:
        give_up_at = 0.0
        while True:
            try:
                if params is None or isinstance(params, Mapping):
                    return super().execute(query, params)
                return sqlite3.Cursor.execute(self, _with_question_marks(query), params)
            except sqlite3.OperationalError as error:
                give_up_at = give_up_at or end_of_wait(self.patience)
                if not is_locked(error) or time.monotonic() >= give_up_at:
                    raise
            time.sleep(random.uniform(*PAUSES))


def is_locked(error: sqlite3.OperationalError) -> bool:
    """Return whether waiting may help. It does not where a transaction has read what is no longer the latest."""
    code = getattr(error, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT)


@lru_cache(maxsize=512)
def _with_question_marks(query: str) -> str:
    return str(FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%"))
