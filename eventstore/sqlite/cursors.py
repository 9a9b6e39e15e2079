"""The driver's cursor, with a wait for locks that is fair.

SQLite's own wait sleeps longer each time, up to a tenth of a second, so that a writer that comes later is often served
sooner, and one in a hundred waits thirty times as long as most do.
"""

import random
import sqlite3
import time
from typing import Any

from django.db.backends.sqlite3.base import SQLiteCursorWrapper

PAUSES = 0.0002, 0.0015
"""The shortest and the longest pause between two tries for a lock, in seconds. A command holds it for less."""


class WaitingCursor(SQLiteCursorWrapper):
    """Tries a statement that meets a lock again until it meets none, for `patience` seconds at most."""

    patience = 0.0

    def execute(self, query: str, params: Any = None) -> Any:
        give_up_at = 0.0
        while True:
            try:
                return super().execute(query, params)
            except sqlite3.OperationalError as error:
                give_up_at = give_up_at or time.monotonic() + self.patience
                if not is_locked(error) or time.monotonic() >= give_up_at:
                    raise
            time.sleep(random.uniform(*PAUSES))


def is_locked(error: sqlite3.OperationalError) -> bool:
    """Return whether waiting may help. It does not where a transaction has read what is no longer the latest."""
    code = getattr(error, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT)
