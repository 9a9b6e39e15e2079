"""The interface of a backend: what the store and the engine need of a database beyond plain SQL."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from ..events import LogPosition, RecordedEvent

LOCK_TIMEOUT = 2500
"""Milliseconds that a command or a projection waits for a lock on PostgreSQL. SQLite's limit is in the settings."""

COMMAND_COLUMNS = """
    id, name, actor, received_at, outcome, reason, message, stream, version, event_count, fingerprint, seal
"""
INSERT_COMMAND = f"""
    INSERT INTO eventstore_commandrecord ({COMMAND_COLUMNS}, position)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class Blocker(NamedTuple):
    """The oldest transaction of the server that has written and not ended. `since` is unknown to other roles.

    A prepared transaction has no process. Its `application` is the name that it was prepared under.
    """

    process: int
    database: str
    role: str
    application: str
    state: str
    since: datetime | None

    def __str__(self) -> str:
        if self.process:
            place = f"application {self.application}, database {self.database}"
            who = f"the transaction of process {self.process} (role {self.role}, {place})"
        else:
            who = f"the prepared transaction {self.application!r} (role {self.role}, database {self.database})"
        since = f"since {timezone.localtime(self.since):%Y-%m-%d %H:%M:%S}" if self.since else "for an unknown time"
        return f"{who}, {self.state or 'under way'} {since}"


class Backend(ABC):
    """One database.

    Args:
        alias: the key of the database in Django's settings.
    """

    log_order: ClassVar[str]
    """The columns by which the log is ordered, separated by commas."""
    log_after: ClassVar[str]
    """The condition that an event comes after a log position, whose values are those of `values_of`."""
    is_readable: ClassVar[str]
    """The condition that no event can be committed any more before this one."""
    notifies: ClassVar[bool] = False
    """Whether `wake_followers` reaches processes that `listen`."""
    snapshot_columns: ClassVar[str] = "state, hash AS digest, seal"
    """What to read of a snapshot, whatever its columns hold."""
    for_update: ClassVar[str] = ""
    """The end of a SELECT that locks the rows it returns."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """Django's connection of this thread."""
        return connections[self.alias]

    @abstractmethod
    def transaction(
        self, *, lock_timeout: int | None = None, one_statement: bool = False
    ) -> AbstractContextManager[CursorWrapper]:
        """Return a write transaction that yields its cursor. It must not be part of another one.

        Args:
            lock_timeout: milliseconds that a statement of it waits for a lock on PostgreSQL; `LOCK_TIMEOUT` by default.
            one_statement: one call of `insert_event` is all that follows. PostgreSQL then needs no BEGIN and COMMIT.
        """

    @abstractmethod
    def stream_lock(self, stream: str, *, stand_back: bool = False) -> AbstractContextManager[CursorWrapper]:
        """Return a write transaction that holds a stream alone.

        Args:
            stand_back: let the writer that has just won the stream append again first.
        """

    @abstractmethod
    def insert_event(
        self, cursor: CursorWrapper, row: Sequence[Any], previous_hash: bytes, command: Sequence[Any] = ()
    ) -> tuple[int, int] | None:
        """Insert an event after the event of its stream that has this hash.

        Args:
            row: the values of the columns of `rows.COLUMNS` that the database does not set.
            command: the values of `COMMAND_COLUMNS`, to insert the record of the command with its last event.

        Returns:
            The event's transaction id and position, or None where the event before it is another one or missing, or
            another writer holds the stream lock.
        """

    @abstractmethod
    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query that is sent often."""

    @abstractmethod
    def adapt(self, value: Any) -> Any:
        """Return a moment or a UUID as the driver of this database takes it."""

    @abstractmethod
    def values_of(self, position: LogPosition) -> Sequence[int]:
        """Return the values for `log_after`."""

    def follow(self, events: Sequence[RecordedEvent], checkpoint: LogPosition) -> bool:
        """Return whether events are certain to be the next ones after a checkpoint."""
        return False

    @abstractmethod
    def one_moment(self) -> AbstractContextManager[None]:
        """Return a read transaction that shows the database as it is at its first query. No writer waits for it."""

    def read_one_snapshot(self, cursor: CursorWrapper) -> None:  # noqa: B027 - a database that needs none does nothing
        """Let a transaction that begins see one snapshot of the database, with what it writes itself."""

    def keep_tables(self, cursor: CursorWrapper, tables: Sequence[str]) -> None:  # noqa: B027 - as above
        """Let no other table take the place of one of these until the transaction ends."""

    def lock_table(self, cursor: CursorWrapper, table: str, wait: float | None = None) -> None:  # noqa: B027 - as above
        """Keep everybody else out of a table until the transaction ends.

        Args:
            wait: the seconds that the lock is waited for.

        Raises:
            django.db.OperationalError: somebody uses the table; see `errors.is_busy`.
        """

    def primary_key_of(self, cursor: CursorWrapper, table: str) -> str:
        """Return the name of a table's primary key where it has one, which stays when the table is renamed."""
        return ""

    @abstractmethod
    def process_lock(self, name: str, *, wait: bool) -> AbstractContextManager[bool]:
        """Return a lock that one process of the whole system can hold; it yields whether this process holds it.

        The lock ends with the process. Processes that use the same database know of each other's locks.

        Args:
            wait: whether to wait until the lock is free.
        """

    def limit_waits(self) -> None:  # noqa: B027 - a database that needs none does nothing
        """Let no statement of this connection wait for a lock for longer than `LOCK_TIMEOUT`, if it can be set."""

    def listen(self) -> Any:
        """Return a connection to which the notifications of `wake_followers` come, or None where none arrive."""
        return None

    def wake_followers(self) -> None:  # noqa: B027 - a database that needs none does nothing
        """Wake the processes that follow the log, unless this process has just done so."""

    def mark_transaction(self, cursor: CursorWrapper, owner: str) -> None:  # noqa: B027 - a database that needs none does nothing
        """Let `end_frozen_transaction` find this transaction by its owner."""

    def end_frozen_transaction(self, owner: str) -> bool:
        """End the transaction that an owner has marked and in which its process is frozen, and return whether it was.

        SQLite's locks are the process's own.
        """
        return False

    def server_time(self) -> datetime | None:
        """Return the time of the database's own clock, or None where it has none."""
        return None

    def blocker(self) -> Blocker | None:
        """Return the transaction behind which events cannot be read yet, if there is one."""
        return None

    def check_connection(self) -> None:
        """Connect to the database.

        Raises:
            django.db.DatabaseError: the database does not answer.
        """
        self.connection.ensure_connection()
