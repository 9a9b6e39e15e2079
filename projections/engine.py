"""The engine: the one path of events to the tables of the read side.

`catch_up` locks the checkpoints, reads the events after them, applies them and moves the checkpoints in one
transaction. So each event counts exactly once, however often `catch_up` is called. The signal's receiver, the
projection worker and a replay use the same steps.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from eventstore import positions, store
from eventstore.backends import backend_of
from eventstore.events import LogPosition, RecordedEvent

from . import checkpoints, quarantine
from .checkpoint_models import Checkpoint
from .projectors import PROJECTORS
from .projectors.base import Projector
from .routers import READ_SIDE

logger = logging.getLogger(__name__)

type Sign = Callable[[CursorWrapper], object]


def unsigned(cursor: CursorWrapper) -> None:
    """Leave a transaction unsigned."""


BATCH = 1000
"""The largest number of events that one transaction applies, in a tenth of a second or less."""
NEAR = 1000
"""The largest number of events by which a projection may be behind for a request to catch it up."""


class UnknownProjection(Exception):
    """No projection has this name."""


def projectors(names: Iterable[str] = (), suffix: str = "") -> Sequence[Projector]:
    """Return the projectors of the named projections, or of all.

    Args:
        suffix: see `Projector`.

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


def catch_up(
    names: Iterable[str] = (),
    *,
    go_on: Callable[[], bool] = lambda: True,
    sign: Sign = unsigned,
) -> int:
    """Apply the events after the checkpoints of the named projections, or of all, up to the end of the log.

    If an event cannot be decoded, or its projector raises, its stream is parked; see `quarantine`. A projection that
    fails at other streams too keeps its checkpoint, which then holds the event and the error.

    Args:
        go_on: called between two batches; False ends the work.
        sign: called at the beginning of each transaction.

    Returns:
        The number of events applied to the projection that was furthest behind.

    Raises:
        OperationalError, InterfaceError: a database is unavailable.
    """
    chosen = projectors(names)
    applied = 0
    try:
        while go_on() and (count := _advance(chosen, BATCH, sign)):
            applied += count
            if count < BATCH:
                break
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("A projection failed; each goes on by itself")
        for projector in chosen:
            _advance_alone(projector, go_on, sign)
    return applied


def keep_up(events: Sequence[RecordedEvent] = ()) -> None:
    """Apply the next events to each projection that is at most `NEAR` events behind, as far as a request has time.

    `catch_up` serves the others, in `start`, a worker or the background thread of a web process.

    Args:
        events: events that were just appended.
    """
    chosen = projectors()
    try:
        if not _apply_at_once(chosen, events):
            _advance(chosen, NEAR, unsigned, events, only_near=True)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("A projection failed; each goes on by itself")
        for projector in chosen:
            _advance_alone(projector, lambda: True, unsigned, only_near=True)


class _NotNext(Exception):
    """Events do not follow every checkpoint, or a table is not complete."""


def _apply_at_once(chosen: Sequence[Projector], events: Sequence[RecordedEvent]) -> bool:
    """Apply appended events without reading the log, if they follow every checkpoint. Return whether they do.

    One statement locks and moves the checkpoints. It saves a tenth of the time of a deposit on SQLite.
    """
    before = store.checkpoint_before(events)
    if before is None:
        return False
    with suppress(_NotNext), backend_of(READ_SIDE).transaction() as cursor:
        if not checkpoints.move_all(cursor, chosen, before, events[-1].log_position):
            raise _NotNext
        apply(cursor, chosen, events, {})
        return True
    return False


def _advance(
    chosen: Sequence[Projector],
    limit: int,
    sign: Sign = unsigned,
    appended: Sequence[RecordedEvent] = (),
    *,
    only_near: bool = False,
) -> int:
    """Apply the next batch to each projection in one transaction. Return the largest number of events in it.

    Args:
        only_near: skip projections that are more than `NEAR` events behind the appended ones, or the log's end.
    """
    most = 0
    with backend_of(READ_SIDE).transaction() as cursor:
        sign(cursor)
        locked = checkpoints.lock(cursor, [projector.name for projector in chosen])
        names = [name for name, each in locked.items() if each.parked]
        parked = quarantine.load(names) if names else {}
        groups: dict[LogPosition, list[Projector]] = {}
        for projector in chosen:
            groups.setdefault(locked[projector.name].log_position, []).append(projector)
        for checkpoint in sorted(groups):
            if only_near and not _is_near(checkpoint, appended):
                continue
            if events := store.read_all(checkpoint, limit=limit):
                members = [each.as_built(locked[each.name].built_with) for each in groups[checkpoint]]
                apply(cursor, members, events, parked)
                checkpoints.move(cursor, [each.name for each in members], events[-1].log_position)
                most = max(most, len(events))
    return most


def _is_near(checkpoint: LogPosition, appended: Sequence[RecordedEvent]) -> bool:
    """Return whether a checkpoint is at most `NEAR` events behind. As positions have gaps, only a small one counts."""
    if appended and appended[-1].position - checkpoint.position <= NEAR:
        return True
    return positions.count_after(checkpoint, limit=NEAR + 1) <= NEAR


def apply(
    cursor: CursorWrapper, group: Sequence[Projector], events: Sequence[RecordedEvent], parked: quarantine.Parked
) -> None:
    """Let projectors apply events to their tables, except events of parked streams. Park streams if necessary."""
    batch, faults = quarantine.decoded(events)
    for projector in group:
        projector.apply(cursor, quarantine.without(batch, parked.get(projector.name, {})))
    if faults:
        for each, error in faults:
            logger.error("%s version %d cannot be decoded and parks the stream: %r", each.stream, each.version, error)
        rows = [quarantine.row_of(each.name, *fault, is_unknown=True) for each in group for fault in faults]
        quarantine.add(cursor, rows)


def _advance_alone(projector: Projector, go_on: Callable[[], bool], sign: Sign, *, only_near: bool = False) -> None:
    """Bring one projection forward on its own. An event at which its projector raises parks the stream, or stops it."""
    limit, left = BATCH, 0
    while go_on():
        with backend_of(READ_SIDE).transaction() as cursor:
            before = checkpoints.lock(cursor, [projector.name])[projector.name].log_position
        try:
            count = _advance([projector], limit, sign, only_near=only_near)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.warning("%s failed in a batch of at most %d", projector.name, limit)
            if limit > 1:
                limit, left = 1, BATCH  # single events, up to the one that fails
            elif _park(projector, before, error):
                limit = BATCH
            else:
                return
        else:
            left -= 1
            if count < limit:
                return
            if left <= 0:
                limit = BATCH


def _park(projector: Projector, before: LogPosition, error: Exception) -> bool:
    """Park the stream of the event at which a projector raised, or record that the projection has failed.

    Args:
        before: the checkpoint before that event.

    Returns:
        Whether the projection goes on.
    """
    is_of_event = not isinstance(error, DatabaseError) or isinstance(error, DataError | IntegrityError)
    is_of_event = is_of_event and quarantine.applies_others(projector, before)
    name = projector.name
    with backend_of(READ_SIDE).transaction() as cursor:
        if checkpoints.lock(cursor, [name])[name].log_position != before:
            return True  # another process has moved on, so this event was not at fault
        following = store.read_all(before, limit=1)
        event = following[0] if following else None
        if event and is_of_event:
            logger.error("%s parks %s at version %d: %r", name, event.stream, event.version, error)
            quarantine.add(cursor, [quarantine.row_of(name, event, error, is_unknown=False)])
            checkpoints.move(cursor, [name], event.log_position)
            return True
        _record_failure(name, event, error)
    return False


def _record_failure(name: str, event: RecordedEvent | None, error: Exception) -> None:
    """Record the event and the error of a failed projection on its locked checkpoint."""
    position = event.position if event else None
    logger.error("The projection %s failed at event %s: %r", name, position, error)
    Checkpoint.objects.using(READ_SIDE).filter(name=name).update(
        error=f"{type(error).__name__}: {error}"[:1000], failed_position=position, failed_at=timezone.now()
    )
