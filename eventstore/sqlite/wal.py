"""The WAL-reset race of SQLite 3.7.0 to 3.51.2, and checkpoints that cannot meet it.

SQLite's documentation (https://sqlite.org/wal.html#walresetbug) tells how commits are lost: while a checkpoint is
starting, another connection commits a transaction that rewinds the log ("resets the WAL"); the checkpoint does not
notice, and says of pages that were never copied that they were. Only a writer rewinds the log, in its first write
after all of it has been copied. So a checkpoint during which nobody can write is safe:

- no connection of ours checkpoints by itself (`wal_autocheckpoint=0`);
- `checkpoint` opens a connection whose `BEGIN IMMEDIATE` takes the file's one write lock, writes nothing with it,
  checkpoints with another connection in the meantime, and lets the lock go. SQLite itself keeps the writers of all
  processes out;
- the checkpoint at the closing of a file's last connection is safe by itself: SQLite takes an exclusive lock first.

`PRAGMA wal_checkpoint(FULL)` would take the write lock itself, but goes on without it when it is not to be had.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

PATIENCE = 1.0
"""Seconds that a checkpoint waits for its turn to write; one that does not come to it is tried again."""


def has_race(version: Sequence[int]) -> bool:
    """Tell whether a version of SQLite has the race: fixed in 3.51.3, and in 3.44.6 and 3.50.7 of older lines."""
    version = tuple(version)
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return version >= (3, 7) and not fixed


HAS_RACE = has_race(sqlite3.sqlite_version_info)
"""Whether the SQLite that this Python is linked with has it: Debian 12's 3.40.1 does."""


def is_exposed(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether an open connection may meet the race: SQLite has it, there is a log, and SQLite checkpoints.

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
    """Copy the log of a database's file into the file while nobody can write; tell whether it came to that.

    Raises:
        sqlite3.Error: the disk is full, for one. What was committed is safe in the log.
    """
    with closing(_open(path)) as guard, closing(_open(path)) as copier:
        try:
            guard.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise
        copier.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()  # only now it knows that there is a log
        copier.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return True  # closing the guard ends its transaction, in which nothing was written


def _open(path: str) -> sqlite3.Connection:
    """Open a file that exists; a new one must not appear where somebody has just thrown one away."""
    return sqlite3.connect(f"{Path(path).as_uri()}?mode=rw", uri=True, timeout=PATIENCE, isolation_level=None)
