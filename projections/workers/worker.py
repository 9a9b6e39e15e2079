"""The projection worker: a loop that follows the log and keeps its projections caught up.

It changes tables only with `engine.catch_up`. A notification wakes it, on databases that have them. Otherwise it polls.
"""

import logging
import time
from collections.abc import Sequence

from django.db import DatabaseError, InterfaceError, connections

from eventstore import positions
from eventstore.bell import Bell
from eventstore.events import LogPosition

from .. import engine
from ..freshness import standing_of
from ..replicas import READ_SIDE
from . import resume
from .leases import RENEWAL, Lease

logger = logging.getLogger(__name__)

SHORT = 0.05
"""Seconds until the next poll after events were applied, or while an open transaction holds events back."""
LONGEST_PAUSE = 5.0
"""The longest pause between two tries while a database does not answer or a projection fails, in seconds."""
LOG_EVERY = 10.0
"""The shortest time between two log lines with rate and lag, in seconds."""


class ProjectionWorker:
    """One worker. A signal handler may call `leave`."""

    def __init__(self, names: Sequence[str] = (), interval: float | None = None) -> None:
        self.lease = Lease([projector.name for projector in engine.projectors(names)])
        self.bell = Bell(interval)
        self._interval = interval or 0.0
        self.leaving = False
        self._trouble = SHORT
        self._resting: dict[str, float] = {}
        self._resume_at = 0.0
        self._since, self._applied = 0.0, 0

    def leave(self) -> None:
        """Finish the current batch, and return from `run`."""
        self.leaving = True
        self.bell.ring()

    def run(self) -> None:
        """Follow the log until `leave` is called."""
        mine: list[str] | None = None
        look_at = 0.0
        while not self.leaving:
            pause = None
            try:
                before, mine = mine, self.lease.held()
                if mine != before:
                    logger.info("%s works on %s", self.lease.worker, ", ".join(mine) or "nothing and stands by")
                if mine != before or self.bell.was_rung or time.monotonic() >= look_at:
                    pause = self._round(mine)
                    look_at = time.monotonic() + (self._interval if pause is None else pause)
                self._trouble = SHORT
            except (DatabaseError, InterfaceError) as error:
                pause = self._trouble = min(LONGEST_PAUSE, 2 * self._trouble)
                look_at = 0.0
                logger.warning("A database does not answer, next try in %.1f s: %s", pause, error)
                self.bell.disconnect()
                connections.close_all()
            self.bell.wait(pause)
        self.bell.disconnect()
        try:
            self.lease.release()
        except (DatabaseError, InterfaceError):
            logger.warning("The lease could not be given back; it ends by itself")
        logger.info("%s left after the last whole batch", self.lease.worker)

    def _round(self, mine: list[str]) -> float | None:
        """Catch up, and return the seconds until the next poll, or None for the bell's own interval."""
        now = time.monotonic()
        at_work = [name for name in mine if self._resting.get(name, 0) <= now]
        if not at_work:
            return RENEWAL
        if now >= self._resume_at:
            resume.resume(at_work)
            self._resume_at = now + resume.EVERY
        applied = engine.catch_up(
            at_work, go_on=lambda: not self.leaving and self.lease.held() == mine, sign=self.lease.sign
        )
        standing = standing_of(READ_SIDE, at_work)
        self._resting |= dict.fromkeys(standing.failed, now + LONGEST_PAUSE)
        behind = standing.log_position < positions.last_log_position()
        self._log_progress(applied, standing.log_position)
        # Not every event is announced, so more may have come. Events that an open transaction held back become readable
        # without a notification.
        return SHORT if applied or self.bell.was_rung or (behind and not standing.failed) else None

    def _log_progress(self, applied: int, log_position: LogPosition) -> None:
        """Log the rate and the lag from time to time."""
        if applied and not self._applied:
            self._since = time.monotonic()
        self._applied += applied
        seconds = time.monotonic() - self._since
        if self._applied and seconds >= LOG_EVERY:
            rate, behind = self._applied / seconds, positions.count_after(log_position)
            logger.info("%d events, %.0f a second, %d behind", self._applied, rate, behind)
            self._applied = 0
