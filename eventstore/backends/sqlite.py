"""SQLite: one writer at a time, so log positions commit in order, and the file's write lock is the stream lock."""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.backends.utils import CursorWrapper

from .. import private_files
from ..chain import moment_text
from ..events import LogPosition, RecordedEvent
from ..sqlite.cursors import bare_cursor
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
_DEFINITIONS = """
    SELECT CASE type WHEN 'table' THEN type WHEN 'index' THEN 'unique index ' || name ELSE type || ' ' || name END, sql
    FROM sqlite_master
    WHERE tbl_name = %s COLLATE NOCASE AND (type <> 'index' OR sql LIKE 'CREATE UNIQUE %%')
"""


@lru_cache(maxsize=8)  # the time of an event goes into several columns
def _column_text(moment: datetime) -> str:
    """Return a time as Django's columns hold it: in UTC, without its time zone and without zero microseconds."""
    return moment_text(moment).replace("T", " ").removesuffix("+00:00").removesuffix(".000000")


class SQLite(Backend):
    """A SQLite database file."""

    name = "sqlite"
    log_order = "position"
    log_after = "position > %s"
    is_readable = "TRUE"
    has_transaction_ids = False
    stores_text = True
    record_order = "rowid"
    moment_or_null = "CASE typeof({0}) WHEN 'text' THEN CAST({0} AS TEXT) END"
    # The driver raises on text that is not UTF-8, and a column can hold any bytes.
    snapshot_columns = "CAST(state AS BLOB) AS state, CAST(hash AS BLOB) AS digest, CAST(seal AS BLOB) AS seal"

    @property
    def file(self) -> Path:
        return Path(self.connection.settings_dict["NAME"])

    @contextmanager
    def transaction(self, *, lock_timeout: int | None = None, one_statement: bool = False) -> Iterator[CursorWrapper]:
        """Return a transaction that begins with the file's write lock: `transaction_mode` is IMMEDIATE."""
        connection = self.connection
        with transaction.atomic(using=self.alias, durable=True, savepoint=False), connection.wrap_database_errors:
            yield bare_cursor(connection)
            connection.validate_no_broken_transaction()

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
        connection = self.connection
        connection.ensure_connection()
        with connection.wrap_database_errors:
            cursor = bare_cursor(connection)
            cursor.execute(statement, values)
            found: list[Any] = cursor.fetchall()
            return found

    def chunked_rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Sequence[Any]]:
        count = 0
        try:
            for row in super().chunked_rows(statement, values):
                yield row
                count += 1
        except OperationalError:
            # The driver stops at text that is not UTF-8. Lenient decoding is slower, so only this retry uses it. Any
            # other error is raised again.
            driver = self.connection.connection
            before, driver.text_factory = driver.text_factory, partial(str, encoding="utf-8", errors="surrogateescape")
            try:
                yield from islice(super().chunked_rows(statement, values), count, None)
            finally:
                driver.text_factory = before

    def adapt(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return _column_text(value)
        return value.hex if isinstance(value, UUID) else value

    def time_in(self, seconds: float) -> str:
        return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '{seconds:+} seconds')"

    def values_of(self, position: LogPosition) -> Sequence[int]:
        return [position.position]

    def checkpoint_before(self, events: Sequence[RecordedEvent]) -> LogPosition | None:
        """Return the position before the events. Positions commit in order, so consecutive positions have no gap."""
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

    def settled_ends(self) -> tuple[LogPosition, int]:
        [(event, command)] = self.chunked_rows(
            """SELECT (SELECT COALESCE(CAST(MAX(position) AS INTEGER), 0) FROM eventstore_event),
                   (SELECT COALESCE(MAX(rowid), 0) FROM eventstore_commandrecord)"""
        )
        return LogPosition(0, event), command

    def last_given(self) -> Any:
        given = self.chunked_rows("SELECT seq FROM sqlite_sequence WHERE name = 'eventstore_event'")
        return next((seq for (seq,) in given), 0)

    def definitions(self, table: str) -> list[Sequence[str]]:
        # Django's own backend declares as `bigint` the columns that this project's backend declares as `integer`.
        rows = self.chunked_rows(_DEFINITIONS, [table])
        return [(name, re.sub(r"\b(big|small)int\b", "integer", text)) for name, text in rows]

    @contextmanager
    def process_lock(self, name: str, *, wait: bool) -> Iterator[bool]:
        path = f"{self.file}.{name}.lock"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, private_files.FILE), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True
