"""Subscriptions: named readers of the log, each with a checkpoint on the write side.

A subscriber answers the events that concern it, in the order of the log. Delivery is at least once: a process may die
between an answer and the move of the checkpoint, so two answers to an event must have the effect of one.

A lease lets one process at a time work on a subscription. It saves work, and is not needed for correctness. It ends by
the database's clock if its process dies. A lease that ends later than `LEASE` from now is ignored, because that clock
was set back.
"""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from . import parked_events, store
from .backends import backend_of
from .errors import outage_behind
from .events import START, LogPosition, RecordedEvent
from .parked_events import NeedsNewerVersion as NeedsNewerVersion

logger = logging.getLogger(__name__)

LEASE = 3.0
"""Seconds from each renewal of a lease to its end."""
RENEWAL = 1.0
"""Seconds between two renewals of a lease. Each moves the checkpoint."""
SELDOM = 1.0
"""The shortest time in seconds between two moves of a checkpoint over events that concern nobody."""
BATCH = 1000
"""The largest number of events in memory."""


class Later(Exception):
    """An event cannot be answered now, and the subscriber is not at fault. The subscription waits, without an error."""


class Subscriber(NamedTuple):
    """The reader of a subscription.

    Attributes:
        name: the name of the subscription.
        skipped: the types of events that never concern it. An event of any other type is read, also of one that this
            version of the program does not know: a newer version may know what follows from it.
        concerns: returns whether an event has to be answered. It reads and writes nothing.
        answer: answers an event. It may be called again for the same event, and then changes nothing. It raises
            `NeedsNewerVersion` for an event to park, and `Later` for one that has to wait.
    """

    name: str
    skipped: Collection[str]
    concerns: Callable[[RecordedEvent], bool]
    answer: Callable[[RecordedEvent], object]


class Standing(Enum):
    """The result of following a subscription."""

    UP_TO_DATE = "all readable events are answered"
    UNFINISHED = "there is more to do"
    WAITING = "another process works on it, or an event has to be answered later"
    STOPPED = "the subscriber raised an error"


class Row(NamedTuple):
    """The row of a subscription. `moved` is true if its checkpoint has moved within the last `SELDOM` seconds."""

    name: str
    log_position: LogPosition
    error: str
    is_leased: bool
    moved: bool


def rows(names: Sequence[str]) -> dict[str, Row]:
    """Return the rows of subscriptions. A new one begins at the start of the log."""
    backend = backend_of()
    select = f"""
        SELECT name, transaction_id, position, error, {is_leased()}, updated_at > {backend.time_in(-SELDOM)}
        FROM eventstore_subscription WHERE name IN ({_marks(names)})
    """
    found = backend.rows(select, names)
    if len(found) < len(names):
        with backend.transaction() as cursor:
            for name in sorted(set(names) - {row[0] for row in found}):
                cursor.execute(
                    f"""INSERT INTO eventstore_subscription (name, transaction_id, position, updated_at, error, worker)
                        VALUES (%s, 0, 0, {backend.time_in(0)}, '', '') ON CONFLICT (name) DO NOTHING""",
                    [name],
                )
        found = backend.rows(select, names)
    return {
        name: Row(name, LogPosition(transaction_id, position), error, bool(leased), bool(moved))
        for name, transaction_id, position, error, leased, moved in found
    }


def follow(
    subscriber: Subscriber, *, go_on: Callable[[], bool] = lambda: True, retry: bool = False
) -> tuple[Standing, LogPosition]:
    """Answer the events after the checkpoint that concern a subscriber, unless another process does.

    Args:
        go_on: called before each event that concerns the subscriber, and between two batches; False ends the work.
        retry: whether to try again the event at which the subscription has stopped.

    Returns:
        The standing, and the log position up to which events are answered.

    Raises:
        django.db.DatabaseError: the database is unavailable.
    """
    row = rows([subscriber.name])[subscriber.name]
    if row.error and not retry:
        return Standing.STOPPED, row.log_position
    standing, before = _pass_others(subscriber, row.log_position, go_on)
    if standing is not Standing.WAITING:
        return standing, before
    held = None if row.is_leased else _Held.of(subscriber.name)
    if held is None:
        return Standing.WAITING, row.log_position
    return _answer_all(subscriber, held, go_on), held.log_position


def _pass_others(subscriber: Subscriber, after: LogPosition, go_on: Callable[[], bool]) -> tuple[Standing, LogPosition]:
    """Return the log position before the next event that concerns a subscriber; WAITING if there is one."""
    while True:
        events = store.read_all(after, limit=BATCH, without=subscriber.skipped)
        for event in events:
            if subscriber.concerns(event):
                return Standing.WAITING, after
            after = event.log_position
        if len(events) < BATCH:
            return Standing.UP_TO_DATE, after
        if not go_on():
            return Standing.UNFINISHED, after


def _answer_all(subscriber: Subscriber, held: "_Held", go_on: Callable[[], bool]) -> Standing:
    while events := store.read_all(held.log_position, limit=BATCH, without=subscriber.skipped):
        for event in events:
            if subscriber.concerns(event):
                if not go_on():
                    held.give_back()
                    return Standing.UNFINISHED
                if fault := _answer(subscriber, held, event):
                    return fault
            held.log_position = event.log_position
            if not held.renew():
                return Standing.WAITING
        if len(events) == BATCH and not go_on():
            held.give_back()
            return Standing.UNFINISHED
    return Standing.UP_TO_DATE if held.give_back() else Standing.WAITING


def _answer(subscriber: Subscriber, held: "_Held", event: RecordedEvent) -> Standing | None:
    """Answer an event, or park it. Return None, or the standing if neither can be done."""
    try:
        subscriber.answer(event)
    except NeedsNewerVersion as error:
        logger.warning("%s parks event %d: %s", subscriber.name, event.position, error)
        parked_events.park(subscriber.name, event, error)
    except Exception as error:
        if isinstance(error, Later) or outage_behind(error):
            logger.warning("%s answers event %d later: %s", subscriber.name, event.position, error)
            held.give_back()
            return Standing.WAITING
        logger.exception("%s has stopped at event %d", subscriber.name, event.position)
        held.stop(event, error)
        return Standing.STOPPED
    return None


class _Held:
    """A subscription that this process works on.

    Each write also checks that no other process has taken the subscription over, and no operator has set it back.
    """

    def __init__(self, name: str, worker: str, log_position: LogPosition) -> None:
        self.name, self.worker, self.log_position = name, worker, log_position
        self._begun_at = log_position
        self._renew_at = time.monotonic() + RENEWAL

    @classmethod
    def of(cls, name: str) -> "_Held | None":
        """Return the subscription with its lease, or None if another process has it."""
        worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        found = _write(
            f"""UPDATE eventstore_subscription SET worker = %s, leased_until = {backend_of().time_in(LEASE)}
                WHERE name = %s AND NOT {is_leased()} RETURNING transaction_id, position""",
            [worker, name],
        )
        return cls(name, worker, LogPosition(*found[0])) if found else None

    def renew(self) -> bool:
        """Renew the lease if it is due. Return whether this process still has it."""
        if time.monotonic() < self._renew_at:
            return True
        self._renew_at = time.monotonic() + RENEWAL
        return self._write({"leased_until": backend_of().time_in(LEASE)})

    def give_back(self) -> bool:
        """End the lease. Return whether this process still had it."""
        return self._write(_FREE)

    def stop(self, event: RecordedEvent, error: Exception) -> None:
        """Record an error, and end the lease."""
        failed = {"error": "%s", "failed_position": "%s", "failed_at": backend_of().time_in(0)}
        self._write({**failed, **_FREE}, [parked_events.text_of(error), event.position])

    def _write(self, changes: Mapping[str, str], values: Sequence[Any] = ()) -> bool:
        """Change the row. If events were answered, move its checkpoint and clear the error, which was of one of them.

        Return whether this process has the subscription.
        """
        if self.log_position != self._begun_at:
            changes, values = {**_moved(), **changes}, [*self.log_position, *values]
        return _update(changes, "name = %s AND worker = %s", [*values, self.name, self.worker])


_FREE = {"worker": "''", "leased_until": "NULL"}


def _moved() -> dict[str, str]:
    """Return the changes of a row whose checkpoint moves. The values are those of the new log position."""
    place = {"transaction_id": "%s", "position": "%s", "updated_at": backend_of().time_in(0)}
    return {**place, "error": "''", "failed_position": "NULL", "failed_at": "NULL"}


def pass_over(checkpoints: Mapping[str, LogPosition], end: LogPosition) -> None:
    """Move checkpoints to a log position, in one small write.

    Args:
        checkpoints: by subscription, the log position after which no event up to the end concerns it. A checkpoint that
            was set back before it stays.
    """
    each = "(name = %s AND (transaction_id, position) >= (%s, %s))"
    which = f"({' OR '.join([each] * len(checkpoints))}) AND (transaction_id, position) < (%s, %s)"
    values = [value for name, checkpoint in checkpoints.items() for value in (name, *checkpoint)]
    _update(_moved(), f"{which} AND NOT {is_leased()}", [*end, *values, *end])


def set_back(name: str, position: int = 0) -> LogPosition | None:
    """Move a checkpoint back, so that all events at higher positions are answered again.

    Return the new checkpoint, or None if the subscription has not come that far. Answered again, an event changes
    nothing.
    """
    first = backend_of().rows(
        f"""SELECT transaction_id, position FROM eventstore_event WHERE position > %s
            ORDER BY {backend_of().log_order} LIMIT 1""",
        [position],
    )
    before = LogPosition(first[0][0], first[0][1] - 1) if first and position else START
    which = "name = %s AND (transaction_id, position) > (%s, %s)"
    return before if _update({**_moved(), **_FREE}, which, [*before, name, *before]) else None


def _update(changes: Mapping[str, str], which: str, values: Sequence[Any]) -> bool:
    """Change rows, and return whether there were any."""
    assignments = ", ".join(f"{column} = {value}" for column, value in changes.items())
    return bool(_write(f"UPDATE eventstore_subscription SET {assignments} WHERE {which} RETURNING name", values))


def _write(statement: str, values: Sequence[Any]) -> list[Any]:
    with backend_of().transaction() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def is_leased() -> str:
    """Return the SQL condition that a process works on a subscription now."""
    now, latest = backend_of().time_in(0), backend_of().time_in(LEASE)
    return f"COALESCE(leased_until > {now} AND leased_until <= {latest}, FALSE)"


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))
