"""SQLite: one writer at a time, so log positions commit in order, and the file's write lock is the stream lock."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from .. import private_files
from ..events import LogPosition, RecordedEvent
from .base import INSERT_COMMAND, Backend

# If the previous event is not the expected one, the hash is NULL, and the column's NOT NULL refuses the row. INSERT ...
# SELECT would make SQLite build a temporary table for each event.
_INSERT = """
    INSERT INTO eventstore_event
        (stream, version, type, schema_version, data, metadata, command_id, recorded_at, hash)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, {})
"""
_INSERT_FIRST = _INSERT.format("%s")
_INSERT_NEXT = _INSERT.format("(SELECT %s FROM eventstore_event WHERE stream = %s AND version = %s AND hash = %s)")


class SQLite(Backend):
    """A SQLite database file."""

    log_order = "position"
    log_after = "position > %s"
    is_readable = "TRUE"
    # The driver raises on text that is not UTF-8, and a column can hold any bytes.
    snapshot_columns = "CAST(state AS BLOB) AS state, CAST(hash AS BLOB) AS digest, CAST(seal AS BLOB) AS seal"

    @contextmanager
    def transaction(self, *, lock_timeout: int | None = None, one_statement: bool = False) -> Iterator[CursorWrapper]:
        """Return a transaction that begins with the file's write lock: `transaction_mode` is IMMEDIATE."""
        connection: Any = self.connection
        with transaction.atomic(using=self.alias, durable=True, savepoint=False), connection.wrap_database_errors:
            yield connection.bare_cursor()

    def stream_lock(self, stream: str, *, stand_back: bool = False) -> AbstractContextManager[CursorWrapper]:
        return self.transaction()

    def insert_event(
        self, cursor: CursorWrapper, row: Sequence[Any], previous_hash: bytes, command: Sequence[Any] = ()
    ) -> tuple[int, int] | None:
        stream, version = row[:2]
        if version == 1:
            cursor.execute(_INSERT_FIRST, row)
        else:
            cursor.execute(_INSERT_NEXT, [*row, stream, version - 1, previous_hash])
        position = int(cursor.lastrowid)
        if command:
            cursor.execute(INSERT_COMMAND, [*command, position])
        return 0, position

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        connection: Any = self.connection
        connection.ensure_connection()
        with connection.wrap_database_errors:
            cursor = connection.bare_cursor()
            cursor.execute(statement, values)
            found: list[Any] = cursor.fetchall()
            return found

    def adapt(self, value: Any) -> Any:
        if isinstance(value, datetime):  # the format of Django's columns: UTC without a time zone
            return value.astimezone(UTC).isoformat(" ").removesuffix("+00:00")
        return value.hex if isinstance(value, UUID) else value

    def values_of(self, position: LogPosition) -> Sequence[int]:
        return [position.position]

    def checkpoint_before(self, events: Sequence[RecordedEvent]) -> LogPosition | None:
        """Positions commit in order, so nothing can come between a position and the next one."""
        is_whole = events and events[-1].position == events[0].position + len(events) - 1
        return LogPosition(0, events[0].position - 1) if is_whole else None

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        # `atomic` would take the write lock.
        with self.connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")

    @contextmanager
    def process_lock(self, name: str, *, wait: bool) -> Iterator[bool]:
        path = f"{self.connection.settings_dict['NAME']}.{name}.lock"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, private_files.FILE), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True
