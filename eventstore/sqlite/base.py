"""Django's SQLite backend without the race in SQLite's write-ahead log.

`wal.py` describes the race. A SQLite without it checkpoints by itself. On any SQLite, a connection is not used again
after an error: one that was opened on a read-only disk, or has met an I/O error, never recovers.
"""

import logging
import sqlite3
from typing import Any

from django.db.backends.sqlite3 import base

from .. import private_files
from . import wal
from .cursors import WaitingCursor, bare_cursor

logger = logging.getLogger(__name__)

DUE = 4000
"""The number of pages that a connection writes before it checkpoints: 16 MB."""
PATIENCE = 5.0
"""The longest wait for a lock in seconds without a `timeout` in the settings: the default of Python's module."""


def pages_of(rows: int) -> int:
    """Return the approximate number of pages that a transaction with this many changed rows writes.

    A command changes two rows and ten pages, indexes included; a large batch has about three rows per page.
    """
    return min(5 * rows, 10 + rows // 3)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that checkpoints with `wal.checkpoint` if SQLite has the race."""

    # SQLite takes only a primary key of the type `integer` as the row id; any other type needs a separate index.
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
            connection.close()  # Django leaves it open if init_command fails, as on a full disk
            raise
        self.changes_seen = connection.total_changes
        return connection

    def create_cursor(self, name: str | None = None) -> WaitingCursor:
        cursor: WaitingCursor = self.connection.cursor(factory=WaitingCursor)
        cursor.patience = self.patience
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        """Begin a transaction by a bare cursor."""
        with self.wrap_database_errors:
            bare_cursor(self).execute(f"BEGIN {self.transaction_mode or ''}")

    def is_usable(self) -> bool:
        """Return False, so that Django opens another connection after an error."""
        return False

    def rollback(self) -> None:
        """Roll back. Success does not mean that the connection works again."""
        failed = self.errors_occurred
        super().rollback()
        self.errors_occurred = failed

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        if wal.HAS_RACE:
            self._checkpoint(DUE)

    def _close(self) -> None:
        # After an error the next connection checkpoints: the file may be locked, and a user waits for the answer.
        if wal.HAS_RACE and self.connection is not None and not self.errors_occurred:
            self._checkpoint(1)
        super()._close()  # type: ignore[misc]

    def _checkpoint(self, due: int) -> None:
        """Checkpoint if at least this many pages were written since the last one.

        Committed data is safe without a checkpoint, so every error is ignored, even that SQLite's own connection is
        closed.
        """
        try:
            changes = self.connection.total_changes
            self.pages += pages_of(changes - self.changes_seen)
            self.changes_seen = changes
            if self.pages >= due and wal.checkpoint(str(self.settings_dict["NAME"])):
                self.pages = 0
        except sqlite3.Error as error:
            logger.warning("No checkpoint of %s now: %s", self.alias, error)
