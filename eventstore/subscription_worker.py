"""The loop that keeps subscriptions up to date: the background thread of a web process, or a worker of its own."""

import logging
import time
from collections.abc import Callable, Sequence

from django.db import connections

from . import parked_events, positions, subscriptions
from .bell import Bell
from .errors import is_outage
from .subscriptions import Standing, Subscriber

logger = logging.getLogger(__name__)

SHORT = 0.05
"""Seconds until the next poll after a ring, while events are held back or another process works on a subscription."""
HURRY = 1.0
"""Seconds after a ring in which polls follow each other after `SHORT`."""
ROUND = 1.0
"""Seconds after which the next subscription has its turn."""
REST = 5.0
"""Seconds between two tries of an event at which a subscription has stopped, or which is parked."""
LONGEST_PAUSE = 5.0
"""The longest pause between two tries while the database does not answer, in seconds."""


class SubscriptionWorker:
    """The loop. A signal handler may call `leave`."""

    def __init__(self, subscribers: Callable[[], Sequence[Subscriber]], bell: Bell) -> None:
        self.subscribers, self.bell = subscribers, bell
        self.leaving = False
        self._retry_at: dict[str, float] = {}
        self._hurry_until = self._try_parked_at = 0.0

    def leave(self) -> None:
        """Finish the current event, and return from `run`."""
        self.leaving = True
        self.bell.ring()

    def run(self) -> None:
        """Keep all subscriptions up to date until `leave` is called."""
        trouble = SHORT
        while not self.leaving:
            try:
                pause, trouble = self.poll(), SHORT
            except Exception as error:
                pause = trouble = min(LONGEST_PAUSE, 2 * trouble)
                if is_outage(error):
                    reason = str(error).partition("\n")[0]
                    logger.warning("The database does not answer, next try in %.1f s: %s", pause, reason)
                else:
                    logger.exception("The subscriptions cannot be followed, next try in %.1f s", pause)
                self.bell.disconnect()
                connections.close_all()
            self.bell.wait(pause)
        self.bell.disconnect()

    def poll(self) -> float | None:
        """Bring all subscriptions forward. Return the seconds until the next poll, or None for the bell's interval."""
        now = time.monotonic()
        if self.bell.was_rung:
            self._hurry_until = now + HURRY
        subscribers = self.subscribers()
        rows = subscriptions.rows([each.name for each in subscribers])
        end = positions.last_readable()
        is_waiting, passed = positions.last_log_position() > end, {}
        is_unfinished = False
        self._try_parked(subscribers, now)
        for subscriber in subscribers:
            row = rows[subscriber.name]
            if row.log_position >= end or now < self._retry_at.get(row.name, 0.0):
                continue
            standing, reached = subscriptions.follow(subscriber, go_on=self._for_a_while(), retry=True)
            if standing is Standing.UP_TO_DATE and not row.moved:
                passed[row.name] = row.log_position
            elif standing is Standing.UNFINISHED:
                is_unfinished = True
                subscriptions.pass_over({row.name: row.log_position}, reached)
            elif standing is Standing.STOPPED:
                self._retry_at[row.name] = now + REST
            is_waiting |= standing is Standing.WAITING
        if passed:
            subscriptions.pass_over(passed, end)
        if is_unfinished:
            return 0
        return SHORT if is_waiting and now < self._hurry_until else None

    def _try_parked(self, subscribers: Sequence[Subscriber], now: float) -> None:
        """Try the parked events again, unless that was done less than `REST` seconds ago."""
        if now >= self._try_parked_at:
            self._try_parked_at = now + REST
            for subscriber in subscribers:
                parked_events.try_again(subscriber)

    def _for_a_while(self) -> Callable[[], bool]:
        """Return a function that returns False once another subscription should have its turn, or the worker leaves."""
        end = time.monotonic() + ROUND
        return lambda: not self.leaving and time.monotonic() < end
