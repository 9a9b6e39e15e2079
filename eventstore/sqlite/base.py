"""Django's SQLite, made safe from the race in SQLite's own write-ahead log where the library has it.

See `wal.py` for the race and the argument. With a SQLite that is free of it this is Django's backend, but for one
thing: a connection on which something failed is not used again, because one that was opened while the disk was
read-only, or that met an I/O error, stays as it is for good.
"""

import logging
import sqlite3
from typing import Any

from django.db.backends.sqlite3 import base

from .. import private_files
from . import wal
from .cursors import WaitingCursor

logger = logging.getLogger(__name__)

DUE = 4000
"""Pages written by one connection after which it checkpoints: 16 MB."""
PATIENCE = 5.0
"""Seconds that a lock is waited for where the settings name no `timeout`, as in Python's own module."""


def pages_of(rows: int) -> int:
    """Return about how many pages a transaction writes that changes so many rows.

    A command changes two, and with all indexes ten pages; a large batch has some three rows to a page.
    """
    return min(5 * rows, 10 + rows // 3)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that leaves checkpoints to `wal.checkpoint`, or to SQLite where SQLite can be trusted with them."""

    # To SQLite a primary key called `integer` is the row's own number; one of another name is an index beside it.
    data_types = base.DatabaseWrapper.data_types | {"BigIntegerField": "integer", "SmallIntegerField": "integer"}
    init_commands: list[str]
    transaction_mode: str | None
    patience = 0.0
    changes_seen = 0
    pages = 0  # since the last checkpoint

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        commands, self.init_commands = self.init_commands, []
        self.patience = conn_params.get("timeout", PATIENCE)
        private_files.make_database_file(str(conn_params["database"]))
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        try:
            ours = ["PRAGMA wal_autocheckpoint=0" if wal.HAS_RACE else "", "PRAGMA busy_timeout=0"]  # see `cursors.py`
            for command in filter(str.strip, [*commands, *ours]):
                connection.execute(command)
        except sqlite3.Error:
            connection.close()  # Django leaves one open whose init_command fails, and the disk busy with it
            raise
        self.changes_seen = connection.total_changes
        return connection

    def create_cursor(self, name: str | None = None) -> WaitingCursor:
        cursor: WaitingCursor = self.connection.cursor(factory=WaitingCursor)
        cursor.patience = self.patience
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        """Begin as Django does, without its cursor around it, which takes longer than the statement."""
        with self.wrap_database_errors:
            self.create_cursor().execute(f"BEGIN {self.transaction_mode or ''}")

    def is_usable(self) -> bool:
        """Django asks after an error, and opens another connection when the answer is no."""
        return False

    def rollback(self) -> None:
        """Roll back; that this works does not mean that what failed before would work now."""
        failed = self.errors_occurred
        super().rollback()
        self.errors_occurred = failed

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        if wal.HAS_RACE:
            self._checkpoint(DUE)

    def _close(self) -> None:
        if wal.HAS_RACE and self.connection is not None:
            self._checkpoint(1)
        super()._close()  # type: ignore[misc]

    def _checkpoint(self, due: int) -> None:
        """Checkpoint if so many pages were written since the last one.

        What was committed is safe without it, so nothing that goes wrong here may matter, not even that somebody has
        closed SQLite's own connection.
        """
        try:
            changes = self.connection.total_changes
            self.pages += pages_of(changes - self.changes_seen)
            self.changes_seen = changes
            if self.pages >= due and wal.checkpoint(str(self.settings_dict["NAME"])):
                self.pages = 0
        except sqlite3.Error as error:
            logger.warning("No checkpoint of %s now: %s", self.alias, error)
