"""Processes that do the same work: replaced when they die, stopped together, and never left behind.

The parent handles no signal. It blocks them and takes one at a time (`sigwait`), so it does not matter how often a
signal comes, or when.
"""

import logging
import mmap
import os
import signal
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

type Work = Callable[[Callable[[], None], int], None]
"""Does the work of one process. Its arguments: what to call once it is ready, and a file descriptor that closes when
the parent is dead. SIGTERM kills the process until the work handles it."""

STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
GRACE = 30
"""Seconds from the signal to stop until the processes that still run are killed."""
PAUSE = 0.5
"""Seconds that a process waits in whose place another one died within its first second."""


class CannotStart(Exception):
    """A process failed, and none has ever been ready."""


class Processes:
    """A number of processes that do the same work.

    Args:
        number: how many.
        work: what each of them does, in a fork of this process.
    """

    def __init__(self, number: int, work: Work) -> None:
        self.number, self.work = number, work
        self._started: dict[int, float] = {}  # process id: when
        self._stopping = self._failed = False
        self._pause = self._deadline = 0.0
        self._was_ready = mmap.mmap(-1, 1)  # shared with the children
        self._parent_is_dead, self._alive = os.pipe()  # the system closes it, however this process ends

    def run(self) -> None:
        """Keep the processes running until SIGTERM, SIGINT or SIGHUP, then let them finish.

        Afterwards the signals stay blocked: one that comes late does not change how this process ends.

        Raises:
            CannotStart: a process failed before any was ready.
        """
        stops = STOPS - {number for number in {signal.SIGHUP} if signal.getsignal(number) == signal.SIG_IGN}  # nohup
        waited = stops | {signal.SIGCHLD, signal.SIGALRM}
        for number in waited:
            signal.signal(number, lambda *_: None)  # the system throws away what is ignored
        signal.pthread_sigmask(signal.SIG_BLOCK, waited)
        while self._started or not self._stopping:
            if not self._stopping:
                self._fill(waited)
            arrived = signal.sigwait(waited)
            if arrived in stops:
                self._stop()
            elif arrived == signal.SIGCHLD:
                self._reap()
            elif self._stopping and time.monotonic() >= self._deadline:
                self._tell(signal.SIGKILL)
        if self._failed:
            raise CannotStart

    def _fill(self, blocked: set[signal.Signals]) -> None:
        while len(self._started) < self.number:
            try:
                pid = os.fork()
            except OSError as error:
                logger.error("No web process can be started, trying again: %s", error)
                signal.alarm(1)
                return
            if pid == 0:
                self._be_a_child(blocked)
            self._started[pid] = time.monotonic()
            logger.info("Web process %d started", pid)
        self._pause = 0

    def _be_a_child(self, blocked: set[signal.Signals]) -> None:
        """Do the work, and end this process."""
        status = 1
        try:
            for number in blocked:
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends both to all of its processes
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
            os.close(self._alive)
            time.sleep(self._pause)
            self.work(lambda: self._was_ready.write_byte(1), self._parent_is_dead)
            status = 0
        except BaseException:
            logger.exception("Web process %d failed", os.getpid())
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while self._started:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            started = self._started.pop(pid, None)
            if started is None or self._stopping:  # in a container, the orphans of others arrive here too
                continue
            code = os.waitstatus_to_exitcode(status)
            ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
            logger.warning("Web process %d %s", pid, ended)
            if time.monotonic() - started < 1:
                self._pause = PAUSE
            if code not in (0, -signal.SIGTERM, -signal.SIGKILL) and not self._was_ready[0]:
                self._failed = True
                self._stop()

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._deadline = time.monotonic() + GRACE
            signal.alarm(GRACE + 1)
            self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._started:  # each is there until it is reaped, dead or alive
            os.kill(pid, number)
