"""Quarantine: a projection parks the stream of an event that it cannot apply, and goes on with all others.

It skips a parked stream from that event on. `workers.resume` applies the skipped events later, in order.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import InterfaceError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from bank.domain.events import BankEvent, UnknownEvent, decode
from eventstore import store
from eventstore.backends import backend_of
from eventstore.events import LogPosition, RecordedEvent

from .checkpoint_models import ParkedStream
from .projectors import PROJECTORS
from .projectors.base import Batch, Projector
from .replicas import READ_SIDE

TRIALS, AHEAD = 10, 1000
"""The number of other streams tried to find out whether a projection fails, and of events searched for them."""

type Parked = dict[str, dict[str, ParkedStream]]
"""The parked streams of projections, by the name of the projection and that of the stream."""


def decoded(events: Sequence[RecordedEvent]) -> tuple[Batch, list[tuple[RecordedEvent, Exception]]]:
    """Return recorded events with their decoded values, and the first event of each stream that cannot be decoded.

    The batch lacks all later events of such a stream.
    """
    batch: list[tuple[BankEvent, RecordedEvent]] = []
    faults: dict[str, tuple[RecordedEvent, Exception]] = {}
    for each in events:
        if faults and each.stream in faults:
            continue
        try:
            event = decode(each.type, each.schema_version, each.data)
            if event.stream != each.stream:
                raise UnknownEvent(f"{each.type} is about {event.stream}")
        except UnknownEvent as error:
            faults[each.stream] = each, error
        else:
            batch.append((event, each))
    return batch, list(faults.values())


def without(batch: Batch, parked: Mapping[str, ParkedStream]) -> Batch:
    """Return the events of a batch that do not belong to the parked part of a stream."""
    if not parked:
        return batch
    return [
        (event, each) for event, each in batch if (row := parked.get(each.stream)) is None or each.version < row.version
    ]


def row_of(name: str, event: RecordedEvent, error: Exception, *, is_unknown: bool) -> ParkedStream:
    """Return the row that parks an event's stream for a projection."""
    return ParkedStream(
        projection=name,
        stream=event.stream,
        version=event.version,
        transaction_id=event.transaction_id,
        position=event.position,
        event_type=event.type,
        is_unknown=is_unknown,
        error=f"{type(error).__name__}: {error}"[:1000],
        recorded_at=event.recorded_at,
        parked_at=timezone.now(),
    )


def load(names: Iterable[str] | None = None) -> Parked:
    """Return the parked streams of the named projections, or of all."""
    rows = ParkedStream.objects.using(READ_SIDE)
    parked: Parked = {}
    for row in rows.all() if names is None else rows.filter(projection__in=names):
        parked.setdefault(row.projection, {})[row.stream] = row
    return parked


class Summary(NamedTuple):
    """The number of parked streams, the time of the first missing event, and the projections."""

    streams: int
    since: datetime
    projections: list[str]


def summary() -> Summary | None:
    """Return the summary of parked streams, or None if there is none."""
    rows = ParkedStream.objects.using(READ_SIDE).values_list("stream", "recorded_at", "projection")
    if not rows:
        return None
    streams, moments, names = zip(*rows, strict=True)
    return Summary(len(set(streams)), min(moments), [name for name in PROJECTORS if name in names])


def add(cursor: CursorWrapper, rows: Sequence[ParkedStream]) -> None:
    """Park streams. The caller has locked the checkpoints of their projections."""
    ParkedStream.objects.using(READ_SIDE).bulk_create(rows, ignore_conflicts=True)
    count(cursor, sorted({row.projection for row in rows}))


def clear(cursor: CursorWrapper, name: str, **which: object) -> None:
    """Delete parked streams of a projection. The caller has locked its checkpoint."""
    ParkedStream.objects.using(READ_SIDE).filter(projection=name, **which).delete()
    count(cursor, [name])


def count(cursor: CursorWrapper, names: Iterable[str]) -> None:
    """Store the numbers of parked streams on the checkpoints, where `checkpoints.lock` finds them."""
    for name in names:
        cursor.execute(
            """UPDATE projections_checkpoint SET parked = (
                SELECT COUNT(*) FROM projections_parkedstream WHERE projection = projections_checkpoint.name
            ) WHERE name = %s""",
            [name],
        )


def applies_others(projector: Projector, before: LogPosition) -> bool:
    """Return whether a projection applies events of other streams than the one at which it just failed.

    The next event of each of a few other streams is tried. Without any, the events applied since it last parked a
    stream count, so a broken projection parks one stream and not all.
    """
    following = store.read_all(before, limit=AHEAD)
    parked = load([projector.name]).get(projector.name, {})
    skipped = {*parked, *(each.stream for each in following[:1])}
    others = {each.stream: each for each in reversed(following) if each.stream not in skipped}
    readable = [each for each in sorted(others.values(), key=_order) if decoded([each])[0]]
    if readable:
        return any(_can_apply(projector, each) for each in readable[:TRIALS])
    last = max((row.log_position for row in parked.values() if not row.is_unknown), default=None)
    if last is None:
        return True
    since = store.read_all(last, limit=AHEAD)
    return any(each.stream not in parked and each.log_position <= before for each in since)


def _order(event: RecordedEvent) -> LogPosition:
    return event.log_position


class _TrialOver(Exception):
    """Rolls a trial back."""


def _can_apply(projector: Projector, event: RecordedEvent) -> bool:
    """Return whether a projector can apply an event. The trial is rolled back."""
    try:
        with backend_of(READ_SIDE).transaction() as cursor:
            projector.apply(cursor, decoded([event])[0])
            cursor.execute("SELECT 1")
            cursor.fetchone()  # in a pipeline, an error comes with the next result
            raise _TrialOver
    except _TrialOver:
        return True
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        return False
