"""The one way in which events reach the tables of the read side.

`catch_up` locks the checkpoints, reads the events after them, applies these and moves the checkpoints, all in one
transaction, so that each event counts exactly once, however often `catch_up` is called. The signal's receiver, the
projection worker and a replay use the same steps.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from bank.domain.events import decode
from eventstore import store
from eventstore.backends import backend_of
from eventstore.events import LogPosition, RecordedEvent

from .models import Checkpoint
from .projectors import PROJECTORS
from .projectors.base import Batch, Projector
from .routers import READ_SIDE

logger = logging.getLogger(__name__)

type Sign = Callable[[CursorWrapper], object]


def unsigned(cursor: CursorWrapper) -> None:
    """Sign nothing."""


BATCH = 1000
"""The number of events that one transaction applies: a tenth of a second's work or less."""


class UnknownProjection(Exception):
    """There is no projection of this name."""


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
    events: Sequence[RecordedEvent] = (),
    go_on: Callable[[], bool] = lambda: True,
    sign: Sign = unsigned,
) -> int:
    """Apply the events after the checkpoints of the named projections, or of all, up to the end of the log.

    A projection that raises keeps its checkpoint, which then names the event and the error. The others go on.

    Args:
        events: events that have just been appended. They need not be read where they follow the checkpoints.
        go_on: asked between two batches.
        sign: called at the beginning of each transaction.

    Returns:
        The number of events applied to the projection that was furthest behind.

    Raises:
        OperationalError, InterfaceError: a database is unavailable.
    """
    chosen = projectors(names)
    applied = 0
    try:
        while go_on() and (count := _advance(chosen, BATCH, sign, events)):
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


def _advance(
    chosen: Sequence[Projector], limit: int, sign: Sign = unsigned, at_hand: Sequence[RecordedEvent] = ()
) -> int:
    """Apply the next batch to each projection in one transaction, and return the largest number of events in it."""
    most = 0
    with backend_of(READ_SIDE).transaction() as cursor:
        sign(cursor)
        checkpoints = lock_checkpoints(cursor, [projector.name for projector in chosen])
        for checkpoint, group in groupby(
            sorted(chosen, key=lambda each: checkpoints[each.name]), lambda each: checkpoints[each.name]
        ):
            events = at_hand if store.follow(at_hand, checkpoint) else store.read_all(checkpoint, limit=limit)
            if events:
                members = list(group)
                apply(cursor, members, decoded(events))
                move_checkpoints(cursor, [each.name for each in members], events[-1].log_position)
                most = max(most, len(events))
    return most


def decoded(events: Sequence[RecordedEvent]) -> Batch:
    """Return recorded events together with what they say.

    Raises:
        UnknownEvent: this version of the program does not know one of them.
    """
    return [(decode(each.type, each.schema_version, each.data), each) for each in events]


def apply(cursor: CursorWrapper, group: Sequence[Projector], batch: Batch) -> None:
    """Let projectors apply a batch to their tables."""
    for projector in group:
        projector.apply(cursor, batch)


def _advance_alone(projector: Projector, go_on: Callable[[], bool], sign: Sign) -> None:
    """Bring one projection as far as it goes, and record the error that stops it."""
    for limit in (BATCH, 1):  # the second time event by event, up to the one at which it fails
        try:
            while go_on() and _advance([projector], limit, sign) == limit:
                pass
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.warning("%s failed in a batch of at most %d", projector.name, limit)
            if limit == 1:
                _record_failure(projector.name, error)
        else:
            return


def _record_failure(name: str, error: Exception) -> None:
    with backend_of(READ_SIDE).transaction() as cursor:
        checkpoint = lock_checkpoints(cursor, [name])[name]
        following = store.read_all(checkpoint, limit=1)
        position = following[0].position if following else None
        logger.error("The projection %s failed at event %s: %r", name, position, error)
        Checkpoint.objects.using(READ_SIDE).filter(name=name).update(
            error=f"{type(error).__name__}: {error}"[:1000], failed_position=position, failed_at=timezone.now()
        )


def lock_checkpoints(cursor: CursorWrapper, names: Sequence[str]) -> dict[str, LogPosition]:
    """Return the checkpoints of projections, and let nobody else move them until the transaction ends.

    A new projection gets a checkpoint at the beginning of the log. Checkpoints are locked and inserted in the order of
    their names, so that no two transactions wait for one another.
    """
    checkpoints = _locked(cursor, names)
    if missing := sorted(set(names) - set(checkpoints)):
        for name in missing:
            cursor.execute(
                """INSERT INTO projections_checkpoint
                   (name, transaction_id, position, updated_at, error, worker, built_with)
                   VALUES (%s, 0, 0, %s, '', '', %s) ON CONFLICT (name) DO NOTHING""",
                [name, _now(), PROJECTORS[name].built_with()],
            )
        checkpoints = _locked(cursor, names)  # another transaction may have inserted and moved it meanwhile
    return checkpoints


def _locked(cursor: CursorWrapper, names: Sequence[str]) -> dict[str, LogPosition]:
    lock = backend_of(READ_SIDE).for_update
    cursor.execute(
        f"""SELECT name, transaction_id, position FROM projections_checkpoint
            WHERE name IN ({_marks(names)}) ORDER BY name {lock}""",
        names,
    )
    return {name: LogPosition(*position) for name, *position in cursor.fetchall()}


def move_checkpoints(cursor: CursorWrapper, names: Sequence[str], position: LogPosition) -> None:
    """Set the checkpoints of projections, and clear their errors."""
    cursor.execute(
        f"""UPDATE projections_checkpoint SET transaction_id = %s, position = %s, updated_at = %s,
            error = '', failed_position = NULL, failed_at = NULL WHERE name IN ({_marks(names)})""",
        [*position, _now(), *names],
    )


def mark_rebuilt(cursor: CursorWrapper, projector: Projector) -> None:
    """Record what a rebuilt table was built with."""
    cursor.execute(
        "UPDATE projections_checkpoint SET built_with = %s WHERE name = %s", [projector.built_with(), projector.name]
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


def _now() -> Any:
    return backend_of(READ_SIDE).adapt(timezone.now())
