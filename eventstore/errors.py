"""What can go wrong in the event store, in its own words, whichever database said it."""

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
"""What SQLite says when its file is locked, cannot be written, read or opened, or when the disk is full."""
POSTGRESQL_OUTAGES = ("08", "25006", "25P03", "53", "55P03", "57", "58")
"""How the SQLSTATE begins when PostgreSQL is lost, is only a standby, lacks a resource, or was stopped in the middle.

See https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""


class StoreError(Exception):
    """An append that was refused; nothing was written."""


class WrongExpectedVersion(StoreError):
    """The stream is not at the version that the writer had read."""


class CommandIdTaken(StoreError):
    """A command with this id is on record already."""


_MEANINGS: dict[str, type[StoreError]] = {
    # Unique constraints, as PostgreSQL names them and as SQLite reports them.
    "event_stream_version": WrongExpectedVersion,
    "UNIQUE constraint failed: eventstore_event.stream, eventstore_event.version": WrongExpectedVersion,
    "eventstore_commandrecord_pkey": CommandIdTaken,
    "UNIQUE constraint failed: eventstore_commandrecord.id": CommandIdTaken,
    # The triggers' own texts. On SQLite they also refuse an insert in the place of an existing row.
    "eventstore_event leaves no gap": WrongExpectedVersion,
    "eventstore_event is append-only": WrongExpectedVersion,
    "eventstore_commandrecord is append-only": CommandIdTaken,
    # On SQLite, an event gets no hash unless it follows the expected one.
    "NOT NULL constraint failed: eventstore_event.hash": WrongExpectedVersion,
}
"""The refusals by the exact name of a constraint or text of an error, whatever the server's language."""


def meaning_of(error: Exception) -> type[StoreError] | None:
    """Return which refusal of the store an error is, or None.

    An error that merely mentions a table of the record, such as a NULL in a column that a newer version has added, is
    none of them.
    """
    if isinstance(error, StoreError):
        return type(error)
    diagnosis = getattr(error.__cause__, "diag", None)
    return _MEANINGS.get((diagnosis.constraint_name or diagnosis.message_primary) if diagnosis else str(error))


def asks_to_try_again(error: DatabaseError | InterfaceError) -> bool:
    """Tell whether PostgreSQL broke a transaction off for the sake of another: a deadlock, a failed serialization."""
    return _sqlstate(error) in ("40001", "40P01")


def is_busy(error: BaseException) -> bool:
    """Tell whether somebody else held a lock for too long. Nothing was written."""
    return _sqlstate(error) in ("55P03", "57014") or "is locked" in str(error)


def is_lost(error: DatabaseError | InterfaceError) -> bool:
    """Tell whether the connection to a PostgreSQL server was lost, or could not be made.

    What was under way when it was lost may have been committed or not.
    """
    if not hasattr(error.__cause__, "sqlstate"):  # SQLite's files are not lost
        return False
    state = _sqlstate(error)
    # No state: the network said it. 08: connection exceptions. 57P01-3: the server stops, has crashed or starts.
    return isinstance(error, OperationalError | InterfaceError) and (
        not state or state.startswith("08") or state in ("57P01", "57P02", "57P03", "25P03")
    )


def is_outage(error: BaseException) -> bool:
    """Tell whether an error says that a database cannot do its work now, and nothing of what it was asked."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    if code := getattr(error.__cause__, "sqlite_errorcode", None):
        return code & 0xFF in SQLITE_OUTAGES  # the rest of the number is detail
    state = _sqlstate(error)
    return state.startswith(POSTGRESQL_OUTAGES) if state else isinstance(error, OperationalError | InterfaceError)


def outage_behind(error: BaseException) -> BaseException | None:
    """Return the outage that led to an error, if one did: what fails after it fails because of it."""
    behind: BaseException | None = error
    while behind is not None and not is_outage(behind):
        behind = behind.__cause__ or behind.__context__
    return behind


def _sqlstate(error: BaseException) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""
