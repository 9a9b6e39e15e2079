"""The freshness of the read side, and read-your-writes: a page waits for the events that its reader already knows of.

A page measures freshness before it reads figures. Otherwise a catch-up in between would make old figures look current.
"""

import time
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connections
from django.utils import timezone

from eventstore import positions
from eventstore.backends import backend_of
from eventstore.backends.base import Blocker
from eventstore.events import START, LogPosition
from eventstore.signals import catch_up_wanted

from . import replicas
from .checkpoint_models import WORKER_NOW, Checkpoint
from .engine import NEAR
from .projectors import PROJECTORS
from .replicas import READ_SIDE

GRACE = 1.0
"""Seconds that the read side may be behind without a notice on pages."""
PAUSES = (0.002, 0.05)
"""The shortest and the longest pause between two checks while a page waits, in seconds."""


class Freshness(NamedTuple):
    """The freshness of the read side for one reader.

    `behind` is the number of waiting events, at most a thousand, and `since` the time of the first. `reached` is true
    if the tables hold every event that the reader knows of. `current` is true if `reached` is, and no event waits for
    more than a moment. `parked` is true if a projection lacks a part of an account.
    """

    log_position: LogPosition
    behind: int
    since: datetime | None
    current: bool
    reached: bool
    parked: bool = False


class Standing(NamedTuple):
    """The slowest log position of some projections in a database, the failed ones, and whether any parks streams."""

    log_position: LogPosition
    failed: list[str]
    parked: bool


class ProjectionState(NamedTuple):
    """The state of one projection.

    `ahead`: its checkpoint is beyond the end of the log, so the log is an older copy. `stale`: another version of the
    program, or another setting, built its table.
    """

    name: str
    position: int
    behind: int
    error: str
    failed_position: int | None
    failed_at: datetime | None
    updated_at: datetime | None
    worker: str
    ahead: bool
    stale: bool


def look(token: str = "", *, reader: str = "", patient: bool = True) -> Freshness:
    """Choose the database for the rest of this request, and return its freshness.

    A replica is chosen if it has the events that the reader knows of, and is not behind. Else the request reads the
    primary, and waits for it up to `PROJECTION_WAIT` seconds if it lacks such an event.

    Args:
        token: the read-your-writes token of the reader.
        reader: identifies the reader, who is sent to the same replica if possible.
        patient: whether to wait.
    """
    last = positions.last_log_position()
    wanted = min(LogPosition.of_token(token), last)
    for alias in replicas.in_order(reader):
        standing = replicas.ask(alias, standing_of)
        if standing is None or standing.log_position < wanted:
            continue
        fresh = _freshness(standing, wanted, last)
        # A replica that is no further behind than the primary is good enough.
        if fresh.current or standing.log_position >= standing_of(READ_SIDE).log_position:
            replicas.read_from(alias)
            return fresh
    replicas.read_from(READ_SIDE)
    standing = standing_of(READ_SIDE)
    if standing.log_position < last and not standing.failed:
        catch_up_wanted.send(sender=look)  # an open transaction may have held it back when it was appended
        standing = standing_of(READ_SIDE)
    if patient and standing.log_position < wanted:
        standing = _wait_for(wanted)
    return _freshness(standing, wanted, last)


def standing_of(alias: str, names: Collection[str] = tuple(PROJECTORS)) -> Standing:
    """Return the standing of the named projections, or of all, in a database."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT name, transaction_id, position, parked, error FROM projections_checkpoint")
        rows = cursor.fetchall()
    reached = {name: LogPosition(transaction_id, position) for name, transaction_id, position, *_ in rows}
    failed = [name for name, *_, error in rows if error and name in names]
    parked = any(count for _, _, _, count, _ in rows)
    return Standing(min(reached.get(name, START) for name in names), failed, parked)


def _wait_for(wanted: LogPosition) -> Standing:
    """Wait a limited time until the primary has reached a log position, and return its standing.

    Failed projections, and those far behind, are not waited for.
    """
    standing = standing_of(READ_SIDE)
    pause, longest = PAUSES
    give_up_at = time.monotonic() + settings.PROJECTION_WAIT
    while standing.log_position < wanted and not standing.failed and time.monotonic() < give_up_at:
        if positions.count_after(standing.log_position, limit=NEAR + 1) > NEAR:
            break
        catch_up_wanted.send(sender=look)
        time.sleep(pause)
        pause = min(2 * pause, longest)
        standing = standing_of(READ_SIDE)
    return standing


def _freshness(standing: Standing, wanted: LogPosition, last: LogPosition) -> Freshness:
    log_position, parked = standing.log_position, standing.parked
    if log_position >= last:
        return Freshness(log_position, 0, None, True, True, parked)
    waiting = positions.next_after(log_position)
    since = waiting.recorded_at if waiting else None
    # An event in the future was recorded before a clock was set back. It may wait for any time.
    a_moment = since is None or abs((timezone.now() - since).total_seconds()) < GRACE
    reached = log_position >= wanted
    return Freshness(log_position, positions.count_after(log_position), since, a_moment and reached, reached, parked)


def projection_states() -> list[ProjectionState]:
    """Return the state of each projection on the read side's primary.

    The checkpoints are read before the log. Otherwise an event that is appended and projected in between would seem to
    be missing from the log.
    """
    found = Checkpoint.objects.using(READ_SIDE).annotate(worker_now=WORKER_NOW)
    checkpoints = {checkpoint.name: checkpoint for checkpoint in found}
    last = positions.last_log_position()
    states = []
    for name in PROJECTORS:
        at = checkpoints.get(name) or Checkpoint(name=name)
        behind = positions.count_after(at.log_position)
        states.append(
            ProjectionState(
                name,
                at.position,
                behind,
                at.error,
                at.failed_position,
                at.failed_at,
                at.updated_at,
                getattr(at, "worker_now", ""),
                at.log_position > last,
                at.log_position > START and at.built_with != PROJECTORS[name].built_with(),
            )
        )
    return states


def stale() -> list[str]:
    """Return the names of the projections that another version of the program, or another setting, has built."""
    return [state.name for state in projection_states() if state.stale]


class HeldBack(NamedTuple):
    """The time since when events are held back, and the transaction that holds them, if this role may see it."""

    since: datetime
    blocker: Blocker | None

    @property
    def seconds(self) -> int:
        """The number of seconds since then."""
        return max(0, int((timezone.now() - self.since).total_seconds()))

    def __str__(self) -> str:
        since = f"{timezone.localtime(self.since):%Y-%m-%d %H:%M:%S}"
        return f"The log is held back since {since}. Waiting for {self.blocker or 'a transaction of another role'}"


def held_back(states: Iterable[ProjectionState]) -> HeldBack | None:
    """Return since when and by which transaction events are held back, or None if no projection waits for them."""
    if not any(state.behind for state in states):
        return None
    event = positions.first_held_back()
    return HeldBack(event.recorded_at, backend_of().blocker()) if event else None
