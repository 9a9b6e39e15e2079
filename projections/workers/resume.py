"""Resume: apply the skipped events of a parked stream in order, up to the checkpoint."""

import logging
from collections.abc import Iterable
from itertools import islice, takewhile

from django.db import InterfaceError, OperationalError

from eventstore import store
from eventstore.backends import backend_of

from .. import checkpoints, engine, quarantine
from ..checkpoint_models import ParkedStream
from ..projectors import PROJECTORS
from ..projectors.base import Projector
from ..replicas import READ_SIDE

logger = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two tries of a process. A newer version beside it may be able to apply the events."""


def resume(names: Iterable[str] = ()) -> int:
    """Resume the parked streams of the named projections, or of all, as far as possible.

    Any number of processes may resume at the same time, also during a replay and beside projecting processes.

    Returns:
        The number of streams that are no longer parked, counted once for each projection.
    """
    parked = quarantine.load(list(names) or list(PROJECTORS))
    pairs = [(name, stream) for name, rows in parked.items() if name in PROJECTORS for stream in rows]
    return sum(_resume(projector, stream) for name, stream in pairs for projector in engine.projectors([name]))


def _resume(projector: Projector, stream: str) -> bool:
    """Resume one stream, and return whether it is no longer parked."""
    limit = engine.BATCH
    while True:
        try:
            if (is_over := _resume_batch(projector, stream, limit)) is not None:
                return is_over
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            if limit == 1:
                logger.warning("%s still parks %s: %r", projector.name, stream, error)
                _park_again(projector.name, stream, error)
                return False
            limit = 1  # single events, up to the one that fails


def _resume_batch(projector: Projector, stream: str, limit: int) -> bool | None:
    """Apply the next events of a parked stream. Return whether none are left, or None if more are."""
    name = projector.name
    with backend_of(READ_SIDE).transaction() as cursor:
        locked = checkpoints.lock(cursor, [name])[name]
        rows = ParkedStream.objects.using(READ_SIDE).filter(projection=name, stream=stream)
        version = rows.values_list("version", flat=True).first()
        if version is None:  # another process was first
            return False
        following = store.read_stream(stream, first=version)
        events = list(islice(takewhile(lambda each: each.log_position <= locked.log_position, following), limit))
        batch, faults = quarantine.decoded(events)
        projector.as_built(locked.built_with).apply(cursor, batch)
        if faults:
            rows.delete()
            quarantine.add(cursor, [quarantine.row_of(name, *faults[0], is_unknown=True)])
            return False
        if len(events) == limit:
            rows.update(version=events[-1].version + 1)
            return None
        quarantine.clear(cursor, name, stream=stream)
    logger.info("%s has resumed %s", name, stream)
    return True


def _park_again(name: str, stream: str, error: Exception) -> None:
    """Record the event of a parked stream at which the projector raises now."""
    with backend_of(READ_SIDE).transaction() as cursor:
        checkpoints.lock(cursor, [name])
        rows = ParkedStream.objects.using(READ_SIDE).filter(projection=name, stream=stream)
        version = rows.values_list("version", flat=True).first()
        for event in store.read_stream(stream, first=version, last=version) if version else ():
            rows.delete()
            quarantine.add(cursor, [quarantine.row_of(name, event, error, is_unknown=False)])
