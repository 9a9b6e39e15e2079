"""The bell that wakes a worker: the log's notifications, on databases that have them, and rings of its own process."""

import logging
import math
import os
import select
import time
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, InterfaceError, connections

from .backends import WRITE_SIDE, backend_of

logger = logging.getLogger(__name__)

POLL = 0.1
"""The default number of seconds between two polls of the log without notifications."""
POLL_NOTIFIED = 1.0
"""The default number of seconds between two polls of the log with notifications."""
LONGEST = 1.0
"""The longest sleep in seconds, unless the worker asks for a longer one. Leases are renewed as often."""
QUIET = 5.0
"""Seconds until the next try to listen after an error."""
TRIED_AGAIN = 60.0
"""Seconds until the next test whether notifications arrive."""


class Bell:
    """The sleep of a worker. It ends when events were appended, when the bell is rung, or when the time is over.

    Args:
        interval: the seconds between two polls of the log; by default `POLL` or `POLL_NOTIFIED`.
        listens: whether to take a connection that receives the log's notifications.
    """

    def __init__(self, interval: float | None = None, *, listens: bool = True) -> None:
        self._interval = interval
        self._listening: Any = None
        self._deaf_until = 0.0 if listens else math.inf
        self._rung, self._ringer = os.pipe()
        for each in (self._rung, self._ringer):
            os.set_blocking(each, False)
        self.was_rung = False

    def ring(self) -> None:
        """Wake the worker. Any thread and a signal handler may call this."""
        with suppress(BlockingIOError):  # the pipe is full of earlier rings
            os.write(self._ringer, b"!")

    def wait(self, seconds: float | None) -> None:
        """Sleep until something happens, at most for some seconds; by default the interval, at most `LONGEST` seconds.

        By default there is no sleep when listening begins, because earlier events were not announced to this worker.
        """
        begins = self._listen()
        if seconds is None:
            interval = self._interval or (POLL_NOTIFIED if self._listening else POLL)
            seconds = 0 if begins else min(interval, LONGEST)
        sources = [self._rung, *([self._listening] if self._listening else [])]
        select.select(sources, [], [], seconds)
        self._drain()
        self.was_rung |= begins

    def disconnect(self) -> None:
        """Stop listening until the next wait."""
        if self._listening:
            self._listening.close()
        self._listening = None

    def _listen(self) -> bool:
        """Start to listen to the log's notifications, if they arrive here; some poolers drop them.

        Return whether it has started.
        """
        if self._listening or time.monotonic() < self._deaf_until or not backend_of().notifies:
            return False
        try:
            self._listening = backend_of().listen()
        except (DatabaseError, InterfaceError) as error:
            self._deaf_until = time.monotonic() + QUIET
            logger.warning("Nothing can be listened to: %s", error)
            return False
        if not self._listening:
            self._deaf_until = time.monotonic() + TRIED_AGAIN
            logger.info("Notifications do not come through; looking at the log every %s s", self._interval or POLL)
        return bool(self._listening)

    def _drain(self) -> None:
        """Remove the pending notifications and rings."""
        self.was_rung = False
        with suppress(BlockingIOError):
            self.was_rung = bool(os.read(self._rung, 4096))
        try:
            with connections[WRITE_SIDE].wrap_database_errors:
                for _ in self._listening.notifies(timeout=0) if self._listening else ():
                    self.was_rung = True
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The connection that listens is lost: %s", error)
            self.disconnect()
