"""Verification of the whole record.

The verification reads the log in the order of positions, together with the command records in the same order, in one
database snapshot. This module checks the whole of the log: the positions, the digest of signed heads, rejected commands
and epochs. A checker checks single streams, and its auditor checks the meaning of the events.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.db import DatabaseError

from .. import seals
from ..backends import backend_of
from ..errors import UNREADABLE
from ..events import START, SnapshotOf
from ..store import WRITE_SIDE
from .causes import Causes
from .findings import LOG, Finding, Findings, shown, whole
from .parallel import Unfinished, shares
from .reader import Reader
from .signed_heads import Digest, Head
from .stream_checker import Auditor, Row
from .tables import CAUSATION, POSITION, Log

EVERY = 1000
"""The number of events between two progress reports."""
MANY = 20_000
"""The number of events from which several processes are faster in spite of their start."""
MOST = 5
"""The largest number of processes that one reading process keeps busy."""
NO_MORE: tuple[int, Row] = 2**64, ()
"""The sentinel after the last command record."""

type Progress = Callable[[int], object]


class Report(NamedTuple):
    """The result of a verification: the first finding of each stream, and the head of the settled log.

    `unchecked` names the streams whose events the auditor does not know, from the first one on. `notes` say what was
    compared in another way, or not in full.
    `unbelieved` counts the snapshots without a valid seal. They are from an older version of the program, or forged.
    """

    events: int
    streams: int
    commands: int
    rejected: int
    findings: list[Finding]
    head: Head
    unbelieved: int
    unchecked: Sequence[Finding] = ()
    notes: Sequence[str] = ()


def verify[A: Auditor](
    auditor: A,
    conclude: Callable[[A], Iterator[Finding]],
    *,
    since: Head | None = None,
    progress: Progress = lambda count: None,
    processes: int | None = None,
    using: str = WRITE_SIDE,
) -> Report:
    """Verify the whole log of a database. Writers may go on appending to it.

    Args:
        auditor: checks the meaning of all events.
        conclude: yields the findings that need the auditor of all events.
        since: a signed head that the log must extend.
        processes: the number of processes that check events; by default as many as make it faster.

    Raises:
        Unfinished: a process could not be started or ended early, or a value that is never bad cannot be read.
    """
    try:
        with backend_of(using).one_moment():
            log = Log(using)
            reader = Reader(stores_text=log.backend.stores_text)
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
    """Return the number of processes that is fastest for this number of events."""
    return min(MOST, os.cpu_count() or 1) if events >= MANY else 1


class _Walk:
    """The reading of all rows of one database, with the findings that no checker makes."""

    def __init__(self, log: Log, reader: Reader, since: Head | None) -> None:
        self.log = log
        self.reader = reader
        self.since = since
        self.findings = Findings()
        self.causes = Causes(log.backend)
        self.position = self.events = self.commands = self.rejected = self.unreadable_snapshots = 0
        settled = log.backend.settled_ends()
        self.now = Digest(*settled)
        self.then = Digest.for_head(since) if since else Digest(START, 0)

    def find(self, position: int, what: str) -> None:
        """Add a finding that concerns no stream."""
        self.findings.add(LOG, 0, position, what)

    def snapshots(self) -> dict[str, SnapshotOf]:
        """Return all readable snapshots by stream. The others are counted, because the bank never loads them."""
        snapshots = {}
        for row in self.log.snapshots():
            try:
                snapshots[row[0]] = self.reader.snapshot(row)
            except UNREADABLE:
                self.unreadable_snapshots += 1
        return snapshots

    def through(self, check: Callable[[Row, Row | None], object], progress: Progress) -> bool:
        """Read all rows, and send each event to a checker. Return whether all could be read."""
        try:
            self._through_events(check, progress)
            self._through_rejected()
            self.causes.compare()
            self._through_epochs()
            self._end()
        except DatabaseError as error:
            self.find(self.position + 1, f"from here on it cannot be read: {error}")
            return False
        return True

    def report(self, streams: int, unbelieved: int) -> Report:
        """Return the report."""
        counts = self.events, streams, self.commands, self.rejected
        return Report(*counts, list(self.findings), self.now.head(), unbelieved + self.unreadable_snapshots)

    # Events, with the records of their commands

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
            if mine and mine[CAUSATION]:
                self.causes.add(mine[CAUSATION], row, partial(self.findings.add, row[1], row[2], row[0]))
            self._add(row, mine)
            self.events += 1
            if self.events % EVERY == 0:
                progress(EVERY)
        progress(self.events % EVERY)
        while command:
            self._without_events(command)
            at, command = next(commands, NO_MORE)

    def _accepted(self) -> Iterator[tuple[int, Row]]:
        """Yield the position and the row of each record of an accepted command."""
        for row in self.log.accepted():
            if type(row[POSITION]) is int:
                yield row[POSITION], row
            else:
                self._without_events(row)

    def _add(self, row: Row, command_row: Row | None) -> None:
        """Add an event to the digests, with the seal of its command if it is the last event of that command."""
        position, _, version, *_, transaction_id, digest = row
        seal = command_row[-1] if command_row else b""
        try:
            self.now.add(transaction_id, position, version, digest, seal)
            if self.since:
                self.then.add(transaction_id, position, version, digest, seal)
        except UNREADABLE as error:
            self.findings.add(row[1], version, position, f"it cannot be read: {shown(error)}")

    def _without_events(self, row: Row) -> None:
        """Add the finding that a command record exists and its events do not."""
        self.commands += 1
        try:
            command = self.reader.command(row)
            stream, version = command.outcome[3:5]
            what = f"it is missing: the command {UUID(command.id)} recorded it"
            self.findings.add(stream, version, command.position or 0, what)
        except UNREADABLE as error:
            self.find(0, f"the record of command {shown(row[0])} cannot be read: {shown(error)}")

    # Rows that belong to no event

    def _through_rejected(self) -> None:
        ring = seals.ring()
        for log_position, row in self.log.rejected():
            self.rejected += 1
            try:
                command = self.reader.command(row)
                find = partial(self._find_rejected, UUID(command.id))
                if what := command.misfit_of_rejection(ring):
                    find(what)
                self.causes.add(command.causation, None, find)
                values = (command.id, command.transaction_id, command.seal.hex())
            except UNREADABLE as error:
                self.find(0, f"the record of command {shown(row[0])} cannot be read: {shown(error)}")
                values = ("", 0, "")
            self.now.add_rejected(whole(log_position), *values)
            self.then.add_rejected(whole(log_position), *values)

    def _find_rejected(self, command_id: UUID, what: str) -> None:
        self.find(0, f"the record of command {command_id}: {what}")

    def _through_epochs(self) -> None:
        epochs: list[tuple[int, int, str]] = []
        last = 0
        for number, (stored, shift, began_at) in enumerate(self.log.epochs(), 1):
            if not type(stored) is type(shift) is int or began_at is None:
                self.find(0, f"epoch {shown(stored)} cannot be read")
                continue
            if stored != number or shift <= last:
                self.find(0, f"epoch {stored} does not follow the one before it")
            last = shift
            epochs.append((stored, shift, str(began_at)))
        self.now.add_epochs(epochs)
        self.then.add_epochs(epochs[: self.since.epochs] if self.since else ())

    def _end(self) -> None:
        given = self.log.backend.last_given()
        if given is not None and given != self.position:
            self.find(self.position + 1, f"it is missing: positions up to {shown(given)} have been given")
        if (since := self.since) and (what := self.then.misfit(since)):
            other_kind = since.position and self.log.backend.has_transaction_ids is not bool(since.transaction_id)
            hint = (
                ". A head from before the bank moved between SQLite and PostgreSQL does not fit" if other_kind else ""
            )
            self.find(0, f"it does not extend the head of {since.made_at}: {what}{hint}")
