"""The WAL-reset race of SQLite 3.7.0 to 3.51.2, and checkpoints that avoid it.

SQLite's documentation (https://sqlite.org/wal.html#walresetbug) describes how commits are lost. While a checkpoint
starts, another connection commits a transaction that rewinds the log ("resets the WAL"). The checkpoint does not
notice, and marks pages as copied that were not. Only a writer rewinds the log, in its first write after the whole log
was copied. So a checkpoint is safe while nobody can write:

- No connection of ours checkpoints by itself (`wal_autocheckpoint=0`).
- `checkpoint` opens a guard connection. Its `BEGIN IMMEDIATE` takes the file's one write lock, which keeps out the
  writers of all processes. Another connection checkpoints, then the guard ends without a write.
- The checkpoint at the closing of a file's last connection is safe: SQLite takes an exclusive lock first.

`PRAGMA wal_checkpoint(FULL)` also takes the write lock, but continues without it if it is not free.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

PATIENCE = 1.0
"""The longest wait of a checkpoint for the write lock, in seconds. The next transaction tries again."""


def has_race(version: Sequence[int]) -> bool:
    """Return whether a version of SQLite has the race. It is fixed in 3.51.3, 3.50.7 and 3.44.6."""
    version = tuple(version)
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return version >= (3, 7) and not fixed


HAS_RACE = has_race(sqlite3.sqlite_version_info)
"""Whether the SQLite of this Python has the race. Debian 12's 3.40.1 does."""


def is_exposed(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a connection can meet the race: SQLite has it, uses a write-ahead log and checkpoints by itself.

    Raises:
        django.db.DatabaseError
    """
    if connection.vendor != "sqlite" or not HAS_RACE:
        return False
    with connection.cursor() as cursor:
        [journal_mode] = cursor.execute("PRAGMA journal_mode").fetchone()
        [pages] = cursor.execute("PRAGMA wal_autocheckpoint").fetchone()
    return bool(journal_mode == "wal" and pages)


def checkpoint(path: str) -> bool:
    """Copy the write-ahead log of a database into its file while nobody can write. Return whether it was copied.

    Raises:
        sqlite3.Error: for example, the disk is full. Committed data is safe in the log.
    """
    with closing(_open(path)) as guard, closing(_open(path)) as copier:
        try:
            guard.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise
        copier.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()  # the first read opens the write-ahead log
        copier.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return True  # closing the guard ends its empty transaction


def _open(path: str) -> sqlite3.Connection:
    """Open an existing file. It does not create one, because somebody may have just deleted the file."""
    return sqlite3.connect(f"{Path(path).as_uri()}?mode=rw", uri=True, timeout=PATIENCE, isolation_level=None)
