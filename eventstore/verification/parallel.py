"""Parallel verification: several processes, each of which checks all events of some streams.

Only one process reads the database, so the whole verification reads one database snapshot. It sends every row to
exactly one checker, and each command record together with the event at its position. The other processes receive rows
through a pipe and return their results at the end. They open no database, and they end when their pipe closes.
"""

import fcntl
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings

from ..events import SnapshotOf
from .reader import Reader
from .stream_checker import Auditor, Checked, Checker, Row

BATCH = 200
"""The number of events sent through a pipe at a time."""
AHEAD = 2**20
"""The buffer size of a pipe in bytes, so that neither end waits for the other at each batch."""
SETTINGS = ("SEAL_KEYS", "SPACED_SEAL_KEYS", "TIME_ZONE", "USE_TZ")
"""The only settings that checkers and auditors read."""


class Unfinished(Exception):
    """A verification that did not finish, and therefore has no result. The message gives the reason."""


@contextmanager
def shares[A: Auditor](
    processes: int, reader: Reader, snapshots: Mapping[str, SnapshotOf], auditor: A
) -> Iterator["Shares[A]"]:
    """Yield a checker that distributes events over this number of processes.

    This process is one of them. All others have ended when the context ends.

    Args:
        auditor: checks the meaning of events. It has no events at the start and all of them at the end. It must be
            picklable.

    Raises:
        Unfinished
    """
    others: list[_Process[A]] = []
    try:
        for _ in range(1, processes):
            others.append(_Process())  # one at a time, so that all are closed if the next one cannot be started
        yield Shares(others, reader, snapshots, auditor)
    finally:
        for process in others:
            process.close()


class Shares[A: Auditor]:
    """Checks all events, each stream in one of several processes."""

    def __init__(
        self, others: "Sequence[_Process[A]]", reader: Reader, snapshots: Mapping[str, SnapshotOf], auditor: A
    ) -> None:
        numbers = range(len(others) + 1)
        # This process also reads the database: with one other process it checks a third of the streams, else none.
        self.numbers = {1: [0], 2: [0, 1, 1]}.get(len(numbers)) or numbers[1:]
        parts: list[dict[str, SnapshotOf]] = [{} for _ in numbers]
        for stream, snapshot in snapshots.items():
            parts[self._number_of(stream)][stream] = snapshot
        self.checkers: list[Checker[A] | _Process[A]] = [Checker(reader, parts[0], auditor), *others]
        for process, part in zip(others, parts[1:], strict=True):
            process.begin(reader, part, auditor)

    def check(self, row: Row, command_row: Row | None) -> None:
        """Check the next event; see `Checker.check`."""
        self.checkers[self._number_of(row[1])].check(row, command_row)

    def end(self, *, whole: bool) -> Checked[A]:
        """Return the joined results of all processes; see `Checker.end`."""
        streams, findings, unbelieved, auditor = self.checkers[0].end(whole=whole)
        for other in self.checkers[1:]:
            more = other.end(whole=whole)
            streams += more.streams
            findings += more.findings
            unbelieved += more.unbelieved
            auditor.join(more.auditor)
        return Checked(streams, findings, unbelieved, auditor)

    def _number_of(self, stream: object) -> int:
        return self.numbers[hash(stream) % len(self.numbers)]


class _Process[A: Auditor]:
    """A child process with a checker, and this process's ends of its two pipes."""

    def __init__(self) -> None:
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                process_group=0,  # only this process receives Ctrl-C
            )
        except OSError as error:
            raise Unfinished(f"no process can be started: {error}") from error
        assert self.process.stdin
        assert self.process.stdout
        self.requests, self.results = self.process.stdin, self.process.stdout
        with suppress(OSError, AttributeError):
            fcntl.fcntl(self.requests, fcntl.F_SETPIPE_SZ, AHEAD)
        self.batch: list[tuple[Row, Row | None]] = []

    def begin(self, *checker: object) -> None:
        """Send the settings and the arguments of the checker."""
        self._send({name: getattr(settings, name) for name in SETTINGS})
        self._send(checker)

    def check(self, row: Row, command_row: Row | None) -> None:
        """Add an event to the batch, and send the batch when it is full; see `Checker.check`."""
        self.batch.append((row, command_row))
        if len(self.batch) == BATCH:
            self._send(self.batch)
            self.batch.clear()

    def end(self, *, whole: bool) -> Checked[A]:
        """Return the child's result; see `Checker.end`."""
        self._send(self.batch)
        self._send(whole)
        try:
            checked: Checked[A] = pickle.load(self.results)  # noqa: S301  # from our own process
        except (EOFError, pickle.UnpicklingError) as error:
            raise self._unfinished() from error
        return checked

    def close(self) -> None:
        """Kill the process and close its pipes."""
        self.process.kill()
        self.process.wait()
        self.results.close()
        with suppress(BrokenPipeError):
            self.requests.close()

    def _send(self, message: object) -> None:
        try:
            self.requests.write(pickle.dumps(message))
            self.requests.flush()
        except BrokenPipeError as error:
            raise self._unfinished() from error

    def _unfinished(self) -> Unfinished:
        return Unfinished(f"one of the processes that check the record ended too early, with {self.process.wait()}")


def serve() -> None:
    """Run one child process: check the received events, and send the result at the end."""
    requests, results = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # printed text must not mix with the results
    # EOFError and BrokenPipeError: the parent has ended. RecursionError: an event is nested too deeply to pickle; the
    # parent then sees the end of the pipe, and raises Unfinished.
    with suppress(EOFError, BrokenPipeError, RecursionError):
        settings.configure(**pickle.load(requests))  # noqa: S301  # all of it is from our own parent
        checker = Checker[Any](*pickle.load(requests))  # noqa: S301
        while not isinstance(batch := pickle.load(requests), bool):  # noqa: S301
            for row, command_row in batch:
                checker.check(row, command_row)
        pickle.dump(checker.end(whole=batch), results)
        results.flush()
