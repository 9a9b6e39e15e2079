"""The interface of a backend: what the store and the engine need beyond plain SQL."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from ..events import LogPosition, RecordedEvent

LOCK_TIMEOUT = 2000
"""The longest wait of a command or a projection for a lock on PostgreSQL, in milliseconds."""

COMMAND_COLUMNS = """
    id, name, actor, received_at, outcome, reason, message, stream, version, event_count, fingerprint, seal,
    causation
"""
INSERT_COMMAND = f"""
    INSERT INTO eventstore_commandrecord ({COMMAND_COLUMNS}, position)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class Blocker(NamedTuple):
    """The oldest open transaction of the server that has written. Other roles do not see `since`.

    A prepared transaction has no process. Its `application` is the name of the prepared transaction.
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

    name: ClassVar[str]
    """The name of this kind of database."""
    log_order: ClassVar[str]
    """The columns of the log order, separated by commas."""
    log_after: ClassVar[str]
    """The SQL condition that an event follows a log position. Its values are those of `values_of`."""
    is_readable: ClassVar[str]
    """The SQL condition that no event can commit before this one any more."""
    has_transaction_ids: ClassVar[bool]
    """Whether the log order needs transaction ids. Otherwise they are 0."""
    stores_text: ClassVar[bool]
    """Whether ids and times are stored as text, and JSON as the hashed text."""
    record_order: ClassVar[str]
    """The column that orders rejected commands: by insertion, or by transaction."""
    moment_or_null: ClassVar[str]
    """The SQL expression for a time column. It is NULL for a value that the driver cannot read."""
    notifies: ClassVar[bool] = False
    """Whether `wake_followers` reaches processes that `listen`."""
    snapshot_columns: ClassVar[str] = "state, hash AS digest, seal"
    """The columns of a snapshot in a form that the driver can read, whatever they hold."""
    for_update: ClassVar[str] = ""
    """The suffix of a SELECT that locks the returned rows."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """Django's connection of this thread."""
        return connections[self.alias]

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database, otherwise None."""
        return None

    def exists(self) -> bool:
        """Return whether the database exists. It does not connect, because that would create the file."""
        return self.file is None or self.file.exists()

    @abstractmethod
    def transaction(
        self, *, lock_timeout: int | None = None, one_statement: bool = False
    ) -> AbstractContextManager[CursorWrapper]:
        """Return a write transaction that yields its cursor. It must not be nested.

        Args:
            lock_timeout: the longest wait of a statement for a lock on PostgreSQL, in ms; by default `LOCK_TIMEOUT`.
            one_statement: only one call of `insert_event` follows. PostgreSQL then needs no BEGIN and COMMIT.
        """

    @abstractmethod
    def stream_lock(self, stream: str, *, stand_back: bool = False) -> AbstractContextManager[CursorWrapper]:
        """Return a write transaction that holds the lock of a stream.

        Args:
            stand_back: let the last writer of the stream append again first.
        """

    @abstractmethod
    def insert_event(
        self, cursor: CursorWrapper, row: Sequence[Any], previous_hash: bytes, command: Sequence[Any] = ()
    ) -> tuple[int, int] | None:
        """Insert an event after the event of its stream with this hash.

        Args:
            row: the values of the columns of `rows.COLUMNS` that the database does not set.
            command: the values of `COMMAND_COLUMNS`, to insert the command record with the command's last event.

        Returns:
            The event's transaction id and position. None if the previous event is missing or another one, or if another
            writer holds the stream lock.
        """

    @abstractmethod
    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a frequent query."""

    def chunked_rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Sequence[Any]]:
        """Yield the rows of a query, with a few in memory at a time. Call it within `one_moment` only.

        On SQLite, text that is not UTF-8 has lone surrogates in place of the invalid bytes.
        """
        with self.connection.chunked_cursor() as cursor:
            cursor.execute(statement, values)
            while rows := cursor.fetchmany(1000):
                yield from rows

    @abstractmethod
    def adapt(self, value: Any) -> Any:
        """Return a datetime or UUID in the form that the driver takes."""

    @abstractmethod
    def time_in(self, seconds: float) -> str:
        """Return the SQL expression for the time in so many seconds, by the database's clock."""

    @abstractmethod
    def values_of(self, position: LogPosition) -> Sequence[int]:
        """Return the values for `log_after`."""

    def checkpoint_before(self, events: Sequence[RecordedEvent]) -> LogPosition | None:
        """Return the log position that appended events certainly follow without a gap, or None."""
        return None

    @abstractmethod
    def one_moment(self) -> AbstractContextManager[None]:
        """Return a read transaction on one database snapshot. No writer waits for it."""

    def read_one_snapshot(self, cursor: CursorWrapper) -> None:  # noqa: B027 - a database that needs none does nothing
        """Make a new transaction see one database snapshot and its own writes."""

    def keep_tables(self, cursor: CursorWrapper, tables: Sequence[str]) -> None:  # noqa: B027 - as above
        """Let no other table replace one of these until the transaction ends."""

    def lock_table(self, cursor: CursorWrapper, table: str, wait: float | None = None) -> None:  # noqa: B027 - as above
        """Lock a table exclusively until the transaction ends.

        Args:
            wait: the longest wait for the lock, in seconds.

        Raises:
            django.db.OperationalError: the table is in use; see `errors.is_busy`.
        """

    def primary_key_of(self, cursor: CursorWrapper, table: str) -> str:
        """Return the name of a table's primary key constraint, if it has one. Renaming the table does not rename it."""
        return ""

    @abstractmethod
    def settled_ends(self) -> tuple[LogPosition, int]:
        """Return the log position and the order key up to which no commit can add an event or a rejected command."""

    def last_given(self) -> Any:
        """Return the last position given to an event, or None if the database does not store it."""
        return None

    @abstractmethod
    def definitions(self, table: str) -> list[Sequence[str]]:
        """Return the names and definitions of a table, its columns, constraints, triggers and rules."""

    def function_definitions(self, names: Sequence[str]) -> list[Sequence[str]]:
        """Return the names and definitions of functions and of the setting that disables triggers."""
        return []

    @abstractmethod
    def process_lock(self, name: str, *, wait: bool) -> AbstractContextManager[bool]:
        """Return a lock that one process of the whole system can hold. It yields whether this process holds it.

        It ends with the process, and covers all processes that use the same database.

        Args:
            wait: whether to wait until the lock is free.
        """

    def limit_waits(self) -> None:  # noqa: B027 - a database that needs none does nothing
        """Limit the lock waits of this connection's statements to `LOCK_TIMEOUT`, if the connection allows it."""

    def listen(self) -> Any:
        """Return a connection that receives the notifications of `wake_followers`, or None if none arrive."""
        return None

    def wake_followers(self) -> None:  # noqa: B027 - a database that needs none does nothing
        """Notify the processes that follow the log, unless this process has done so a moment ago."""

    def mark_transaction(self, cursor: CursorWrapper, owner: str) -> None:  # noqa: B027 - a database that needs none does nothing
        """Mark this transaction for `end_frozen_transaction`."""

    def end_frozen_transaction(self, owner: str) -> bool:
        """End the transaction of a frozen process that this owner has marked. Return whether there was one.

        SQLite's locks end with their process.
        """
        return False

    def server_time(self) -> datetime | None:
        """Return the time of the database's own clock, or None if it has none."""
        return None

    def blocker(self) -> Blocker | None:
        """Return the transaction that holds events back, or None."""
        return None

    def check_connection(self) -> None:
        """Check that the database answers.

        Raises:
            django.db.DatabaseError: it does not.
        """
        self.connection.ensure_connection()
