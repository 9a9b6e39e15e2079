"""A pool of equal child processes: replaced when they die, stopped together, and never left behind.

The parent installs no signal handler that acts. It blocks the signals and takes one at a time with `sigwait`, so
neither their number nor their timing matters.
"""

import logging
import mmap
import os
import signal
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

type Work = Callable[[Callable[[], None], int], None]
"""The work of one process. SIGTERM kills the process until the work handles it.

Its arguments are a function to call once the process is ready, and a file descriptor that closes when the parent has
died.
"""

STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
GRACE = 30
"""Seconds from the stop signal until the processes that still run are killed."""
PAUSE = 0.5
"""Seconds that a process waits before its work if its predecessor died within its first second."""


class CannotStart(Exception):
    """A process failed before any process was ready."""


class Processes:
    """A pool of equal child processes.

    Args:
        number: the number of processes.
        work: the work of each of them, run in a fork of this process.
    """

    def __init__(self, number: int, work: Work) -> None:
        self.number, self.work = number, work
        self._started: dict[int, float] = {}  # process id: start time
        self._stopping = self._failed = False
        self._pause = self._deadline = 0.0
        self._was_ready = mmap.mmap(-1, 1)  # shared with the children
        self._parent_is_dead, self._alive = os.pipe()  # the system closes it in any case when this process ends

    def run(self) -> None:
        """Keep the processes running until SIGTERM, SIGINT or SIGHUP, then let them finish.

        The signals stay blocked afterwards, so that a late one does not change how this process ends.

        Raises:
            CannotStart: a process failed before any was ready.
        """
        stops = STOPS - {number for number in {signal.SIGHUP} if signal.getsignal(number) == signal.SIG_IGN}  # nohup
        waited = stops | {signal.SIGCHLD, signal.SIGALRM}
        for number in waited:
            signal.signal(number, lambda *_: None)  # the system discards an ignored signal before `sigwait` sees it
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
        """Do the work, and exit this process."""
        status = 1
        try:
            for number in blocked:
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends both to its whole process group
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
            if started is None or self._stopping:  # in a container, foreign orphans are reaped here too
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
        for pid in self._started:  # a pid is valid until it is reaped, even of a dead process
            os.kill(pid, number)
