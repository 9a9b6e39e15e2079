"""PostgreSQL: many writers at a time, prepared statements, and statements sent together in a pipeline."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import blake2b
from typing import Any

import psycopg
from django.db import transaction
from django.db.backends.utils import CursorWrapper

from ..events import START, LogPosition
from ..patience import milliseconds_left
from . import postgresql_definitions
from .base import COMMAND_COLUMNS, LOCK_TIMEOUT, Backend, Blocker
from .postgresql_cursor import PreparingCursor, prepares

CHANNEL = "events_appended"
"""The notification channel of new events."""
NOTIFY_EVERY = 0.05
"""The shortest time between two notifications of one process, in seconds. A notified process polls again after as long.
"""
TRIAL = 2.0
"""The number of seconds within which a test notification has to arrive."""
IDLE_TIMEOUT = 10_000
"""Milliseconds after which the server ends an idle transaction that holds a lock, because its process is frozen."""
FROZEN = 3
"""Seconds without a statement after which the process of a transaction counts as frozen."""
HEAD_START = 0.01
"""Seconds that the loser of a race leaves to the winner.

The winner still has the stream's state in memory, so its next append is several times faster than one that has to load.
The last of eight waiting writers waits about 0.1 seconds.
"""
_STREAM_LOCK = "hashtextextended({}, 0)"
_LOCK = f"SELECT pg_advisory_xact_lock({_STREAM_LOCK.format('%s')})"
_STAND_BACK = f"""
    SELECT pg_advisory_xact_lock(hashtextextended(%s, 1)), pg_sleep(%s::float8),
        pg_advisory_xact_lock({_STREAM_LOCK.format("%s")})
"""
_LIMITS = "SELECT set_config('lock_timeout', %s, true), set_config('idle_in_transaction_session_timeout', %s, true)"
_NO_SYNC = ", set_config('synchronous_commit', 'off', true)"
# A stream lock excludes writers without it: they are refused instead of waiting. The transaction id is the column's
# default, written out because calling the function costs a tenth more.
_INSERT = f"""
    INSERT INTO eventstore_event
        (stream, version, type, schema_version, data, metadata, command_id, recorded_at, hash, transaction_id)
    SELECT %s, %s, %s, %s::smallint, %s::jsonb, %s::jsonb, %s::uuid, %s::timestamptz, %s::bytea,
        pg_current_xact_id()::text::bigint + (SELECT COALESCE(MAX(shift), 0) FROM eventstore_epoch)
    WHERE pg_try_advisory_xact_lock({_STREAM_LOCK.format("%s")}) AND (%s = 1 OR EXISTS (
        SELECT 1 FROM eventstore_event WHERE stream = %s AND version = %s AND hash = %s::bytea
    )) RETURNING transaction_id, position
"""

_INSERT_WITH_COMMAND = f"""
    WITH event AS ({_INSERT}), command AS (
        INSERT INTO eventstore_commandrecord ({COMMAND_COLUMNS}, position)
        SELECT %s::uuid, %s, %s, %s::timestamptz, %s, %s, %s, %s, %s, %s, %s::bytea, %s::bytea, %s, position FROM event
    ) SELECT transaction_id, position FROM event
"""
_END_FROZEN = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE wait_event_type = 'Client'
      AND state_change NOT BETWEEN clock_timestamp() - make_interval(secs => %s::float8) AND clock_timestamp()
      AND pid IN (
        SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid::bigint << 32 | objid::bigint = %s)
"""


def mark_of(owner: str) -> int:
    """Return the key of the advisory lock that marks an owner's transactions. It blocks nobody."""
    return int.from_bytes(blake2b(owner.encode(), digest_size=8).digest(), signed=True)


class PostgreSQL(Backend):
    """A database on a PostgreSQL server."""

    name = "postgresql"
    log_order = "transaction_id, position"
    log_after = "(transaction_id, position) > (%s, %s)"
    # See migration 0003 and `models.Epoch` for the shift.
    is_readable = """transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        + (SELECT COALESCE(MAX(shift), 0) FROM eventstore_epoch)"""
    has_transaction_ids = True
    stores_text = False
    record_order = "transaction_id"
    moment_or_null = "CASE WHEN {0} BETWEEN '0001-01-02 00:00+00' AND '9999-12-30 00:00+00' THEN {0} END"
    notifies = True
    for_update = "FOR UPDATE"

    _notified_at = 0.0

    def _driver(self) -> Any:
        """Return psycopg's connection, open and usable."""
        connection: Any = self.connection
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        with connection.wrap_database_errors:
            prepares(connection.connection)
        return connection.connection

    def _cursor(self, driver: Any) -> Any:
        """Return a preparing cursor in Django's wrapper, or Django's own if it logs statements."""
        connection: Any = self.connection
        return connection.cursor() if connection.queries_logged else connection.make_cursor(PreparingCursor(driver))

    @contextmanager
    def transaction(self, *, lock_timeout: int | None = None, one_statement: bool = False) -> Iterator[CursorWrapper]:
        """Return a transaction that sends its statements together until a result is needed, the last ones with COMMIT.

        So the locks of the last statements are held for one round trip to the server instead of two. A database with
        `"SYNCHRONOUS": "NORMAL"` commits without waiting for the disk. After a crash it lacks its last transactions,
        and has all before them whole.
        """
        driver = self._driver()
        if one_statement and getattr(driver, "waits_are_limited", False) and not self.connection.in_atomic_block:
            yield self._cursor(driver)
            return
        # The pipeline ends within `atomic`, which cannot roll back while results are pending.
        with (
            self.connection.wrap_database_errors,
            transaction.atomic(using=self.alias, durable=True, savepoint=False),
            driver.pipeline(),
        ):
            cursor = self._cursor(driver)
            wait = milliseconds_left(lock_timeout or LOCK_TIMEOUT)
            # Early in a web request, the limit of the connection is near enough, and setting another costs a statement.
            if lock_timeout or wait < 0.9 * LOCK_TIMEOUT or not getattr(driver, "waits_are_limited", False):
                need_not_sync = self.connection.settings_dict.get("SYNCHRONOUS") == "NORMAL"
                cursor.execute(_LIMITS + _NO_SYNC * need_not_sync, [str(wait), str(IDLE_TIMEOUT)])
            yield cursor
            if not self.connection.needs_rollback:
                driver.commit()

    @contextmanager
    def stream_lock(self, stream: str, *, stand_back: bool = False) -> Iterator[CursorWrapper]:
        with self.transaction() as cursor:
            if stand_back:
                cursor.execute(_STAND_BACK, [stream, HEAD_START, stream])
            else:
                cursor.execute(_LOCK, [stream])
            yield cursor

    def insert_event(
        self, cursor: CursorWrapper, row: Sequence[Any], previous_hash: bytes, command: Sequence[Any] = ()
    ) -> tuple[int, int] | None:
        stream, version = row[:2]
        statement = _INSERT_WITH_COMMAND if command else _INSERT
        cursor.execute(statement, [*row, stream, version, stream, version - 1, previous_hash, *command])
        found: tuple[int, int] | None = cursor.fetchone()
        return found

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._cursor(self._driver()) as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def adapt(self, value: Any) -> Any:
        return value

    def time_in(self, seconds: float) -> str:
        return f"(STATEMENT_TIMESTAMP() + make_interval(secs => {seconds}))"

    def values_of(self, position: LogPosition) -> Sequence[int]:
        return position

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        with transaction.atomic(using=self.alias), self.connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def read_one_snapshot(self, cursor: CursorWrapper) -> None:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def keep_tables(self, cursor: CursorWrapper, tables: Sequence[str]) -> None:
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE")

    def lock_table(self, cursor: CursorWrapper, table: str, wait: float | None = None) -> None:
        if wait is not None:
            cursor.execute(f"SET LOCAL lock_timeout = {wait * 1000:.0f}")
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")

    def primary_key_of(self, cursor: CursorWrapper, table: str) -> str:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = to_regclass(%s)", [table])
        return str((cursor.fetchone() or [""])[0])

    def settled_ends(self) -> tuple[LogPosition, int]:
        [(horizon,)] = self.rows("SELECT eventstore_horizon()")
        last = self.rows(
            """SELECT transaction_id, position FROM eventstore_event WHERE transaction_id < %s
               ORDER BY transaction_id DESC, position DESC LIMIT 1""",
            [horizon],
        )
        return LogPosition(*last[0]) if last else START, horizon - 1

    def definitions(self, table: str) -> list[Sequence[str]]:
        return self.rows(postgresql_definitions.TABLE, [table])

    def function_definitions(self, names: Sequence[str]) -> list[Sequence[str]]:
        return self.rows(postgresql_definitions.FUNCTIONS, [names])

    @contextmanager
    def process_lock(self, name: str, *, wait: bool) -> Iterator[bool]:
        # The lock's transaction writes nothing, so it holds no event back, and it works through a pooler.
        take = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
        with self.connect() as connection, connection.transaction():
            answer = connection.execute(f"SELECT {take}(hashtextextended(%s, 0))", [name]).fetchone()
            yield wait or bool(answer[0])

    def limit_waits(self) -> None:
        """Limit the lock waits of a direct connection for good. Others share a pooler's connection."""
        if getattr(self.connection.connection, "waits_are_limited", False):
            return
        driver = self._driver()
        if prepares(driver):
            with self.connection.cursor() as cursor:
                cursor.execute(_LIMITS.replace("true", "false"), [str(LOCK_TIMEOUT), str(IDLE_TIMEOUT)])
            driver.waits_are_limited = True

    def listen(self) -> Any:
        """Return the listening connection, or None if a pooler drops notifications."""
        connection = self.connect()
        connection.execute(f"LISTEN {CHANNEL}")
        self.rows(f"SELECT pg_notify('{CHANNEL}', '')")
        if any(connection.notifies(timeout=TRIAL, stop_after=1)):
            return connection
        connection.close()
        return None

    def wake_followers(self) -> None:
        """Notify the channel, after the commit and in a separate transaction.

        In the appending transaction, a notification would make PostgreSQL commit one transaction at a time. A lost
        notification does no harm, so this commit does not wait for the disk.
        """
        now = time.monotonic()
        if now - self._notified_at >= NOTIFY_EVERY:
            self._notified_at = now
            self.rows(f"SELECT pg_notify('{CHANNEL}', ''), set_config('synchronous_commit', 'off', true)")

    def mark_transaction(self, cursor: CursorWrapper, owner: str) -> None:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [mark_of(owner)])

    def end_frozen_transaction(self, owner: str) -> bool:
        return bool(self.rows(_END_FROZEN, [FROZEN, mark_of(owner)]))

    def server_time(self) -> datetime | None:
        moment: datetime = self.rows("SELECT clock_timestamp()")[0][0]
        return moment

    def blocker(self) -> Blocker | None:
        found = self.rows(
            """SELECT pid, datname, role, application, state, since FROM (
                   SELECT pid, COALESCE(datname, '') AS datname, COALESCE(usename, '') AS role,
                       COALESCE(application_name, '') AS application, COALESCE(state, '') AS state,
                       xact_start AS since, backend_xid AS xid
                   FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
                   UNION ALL
                   SELECT 0, database, owner, gid, 'prepared', prepared, transaction FROM pg_prepared_xacts
               ) AS writing ORDER BY age(xid) DESC LIMIT 1"""
        )
        return Blocker(*found[0]) if found else None

    def check_connection(self) -> None:
        """Connect beside the pool, which would wait for its time-out and hide the reason."""
        self.connect().close()

    def connect(self) -> Any:
        """Return a psycopg connection in autocommit, outside of Django and any pool.

        Raises:
            django.db.OperationalError: the database does not answer.
        """
        connection: Any = self.connection
        parameters = connection.get_connection_params()
        for name in ("pool", "context"):
            parameters.pop(name, None)
        parameters["cursor_factory"] = psycopg.Cursor
        with connection.wrap_database_errors:
            return psycopg.connect(**parameters, autocommit=True)
