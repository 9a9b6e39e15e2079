"""The one way events reach the read side's tables.

`catch_up` locks the checkpoints, reads the events after them, applies them and moves the checkpoints in the same
transaction, so that each event counts exactly once, however often or rarely it is called. The signal, the worker
and a replay all end here.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from eventstore import store
from eventstore.backends import postgresql, prepared
from eventstore.backends.rows import to_column
from eventstore.backends.transactions import writing
from eventstore.events import Place, RecordedEvent

from . import pipeline
from .projectors import PROJECTORS
from .projectors.base import Projector
from .projectors.batches import Batch
from .routers import READ_SIDE

logger = logging.getLogger(__name__)

BATCH = 1000
"""How many events go into one transaction: a tenth of a second's work or less."""
FEW = 8
"""How many go into one where a command applies what it has just appended: its own, and what others did meanwhile."""


class UnknownProjection(Exception):
    """There is no projection of this name."""


def projectors(names: Iterable[str] = (), suffix: str = "") -> Sequence[Projector]:
    """Return the named projectors, or all; always the same ones.

    Raises:
        UnknownProjection
    """
    return _projectors(tuple(names), suffix)


@lru_cache
def _projectors(names: Sequence[str], suffix: str) -> Sequence[Projector]:
    wanted = names or list(PROJECTORS)
    if unknown := [name for name in wanted if name not in PROJECTORS]:
        raise UnknownProjection(f"There is no projection {', '.join(unknown)}; there are {', '.join(PROJECTORS)}.")
    return tuple(PROJECTORS[name](suffix) for name in dict.fromkeys(wanted))


def keep_up(events: Sequence[RecordedEvent]) -> bool:
    """Bring all projections up to events that have just been appended, where PostgreSQL keeps statements prepared.

    It takes three messages, and no look at the log where somebody else has applied them meanwhile. What that is not
    made for, many events or a projection that fails, is for `catch_up`.

    Returns:
        Whether nothing is left to do.
    """
    if not events or not postgresql.is_postgresql(READ_SIDE) or not prepared.keeps(connections[READ_SIDE]):
        return False
    try:
        with pipeline.transaction(connections[READ_SIDE]) as cursor:
            return _apply_next(cursor, projectors(), FEW, wanted=events[-1].place) < FEW
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # it will come again
        return False


def catch_up(
    names: Iterable[str] = (), *, events: Sequence[RecordedEvent] = (), go_on: Callable[[], bool] = lambda: True
) -> int:
    """Bring the named projections, or all, up to the end of the log, or of the events that the caller has in hand.

    A projection that raises is left where it was, its failure on its checkpoint; the others go on.

    Args:
        events: events that the caller has in hand; they are used when they are just the next ones.
        go_on: asked between two batches.

    Returns:
        How many events were applied to the projection that was furthest behind.
    """
    chosen = projectors(names)
    applied = 0
    try:
        if events and _apply_in_hand(chosen, events):
            return len(events)
        while go_on() and (count := _advance(chosen, BATCH)):
            applied += count
            if count < BATCH:
                break
    except (OperationalError, InterfaceError):  # the database's fault and no projection's
        raise
    except Exception:
        logger.exception("A projection failed; each goes on by itself")
        for projector in chosen:
            _advance_alone(projector, go_on)
    return applied


class _NotNext(Exception):
    """The events in hand are the next ones of some projections only."""


def _apply_in_hand(chosen: Sequence[Projector], events: Sequence[RecordedEvent]) -> bool:
    """Apply events that the caller has in hand if all projections come to them now; tell whether they do.

    It is what a command does in a bank where nobody else is at work just then, so it reads nothing beforehand. On
    SQLite one writer at a time makes positions follow one another without gaps, and the checkpoints need no order in
    which everybody locks them.
    """
    connection = connections[READ_SIDE]
    if connection.vendor == "postgresql" or postgresql.is_postgresql(store.WRITE_SIDE):
        return False
    names = [projector.name for projector in chosen]
    try:
        with writing(connection) as cursor:
            move_checkpoints(cursor, names, events[-1].place, after=events[0].position - 1)
            moved = cursor.rowcount
            if moved == len(names):
                _apply(cursor, chosen, Batch.of(events))
            elif moved:
                raise _NotNext
        return bool(moved)
    except _NotNext:
        return False


def _advance(chosen: Sequence[Projector], batch: int) -> int:
    """Apply the next batch in one transaction, and return how many events the largest share of it had."""
    with writing(connections[READ_SIDE]) as cursor:
        return _apply_next(cursor, chosen, batch)


def _apply_next(cursor: CursorWrapper, chosen: Sequence[Projector], batch: int, *, wanted: Place | None = None) -> int:
    """Apply the next batch within a transaction; nothing if all have come as far as wanted."""
    most = 0
    places = lock_checkpoints(cursor, [projector.name for projector in chosen])
    if wanted and min(places.values()) >= wanted:  # somebody else was at it, for whom the lock was waited
        return 0
    for place, group in groupby(sorted(chosen, key=lambda p: places[p.name]), lambda p: places[p.name]):
        following = store.read_columns(place, limit=batch)
        if following:
            members = list(group)
            with pipeline.sending(cursor):
                _apply(cursor, members, Batch(following))
                move_checkpoints(cursor, [projector.name for projector in members], following.last)
            most = max(most, len(following.positions))
    return most


def _apply(cursor: CursorWrapper, group: Sequence[Projector], batch: Batch) -> None:
    for projector in group:
        projector.apply(cursor, batch)


def _advance_alone(projector: Projector, go_on: Callable[[], bool]) -> None:
    """Bring one projection as far as it goes, and record what stops it."""
    for batch in (BATCH, 1):  # the second time event by event, up to the one at which it fails
        try:
            while go_on() and _advance([projector], batch) == batch:
                pass
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.warning("%s failed in a batch of at most %d", projector.name, batch)
            if batch == 1:
                _record_failure(projector.name, error)
        else:
            return


def _record_failure(name: str, error: Exception) -> None:
    with transaction.atomic(using=READ_SIDE), connections[READ_SIDE].cursor() as cursor:
        place = lock_checkpoints(cursor, [name])[name]
        following = store.read_all(place, limit=1)
        position = following[0].position if following else None
        logger.error("The projection %s failed at event %s: %r", name, position, error)
        cursor.execute(
            "UPDATE projections_checkpoint SET error = %s, failed_position = %s, failed_at = %s WHERE name = %s",
            [f"{type(error).__name__}: {error}"[:1000], position, _now(), name],
        )


def lock_checkpoints(cursor: CursorWrapper, names: Sequence[str]) -> dict[str, Place]:
    """Return the place of each projection's checkpoint, and let nobody else move it until the transaction ends.

    A new projection gets a checkpoint at the beginning of the log. Everybody locks and inserts in the order of the
    names, so that no two transactions wait for one another.
    """
    places = _locked(cursor, names)
    if missing := sorted(set(names) - set(places)):
        for name in missing:
            cursor.execute(
                """INSERT INTO projections_checkpoint (name, transaction_id, position, updated_at, error, worker)
                   VALUES (%s, 0, 0, %s, '', '') ON CONFLICT (name) DO NOTHING""",
                [name, _now()],
            )
        places = _locked(cursor, names)  # where another transaction inserted it first, it has been moved since
    return places


def _locked(cursor: CursorWrapper, names: Sequence[str]) -> dict[str, Place]:
    cursor.execute(_lock(cursor.db.vendor, len(names)), names)
    return {name: Place(transaction_id, position) for name, transaction_id, position, *_ in cursor.fetchall()}


@cache
def _lock(vendor: str, count: int) -> str:
    limits = lock = ""
    if vendor == "postgresql":  # SQLite's writers are alone
        limits = f", (SELECT set_config('idle_in_transaction_session_timeout', '{postgresql.LONGEST_IDLE}', true))"
        lock = " FOR UPDATE"
    return f"""SELECT name, transaction_id, position{limits} FROM projections_checkpoint
        WHERE name IN ({_marks(count)}) ORDER BY name{lock}"""


def move_checkpoints(cursor: CursorWrapper, names: Sequence[str], place: Place, *, after: int | None = None) -> None:
    """Set how far projections have come, and that nothing stops them.

    Args:
        after: only those are moved that have come to this position.
    """
    values = [*place, to_column(cursor.db.vendor, timezone.now()), *names]
    if after is not None:
        values.append(after)
    cursor.execute(_move(len(names), after is not None), values)


@cache
def _move(count: int, on_condition: bool) -> str:
    # SQLite would build a table of the names for IN each time, which takes as long as to move them.
    named = (
        f"CASE name {'WHEN %s THEN 1 ' * count} END AND position = %s" if on_condition else f"name IN ({_marks(count)})"
    )
    return f"""UPDATE projections_checkpoint SET transaction_id = %s, position = %s, updated_at = %s,
        error = '', failed_position = NULL, failed_at = NULL WHERE {named}"""


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


def _now() -> Any:
    return to_column(connections[READ_SIDE].vendor, timezone.now())
