"""Errors of the event store, and the meaning of database errors on SQLite and PostgreSQL."""

import sqlite3

from django.db import DatabaseError, InterfaceError, OperationalError

SQLITE_OUTAGES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
"""SQLite's error codes for a file that is locked or inaccessible, and for a full disk."""
POSTGRESQL_OUTAGES = ("08", "25006", "25P03", "53", "55P03", "57", "58")
"""Prefixes of the SQLSTATEs of a lost, read-only, exhausted or stopped PostgreSQL server.

See https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""The errors raised by reading a value that the store cannot have written."""


class StoreError(Exception):
    """A refused append. Nothing was written."""


class WrongExpectedVersion(StoreError):
    """The stream is at another version than the writer expected."""


class CommandIdTaken(StoreError):
    """A command with this id is recorded already."""


_MEANINGS: dict[str, type[StoreError]] = {
    # Unique constraints: by name on PostgreSQL, by columns on SQLite.
    "event_stream_version": WrongExpectedVersion,
    "UNIQUE constraint failed: eventstore_event.stream, eventstore_event.version": WrongExpectedVersion,
    "eventstore_commandrecord_pkey": CommandIdTaken,
    "UNIQUE constraint failed: eventstore_commandrecord.id": CommandIdTaken,
    # Messages of the triggers. On SQLite they also refuse an insert that would replace a row.
    "eventstore_event leaves no gap": WrongExpectedVersion,
    "eventstore_event is append-only": WrongExpectedVersion,
    "eventstore_commandrecord is append-only": CommandIdTaken,
    # On SQLite, an event that does not follow the expected one gets no hash.
    "NOT NULL constraint failed: eventstore_event.hash": WrongExpectedVersion,
}
"""The refusal of each constraint name or error message. None depends on the server's language."""


def meaning_of(error: Exception) -> type[StoreError] | None:
    """Return the refusal that an error stands for, or None.

    Only exact texts match. An error that merely mentions a table of the record is none: for example, a NULL in a column
    of a newer version.
    """
    if isinstance(error, StoreError):
        return type(error)
    diagnosis = getattr(error.__cause__, "diag", None)
    return _MEANINGS.get((diagnosis.constraint_name or diagnosis.message_primary) if diagnosis else str(error))


def asks_to_try_again(error: DatabaseError | InterfaceError) -> bool:
    """Return whether PostgreSQL rolled a transaction back for another one: a deadlock or a serialization failure."""
    return _sqlstate(error) in ("40001", "40P01")


def is_busy(error: BaseException) -> bool:
    """Return whether a lock was not free in time. Nothing was written."""
    return _sqlstate(error) in ("55P03", "57014") or "is locked" in str(error)


def is_lost(error: DatabaseError | InterfaceError) -> bool:
    """Return whether the connection to a PostgreSQL server was lost, or could not be made.

    A transaction in flight may have been committed or not.
    """
    if not hasattr(error.__cause__, "sqlstate"):  # SQLite has no server to lose
        return False
    state = _sqlstate(error)
    # No SQLSTATE: a network error. 08: connection exceptions. 57P01-3: the server stops, has crashed or is starting.
    return isinstance(error, OperationalError | InterfaceError) and (
        not state or state.startswith("08") or state in ("57P01", "57P02", "57P03", "25P03")
    )


def is_outage(error: BaseException) -> bool:
    """Return whether an error says that the database is unavailable, and not that a statement or its values are bad."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    if code := getattr(error.__cause__, "sqlite_errorcode", None):
        return code & 0xFF in SQLITE_OUTAGES  # the higher bits are the extended code
    state = _sqlstate(error)
    return state.startswith(POSTGRESQL_OUTAGES) if state else isinstance(error, OperationalError | InterfaceError)


def outage_behind(error: BaseException) -> BaseException | None:
    """Return the outage that caused an error, if one did."""
    behind: BaseException | None = error
    while behind is not None and not is_outage(behind):
        behind = behind.__cause__ or behind.__context__
    return behind


def _sqlstate(error: BaseException) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""
