"""System check of the databases' safety."""

import sqlite3
from typing import Any

from django.core import checks
from django.db import connections

from .backends import backend_of
from .sqlite import wal
from .sqlite.base import DatabaseWrapper


@checks.register
def check_checkpoints(**kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of each SQLite database that is exposed to the race in SQLite's write-ahead log."""
    if not wal.HAS_RACE:
        return []
    return [
        checks.Warning(
            f"SQLite {sqlite3.sqlite_version} can lose what was committed to the database {alias!r}: connections that "
            "checkpoint and write at the same moment race (https://sqlite.org/wal.html#walresetbug).",
            hint='Set its ENGINE to "eventstore.sqlite", or use Python with SQLite 3.51.3 or newer.',
            id="eventstore.W001",
        )
        for alias in connections
        if backend_of(alias).file and not isinstance(connections[alias], DatabaseWrapper)
    ]
