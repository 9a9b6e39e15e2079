"""What only PostgreSQL has: transaction ids that start over on another server, notifications, locks of its own.

SQLite needs none of it, and every function here does without where a database is not PostgreSQL.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakSet

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from . import prepared

WRITE_SIDE = "default"
CHANNEL = "events_appended"
"""The channel on which those who follow the log are woken."""
MARGIN = 2**40
"""How far the transaction ids of a log are moved on when it is found on a server whose own are lower.

So far that what was appended elsewhere after the copy was taken, and is lost, was lower too: a read side that had
seen it does not take the new events for old ones.
"""
LONGEST_IDLE = 10_000
"""Milliseconds after which the server ends a transaction that holds a lock and does nothing: its process is frozen."""
NOTIFY_EVERY = 0.05
"""Seconds between two notifications of one process. Whoever was woken looks again by itself after as long."""

_NOTHING = nullcontext()
TRIAL = 2.0
"""Seconds in which a notification that was sent for trial has to come."""


def is_postgresql(alias: str) -> bool:
    """Tell whether a database is PostgreSQL."""
    return "postgresql" in connections.settings[alias]["ENGINE"]  # a connection takes longer to find


# Another server


_known: WeakSet[Any] = WeakSet()


def adopt_log(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Let the log's transaction ids go on rising where it was restored on a server whose own start over.

    Called for each connection, and asks the database once for each that is new. See `models.Epoch`. Rejected commands
    have no events, but heads cover them in the order of their transaction ids; the last ones are found by an index.
    """
    if connection.alias != WRITE_SIDE or connection.vendor != "postgresql" or connection.connection in _known:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attname = 'transaction_id'
               AND attrelid = to_regclass('eventstore_commandrecord'))"""
        )
        if not cursor.fetchone()[0]:  # not migrated yet: the table of epochs is older than this column
            return
        cursor.execute(
            """INSERT INTO eventstore_epoch (number, shift, began_at)
               SELECT (SELECT COALESCE(MAX(number), 0) + 1 FROM eventstore_epoch), log.last + %s, now()
               FROM (SELECT MAX(transaction_id) AS last FROM (
                   SELECT MAX(transaction_id) AS transaction_id FROM eventstore_event
                   UNION ALL (SELECT transaction_id FROM eventstore_commandrecord WHERE outcome = 'rejected'
                              ORDER BY received_at DESC LIMIT 100)
               ) AS recorded) AS log
               WHERE log.last >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + eventstore_shift()
               ON CONFLICT (number) DO NOTHING""",
            [MARGIN],
        )
    _known.add(connection.connection)


# Waking those who follow the log


_notified_at = 0.0
_NOTIFY = f"SELECT pg_notify('{CHANNEL}', ''), set_config('synchronous_commit', 'off', true)"


def notify() -> None:
    """Wake those who follow the log, unless this process has just done so.

    It comes after the commit and in a transaction of its own: within the one that appends, PostgreSQL would let
    the commits wait for one another. Nothing is lost with it, so it need not wait for the disk either.
    """
    global _notified_at
    now = time.monotonic()
    if now - _notified_at < NOTIFY_EVERY or not is_postgresql(WRITE_SIDE):
        return
    _notified_at = now
    prepared.rows(connections[WRITE_SIDE], _NOTIFY, [])


def listen() -> Any:
    """Return a connection of its own to which the notifications come, or None where they do not come through."""
    connection = connect(WRITE_SIDE)
    connection.execute(f"LISTEN {CHANNEL}")
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")
    if any(connection.notifies(timeout=TRIAL, stop_after=1)):
        return connection
    connection.close()
    return None


# What goes with each transaction


@contextmanager
def beginning_with(alias: str, statement: str) -> Iterator[None]:
    """Let each transaction of this thread begin with a statement, in one message with its own first one.

    So it costs no round trip, and what it sets for the transaction alone is left behind in no pooler's connection.
    A statement that is a transaction by itself is one here too.
    """

    def begin(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        under_way = context["connection"].connection.pgconn.transaction_status
        if under_way or many or context["connection"].features.uses_server_side_binding:
            return execute(sql, values, many, context)
        execute(f"{statement}; {sql}", values, many, context)
        context["cursor"].set_result(-1)  # what the caller has asked for
        return None

    if not is_postgresql(alias):
        yield
        return
    with connections[alias].execute_wrapper(begin):
        yield


def limited(alias: str, longest_wait: int) -> AbstractContextManager[None]:
    """Let no transaction of the block wait for a lock for more milliseconds, nor go on when its process is frozen.

    On the write side's own connection to the server that is said once, and stays.
    """
    if not is_postgresql(alias):
        return _NOTHING
    if alias == WRITE_SIDE and (session := prepared.session(connection := connections[alias])):
        if session.longest_wait != longest_wait:
            _limit(connection, longest_wait)
            session.longest_wait = longest_wait
        return _NOTHING
    idle = f"SET LOCAL idle_in_transaction_session_timeout = {LONGEST_IDLE}"
    return beginning_with(alias, f"SET LOCAL lock_timeout = {longest_wait}; {idle}")


def _limit(connection: BaseDatabaseWrapper, longest_wait: int) -> None:
    idle = f"SET idle_in_transaction_session_timeout = {LONGEST_IDLE}"
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {longest_wait}; {idle}")


def pipelined(connection: BaseDatabaseWrapper) -> AbstractContextManager[Any]:
    """Send the statements of a block one after the other without waiting for the answers in between.

    A cursor on which nothing is read may send several; one that reads sends that statement alone.
    """
    return _pipelined(connection) if connection.vendor == "postgresql" else _NOTHING


@contextmanager
def _pipelined(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


# Connections of their own


def connect(alias: str) -> Any:
    """Return a psycopg connection beside Django's own and outside of any pool, in autocommit.

    Raises:
        django.db.OperationalError: the database does not answer.
    """
    import psycopg  # SQLite needs none of it

    parameters = connections[alias].get_connection_params()
    parameters.pop("pool", None)
    parameters["cursor_factory"] = psycopg.Cursor
    parameters.pop("context", None)
    with connections[alias].wrap_database_errors:
        return psycopg.connect(**parameters, autocommit=True)


# What holds the read side back


class Blocker(NamedTuple):
    """The oldest transaction of the server that has written and not ended. `since` is unknown to other roles."""

    process: int
    database: str
    role: str
    application: str
    state: str
    since: datetime | None

    def __str__(self) -> str:
        who = f"process {self.process} (role {self.role}, application {self.application}, database {self.database})"
        since = f"since {timezone.localtime(self.since):%Y-%m-%d %H:%M:%S}" if self.since else "for an unknown time"
        return f"{who}, {self.state or 'under way'} {since}"


def oldest_writer() -> Blocker | None:
    """Return the transaction behind which nothing may be read yet, if there is one."""
    if not is_postgresql(WRITE_SIDE):
        return None
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute(
            """SELECT pid, COALESCE(datname, ''), COALESCE(usename, ''), COALESCE(application_name, ''),
                      COALESCE(state, ''), xact_start
               FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
               ORDER BY age(backend_xid) DESC LIMIT 1"""
        )
        row = cursor.fetchone()
    return row and Blocker(*row)
