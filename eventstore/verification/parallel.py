"""The work of a verification in several processes: each checks all events of some streams.

One process alone reads the database, so all of it is of one moment, every row goes to one checker, and a record goes
with the event at its position, whatever either says. The others get rows through a pipe and at its end send back what
they saw; they open no database and end as soon as their pipe does.
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
"""How many events go through a pipe at a time."""
AHEAD = 2**20
"""How many bytes may lie in a pipe, so that neither end waits for the other at each batch."""
SETTINGS = ("SEAL_KEYS", "SPACED_SEAL_KEYS", "TIME_ZONE", "USE_TZ")
"""All that checkers and auditors need of the settings."""


class Unfinished(Exception):
    """A verification that did not come to its end, and so says nothing; the message says why."""


@contextmanager
def shares[A: Auditor](
    processes: int, reader: Reader, snapshots: Mapping[str, SnapshotOf], auditor: A
) -> Iterator["Shares[A]"]:
    """Yield what checks events in so many processes, of which this is one and none of the others is left at the end.

    Args:
        auditor: has heard nothing yet, and has heard all at the end; it can be pickled.

    Raises:
        Unfinished
    """
    others: list[_Process[A]] = []
    try:
        for _ in range(1, processes):
            others.append(_Process())  # one by one: none may be forgotten if the next one cannot be started
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
        # This process reads the database. Beside one other it has time for a third of the streams, else for none.
        self.numbers = {1: [0], 2: [0, 1, 1]}.get(len(numbers)) or numbers[1:]
        parts: list[dict[str, SnapshotOf]] = [{} for _ in numbers]
        for stream, snapshot in snapshots.items():
            parts[self._number_of(stream)][stream] = snapshot
        self.checkers: list[Checker[A] | _Process[A]] = [Checker(reader, parts[0], auditor), *others]
        for process, part in zip(others, parts[1:], strict=True):
            process.begin(reader, part, auditor)

    def check(self, row: Row, command_row: Row | None) -> None:
        """Look at the next event; see `Checker.check`."""
        self.checkers[self._number_of(row[1])].check(row, command_row)

    def end(self, *, whole: bool) -> Checked[A]:
        """Return what all of them saw; see `Checker.end`."""
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
    """A process with a checker, by the two ends of its pipes that are here."""

    def __init__(self) -> None:
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                process_group=0,  # Ctrl-C is for this process to hear
            )
        except OSError as error:
            raise Unfinished(f"no process can be started: {error}") from error
        assert self.process.stdin
        assert self.process.stdout
        self.asked, self.told = self.process.stdin, self.process.stdout
        with suppress(OSError, AttributeError):
            fcntl.fcntl(self.asked, fcntl.F_SETPIPE_SZ, AHEAD)
        self.batch: list[tuple[Row, Row | None]] = []

    def begin(self, *checker: object) -> None:
        """Tell it what its checker is made of."""
        self._tell({name: getattr(settings, name) for name in SETTINGS})
        self._tell(checker)

    def check(self, row: Row, command_row: Row | None) -> None:
        """Hand on an event; see `Checker.check`."""
        self.batch.append((row, command_row))
        if len(self.batch) == BATCH:
            self._tell(self.batch)
            self.batch.clear()

    def end(self, *, whole: bool) -> Checked[A]:
        """Return what it saw; see `Checker.end`."""
        self._tell(self.batch)
        self._tell(whole)
        try:
            checked: Checked[A] = pickle.load(self.told)  # noqa: S301  # from our own process
        except (EOFError, pickle.UnpicklingError) as error:
            raise self._unfinished() from error
        return checked

    def close(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        self.process.wait()
        self.told.close()
        with suppress(BrokenPipeError):
            self.asked.close()

    def _tell(self, what: object) -> None:
        try:
            self.asked.write(pickle.dumps(what))
            self.asked.flush()
        except BrokenPipeError as error:
            raise self._unfinished() from error

    def _unfinished(self) -> Unfinished:
        return Unfinished(f"one of the processes that check the record ended too early, with {self.process.wait()}")


def serve() -> None:
    """Be one of the processes: check what comes in, and at the end say what was seen."""
    asked, told = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed goes where errors go, and not in between
    # The parent is gone; or an event holds lists within lists, so deep that they cannot be sent back: the parent sees
    # the end of the pipe, and ends without a result.
    with suppress(EOFError, BrokenPipeError, RecursionError):
        settings.configure(**pickle.load(asked))  # noqa: S301  # all of it is from our own parent
        checker = Checker[Any](*pickle.load(asked))  # noqa: S301
        while not isinstance(batch := pickle.load(asked), bool):  # noqa: S301
            for row, command_row in batch:
                checker.check(row, command_row)
        pickle.dump(checker.end(whole=batch), told)
        told.flush()
