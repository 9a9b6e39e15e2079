"""What can go wrong in the event store, in its own words, whichever database said it."""

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError


class StoreError(Exception):
    """An append that was refused; nothing was written."""


class WrongExpectedVersion(StoreError):
    """The stream is not at the version that the writer had read."""


class CommandIdTaken(StoreError):
    """A command with this id is on record already."""


def meaning_of(error: IntegrityError) -> type[StoreError] | None:
    """Return which of the store's own refusals a database's refusal is, if it is one of them.

    The database names the constraint or the trigger, in whatever language it speaks.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    said = f"{diagnosis.constraint_name} {diagnosis.message_primary}" if diagnosis else str(error)
    if "eventstore_commandrecord" in said:
        return CommandIdTaken
    if "eventstore_event" in said or "event_stream_version" in said:
        return WrongExpectedVersion
    return None


def asks_to_try_again(error: DatabaseError | InterfaceError) -> bool:
    """Tell whether PostgreSQL broke a transaction off for the sake of another: a deadlock, a failed serialization."""
    return _sqlstate(error) in ("40001", "40P01")


def is_busy(error: DatabaseError | InterfaceError) -> bool:
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


def _sqlstate(error: DatabaseError | InterfaceError) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""
