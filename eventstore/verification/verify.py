"""Verification: does all that was recorded still fit together?

One walk through the log in the order of positions, beside the command records in the same order, through the database
as it is at one moment. Here is what takes the whole log: the positions, the digest of heads, rejected commands, epochs.
What takes no more than a stream is for a checker to look at, and what the events mean for its auditor.
"""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.db import DatabaseError

from .. import seals
from ..bulk_reading import one_moment
from ..events import START, SnapshotOf
from ..store import WRITE_SIDE
from .findings import LOG, UNREADABLE, Finding, Findings, shown, whole
from .parallel import Unfinished, shares
from .reader import Reader
from .signed_heads import Digest, Head
from .stream_checker import Auditor, Row
from .tables import POSITION, Log

EVERY = 1000
"""How many events lie between two reports of progress."""
MANY = 20_000
"""From how many events on several processes take less time, for all that they take to start."""
MOST = 5
"""The most processes that are kept busy by one that reads."""
NO_MORE: tuple[int, Row] = 2**64, ()
"""What comes after the last command record."""

type Progress = Callable[[int], object]


class Report(NamedTuple):
    """What a verification saw: the first finding of each stream, and the head of what is settled.

    `unbelieved` counts the snapshots without a seal that fits: written by an older version of the program, or forged.
    """

    events: int
    streams: int
    commands: int
    rejected: int
    findings: list[Finding]
    head: Head
    unbelieved: int


def verify[A: Auditor](
    auditor: A,
    conclude: Callable[[A], Iterator[Finding]],
    *,
    since: Head | None = None,
    progress: Progress = lambda count: None,
    processes: int | None = None,
    using: str = WRITE_SIDE,
) -> Report:
    """Check the whole log of a database, which others may go on writing to.

    Args:
        auditor: hears all events.
        conclude: tells what does not fit all that was heard.
        since: a head that the log has to extend.
        processes: how many check events; by default as many as it pays to have.

    Raises:
        Unfinished: one of them could not be started, or was ended; or a value could not be read at a place where none
            is expected to be bad.
    """
    try:
        with one_moment(using):
            log = Log(using)
            reader = Reader(on_sqlite=log.on_sqlite)
            walk = _Walk(log, reader, since)
            with shares(processes or _usual(log.count()), reader, walk.snapshots(), auditor) as checkers:
                to_the_end = walk.through(checkers.check, progress)
                checked = checkers.end(whole=to_the_end)
            walk.findings.join(checked.findings)
            if to_the_end:
                walk.findings.join(conclude(auditor))
            return walk.report(checked.streams, checked.unbelieved)
    except UNREADABLE as error:
        raise Unfinished(f"a value cannot be read: {shown(error)}") from error


def _usual(events: int) -> int:
    """Return how many processes it pays to have for so many events."""
    return min(MOST, os.process_cpu_count() or 1) if events >= MANY else 1


class _Walk:
    """The reading of all rows of one database, with the findings that are not the checkers'."""

    def __init__(self, log: Log, reader: Reader, since: Head | None) -> None:
        self.log = log
        self.reader = reader
        self.since = since
        self.findings = Findings()
        self.position = self.events = self.commands = self.rejected = self.unreadable_snapshots = 0
        settled = log.settled()
        self.now = Digest(*settled)
        self.then = Digest.for_head(since) if since else Digest(START, 0)

    def find(self, position: int, what: str) -> None:
        """Add a finding that concerns no stream."""
        self.findings.add(LOG, 0, position, what)

    def snapshots(self) -> dict[str, SnapshotOf]:
        """Return all snapshots by their streams, but those that cannot be read, which nothing believes."""
        snapshots = {}
        for row in self.log.snapshots():
            try:
                snapshots[row[0]] = self.reader.snapshot(row)
            except UNREADABLE:
                self.unreadable_snapshots += 1
        return snapshots

    def through(self, check: Callable[[Row, Row | None], object], progress: Progress) -> bool:
        """Walk through all rows, and hand each event to a checker; tell whether all could be read."""
        try:
            self._through_events(check, progress)
            self._through_rejected()
            self._through_epochs()
            self._end()
        except DatabaseError as error:
            self.find(self.position + 1, f"from here on it cannot be read: {error}")
            return False
        return True

    def report(self, streams: int, unbelieved: int) -> Report:
        """Return what was seen."""
        counts = self.events, streams, self.commands, self.rejected
        return Report(*counts, list(self.findings), self.now.head(), unbelieved + self.unreadable_snapshots)

    # Events, beside the records of their commands

    def _through_events(self, check: Callable[[Row, Row | None], object], progress: Progress) -> None:
        commands = self._accepted()
        at, command = next(commands, NO_MORE)
        for row in self.log.events():
            self.position = position = whole(row[0], self.position)
            while at < position:
                self._without_events(command)
                at, command = next(commands, NO_MORE)
            mine = None
            if at == position:
                mine = command
                self.commands += 1
                at, command = next(commands, NO_MORE)
            check(row, mine)
            self._add(row, mine)
            self.events += 1
            if self.events % EVERY == 0:
                progress(EVERY)
        progress(self.events % EVERY)
        while command:
            self._without_events(command)
            at, command = next(commands, NO_MORE)

    def _accepted(self) -> Iterator[tuple[int, Row]]:
        """Yield the rows of accepted commands, each after its position."""
        for row in self.log.accepted():
            if type(row[POSITION]) is int:
                yield row[POSITION], row
            else:
                self._without_events(row)

    def _add(self, row: Row, command_row: Row | None) -> None:
        """Add an event to what the heads are of, with the seal of its command if it is the last one of it."""
        position, _, version, *_, transaction_id, digest = row
        seal = command_row[-1] if command_row else b""
        try:
            self.now.add(transaction_id, position, version, digest, seal)
            if self.since:
                self.then.add(transaction_id, position, version, digest, seal)
        except UNREADABLE as error:
            self.findings.add(row[1], version, position, f"it cannot be read: {shown(error)}")

    def _without_events(self, row: Row) -> None:
        """Add the finding that a command is on record, and the events that it recorded are not."""
        self.commands += 1
        try:
            command = self.reader.command(row)
            stream, version = command.outcome[3:5]
            what = f"it is missing: the command {command.facts['correlation_id']} recorded it"
            self.findings.add(stream, version, command.position or 0, what)
        except UNREADABLE as error:
            self.find(0, f"the record of command {shown(row[0])} cannot be read: {shown(error)}")

    # What belongs to no event

    def _through_rejected(self) -> None:
        ring = seals.ring()
        for place, row in self.log.rejected():
            self.rejected += 1
            try:
                command = self.reader.command(row)
                if what := command.misfit_of_rejection(ring):
                    self.find(0, f"the record of command {command.facts['correlation_id']}: {what}")
                said = (command.id, command.transaction_id, command.seal.hex())
            except UNREADABLE as error:
                self.find(0, f"the record of command {shown(row[0])} cannot be read: {shown(error)}")
                said = ("", 0, "")
            self.now.add_rejected(whole(place), *said)
            self.then.add_rejected(whole(place), *said)

    def _through_epochs(self) -> None:
        epochs: list[tuple[int, int, str]] = []
        last = 0
        for number, (told, shift, began_at) in enumerate(self.log.epochs(), 1):
            if not type(told) is type(shift) is int or began_at is None:
                self.find(0, f"epoch {shown(told)} cannot be read")
                continue
            if told != number or shift <= last:
                self.find(0, f"epoch {told} does not follow the one before it")
            last = shift
            epochs.append((told, shift, str(began_at)))
        self.now.add_epochs(epochs)
        self.then.add_epochs(epochs[: self.since.epochs] if self.since else ())

    def _end(self) -> None:
        given = self.log.last_given()
        if given is not None and given != self.position:
            self.find(self.position + 1, f"it is missing: positions up to {shown(given)} have been given")
        if self.since and (what := self.then.misfit(self.since)):
            other_kind = self.since.position and self.log.on_sqlite is (self.since.transaction_id > 0)
            hint = (
                ". A head from before the bank moved between SQLite and PostgreSQL does not fit" if other_kind else ""
            )
            self.find(0, f"it does not extend the head of {self.since.made_at}: {what}{hint}")
