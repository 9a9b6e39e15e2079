"""How fresh the figures are, and waiting for them: whoever was told of an event gets to see what came of it.

A page asks before it reads: what catches up in between must not make old figures look current.
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
from .engine import NEAR
from .models import WORKER_NOW, Checkpoint
from .projectors import PROJECTORS
from .replicas import READ_SIDE

GRACE = 1.0
"""Seconds that the read side may be behind before a page speaks of it."""
SOON, SELDOM, LONG = 2, 15, 15
"""Seconds between two looks of an open page, at first and when the figures have been behind for so long."""
PAUSES = (0.002, 0.05)
"""The shortest and the longest pause, in seconds, between two looks while a page waits."""


class Freshness(NamedTuple):
    """How far the read side has come.

    `behind` events wait, counted to a thousand, the first of them since `since`. It is current when nothing waits
    for longer than a moment and what the reader was told of is there, which is what `reached` says. `parked` says that
    some projection leaves out a part of some account.
    """

    log_position: LogPosition
    behind: int
    since: datetime | None
    current: bool
    reached: bool
    parked: bool = False

    @property
    def poll_every(self) -> int:
        """Seconds between two looks of an open page: where the first event has waited for long, it may wait longer."""
        waited = (timezone.now() - self.since).total_seconds() if self.since else 0
        return SOON if waited < LONG else SELDOM

    @property
    def told(self) -> str:
        """What a page says of it; as long as that stays, there is nothing new to show."""
        return f"{self.log_position.token}/{self.behind}/{self.poll_every}"


class Standing(NamedTuple):
    """How far the slowest of some projections has come in one database, which have failed, and whether any parks."""

    log_position: LogPosition
    failed: list[str]
    parked: bool


class ProjectionState(NamedTuple):
    """The state of one projection.

    `ahead`: its checkpoint is beyond the end of the log, which is an older copy. `stale`: its table was built by
    another version or with another setting.
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


def look(told: str = "", *, reader: str = "", patient: bool = True) -> Freshness:
    """Choose the database that the rest of this request reads, and tell how fresh it is.

    A replica is chosen if it has what the reader was told of and is not behind; else the primary, which is waited
    for, up to `PROJECTION_WAIT` seconds, if it has not come that far yet.

    Args:
        told: the token of the place that an acknowledgement told the reader of.
        reader: who reads; the same reader is sent to the same replica where that is possible.
        patient: whether to wait.
    """
    last = positions.last_log_position()
    wanted = min(LogPosition.of_token(told), last)
    for alias in replicas.in_order(reader):
        standing = replicas.ask(alias, standing_of)
        if standing is None or standing.log_position < wanted:
            continue
        fresh = _freshness(standing, wanted, last)
        # One that is no further behind than the primary will do as well.
        if fresh.current or standing.log_position >= standing_of(READ_SIDE).log_position:
            replicas.read_from(alias)
            return fresh
    replicas.read_from(READ_SIDE)
    standing = standing_of(READ_SIDE)
    if standing.log_position < last and not standing.failed:
        catch_up_wanted.send(sender=look)  # it could not be read when it was appended: another writer was in between
        standing = standing_of(READ_SIDE)
    if patient and standing.log_position < wanted:
        standing = _wait_for(wanted)
    return _freshness(standing, wanted, last)


def standing_of(alias: str, names: Collection[str] = tuple(PROJECTORS)) -> Standing:
    """Return how far the named projections, or all, have come in a database."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT name, transaction_id, position, parked, error FROM projections_checkpoint")
        rows = cursor.fetchall()
    reached = {name: LogPosition(transaction_id, position) for name, transaction_id, position, *_ in rows}
    failed = [name for name, *_, error in rows if error and name in names]
    parked = any(count for _, _, _, count, _ in rows)
    return Standing(min(reached.get(name, START) for name in names), failed, parked)


def _wait_for(wanted: LogPosition) -> Standing:
    """Wait until the primary has come this far, for a bounded time, and return how far it has.

    Nobody waits for projections that have failed or are far behind.
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
    # An event of the future was recorded before a clock was set back, and waits for nobody knows how long.
    a_moment = since is None or abs((timezone.now() - since).total_seconds()) < GRACE
    reached = log_position >= wanted
    return Freshness(log_position, positions.count_after(log_position), since, a_moment and reached, reached, parked)


def projection_states() -> list[ProjectionState]:
    """Return the state of each projection, from the read side's primary.

    The checkpoints are read before the log: an event that is appended and projected in between must not look like one
    that the log does not have.
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
    """Return the names of the projections that another version of the program or another setting has built."""
    return [state.name for state in projection_states() if state.stale]


class HeldBack(NamedTuple):
    """Since when events wait that may not be read, and for which transaction, if this role may see it."""

    since: datetime
    blocker: Blocker | None

    @property
    def seconds(self) -> int:
        """How long the log has been held back."""
        return max(0, int((timezone.now() - self.since).total_seconds()))

    def __str__(self) -> str:
        since = f"{timezone.localtime(self.since):%Y-%m-%d %H:%M:%S}"
        return f"The log is held back since {since}. Waiting for {self.blocker or 'a transaction of another role'}"


def held_back(states: Iterable[ProjectionState]) -> HeldBack | None:
    """Return since when and by whom the log is held back, if projections wait for events that may not be read."""
    if not any(state.behind for state in states):
        return None
    event = positions.first_held_back()
    return HeldBack(event.recorded_at, backend_of().blocker()) if event else None
