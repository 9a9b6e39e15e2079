"""Verification: does all that was recorded still fit together?

One walk through the log in the order of positions, beside the command records in the same order, through the database
as it is at one moment. What the events mean is for auditors to judge, who hear each of them on the way.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db import DatabaseError

from . import snapshots
from .hashing import GENESIS, event_hash
from .heads import Digest, Head
from .log import Log, position_of
from .reading import one_moment
from .records import START, RecordedEvent
from .store import WRITE_SIDE

EVERY = 1000
"""How many events lie between two reports of progress."""
NO_MORE: tuple[int, Sequence[Any]] = 2**64, ()
"""What comes after the last command record."""
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What a row raises that the store cannot have written."""


class Finding(NamedTuple):
    """Something that does not fit. What belongs to no stream has an empty one, what belongs to no event no version."""

    stream: str
    version: int
    position: int
    what: str

    def __str__(self) -> str:
        version = f" version {self.version}" if self.version else ""
        position = f" (position {self.position})" if self.position else ""
        return f"{self.stream or 'the log'}{version}{position}: {self.what}"


class Auditor(Protocol):
    """Somebody who knows what events mean."""

    def hear(self, event: RecordedEvent) -> str | None:
        """Take in the next event, and return what is wrong with it, if something is."""

    def end(self) -> Iterator[Finding]:
        """Yield what does not fit now that all events have been heard."""


class Report(NamedTuple):
    """What a verification saw: the first finding of each stream, and the head of what is settled."""

    events: int
    streams: int
    commands: int
    rejected: int
    findings: list[Finding]
    head: Head


type StateOf = Callable[[str], dict[str, Any] | None]


def verify(
    *,
    auditors: Sequence[Auditor] = (),
    state_of: StateOf = lambda stream: None,
    since: Head | None = None,
    progress: Callable[[int], object] = lambda count: None,
    using: str = WRITE_SIDE,
) -> Report:
    """Check the whole log of a database, which others may go on writing to.

    Args:
        state_of: what a stream adds up to after the event that the auditors have heard last; None if nobody can tell.
        since: a head that the log has to extend.
    """
    with one_moment(using):
        walk = _Walk(Log(using), auditors, state_of, since)
        try:
            walk.through_events(progress)
            walk.through_rejected()
            walk.through_epochs()
            walk.end()
        except DatabaseError as error:
            walk.find("", 0, walk.position + 1, f"from here on it cannot be read: {error}")
        return walk.report()


class _Stream:
    """How far a stream has come. `open` counts the events of a command whose record is still to come."""

    __slots__ = ("command_id", "hash", "open", "place", "version")

    def __init__(self) -> None:
        self.version = 0
        self.hash = GENESIS
        self.place = START
        self.open = 0
        self.command_id: UUID | None = None


class _Walk:
    """The way through the rows of one database, and what was found on it."""

    def __init__(self, log: Log, auditors: Sequence[Auditor], state_of: StateOf, since: Head | None) -> None:
        self.log = log
        self.auditors = auditors
        self.state_of = state_of
        self.since = since
        self.streams: dict[str, _Stream] = {}
        self.findings: dict[str, Finding] = {}
        self.snapshots = log.snapshots()
        self.position = self.events = self.commands = self.rejected = 0
        self.settled, self.rejected_settled = log.settled()
        self.now = Digest(self.settled, self.rejected_settled)
        self.then = Digest(since.place, since.rejected_up_to) if since else Digest(START, 0)
        self.digests = [self.now, self.then] if since else [self.now]

    def find(self, stream: Any, version: Any, position: int, what: str) -> None:
        """Note a finding, if it is the first of its stream."""
        finding = Finding(str(stream), version if isinstance(version, int) else 0, position, what)
        known = self.findings.get(finding.stream)
        if known is None or 0 < finding.version < (known.version or math.inf):
            self.findings[finding.stream] = finding

    # Events, beside the records of their commands

    def through_events(self, progress: Callable[[int], object]) -> None:
        """Walk through all events and the accepted commands."""
        commands = ((position_of(row), row) for row in self.log.accepted())
        at, command = next(commands, NO_MORE)
        for row in self.log.events():
            position = row[0]
            self.position = position
            while at < position:
                self._without_events(command)
                at, command = next(commands, NO_MORE)
            mine = command if at == position else None
            try:
                self._event(row, mine)
            except UNREADABLE as error:
                self.find(row[1], row[2], position, f"the store wrote no such row: {error!r}")
            if mine is not None:
                at, command = next(commands, NO_MORE)
            self.events += 1
            if self.events % EVERY == 0:
                progress(EVERY)
        progress(self.events % EVERY)
        while command:
            self._without_events(command)
            at, command = next(commands, NO_MORE)

    def _event(self, row: Sequence[Any], command_row: Sequence[Any] | None) -> None:
        event, data, metadata = self.log.event(row)
        stream = self.streams.get(event.stream)
        if stream is None:
            stream = self.streams[event.stream] = _Stream()
        for what in (self._link(stream, event, data, metadata), self._command(stream, event, command_row)):
            if what:
                self.find(event.stream, event.version, event.position, what)
        for auditor in self.auditors:
            if what := auditor.hear(event):
                self.find(event.stream, event.version, event.position, what)
        if event.stream in self.snapshots:
            self._snapshot(event)

    def _link(self, stream: _Stream, event: RecordedEvent, data: str, metadata: str) -> str | None:
        """Join an event to its stream, and return what is wrong with that."""
        digest = event_hash(
            stream.hash,
            event.stream,
            event.version,
            event.type,
            event.schema_version,
            data,
            metadata,
            event.command_id,
            event.recorded_at,
        )
        version, before = stream.version + 1, stream.place
        stream.version, stream.hash, stream.place = event.version, event.hash, event.place
        if event.version != version:
            return f"version {version} should come here"
        if digest != event.hash:
            return "its hash fits neither what it says nor what came before it"
        if stream.place <= before:
            return "its place in the log is before that of its forerunner"
        return None

    def _command(self, stream: _Stream, event: RecordedEvent, row: Sequence[Any] | None) -> str | None:
        """Join an event to the others of its command; with the last one comes the record. Return what is wrong."""
        broken_off = stream.open > 0 and stream.command_id != event.command_id
        stream.open = 1 if broken_off else stream.open + 1
        stream.command_id = event.command_id
        seal = b""
        what = None
        if row is not None:
            command = self.log.command(row, event.command_id)
            seal = command.seal
            self.commands += 1
            what = command.misfit(event, stream.open)
            stream.open = 0
        for digest in self.digests:
            digest.add(stream.place, event.version, event.hash, seal)
        return "the event before it has no command record" if broken_off else what

    def _without_events(self, row: Sequence[Any]) -> None:
        """Note that a command is on record, but not what it did."""
        self.commands += 1
        try:
            command = self.log.command(row)
            stream, version = command.outcome[3:5]
            self.find(
                stream, version, command.position or 0, f"it is missing: the command {command.envelope.id} recorded it"
            )
        except UNREADABLE as error:
            self.find("", 0, 0, f"the store wrote no such command record: {error!r}")

    def _snapshot(self, event: RecordedEvent) -> None:
        """Compare a stream's snapshot with what its events add up to, if this is the event that it is of."""
        snapshot = self.snapshots[event.stream]
        if snapshot.version != event.version:
            return
        del self.snapshots[event.stream]
        state = snapshots.opened(snapshot, event)
        if state is None:
            self.find(event.stream, event.version, event.position, "the snapshot's seal does not fit")
            return
        rebuilt = self.state_of(event.stream)
        # One of another version of the program has other entries, and is not used.
        if rebuilt is not None and state.keys() == rebuilt.keys() and state != rebuilt:
            self.find(event.stream, event.version, event.position, "the snapshot is not what the events add up to")

    # What belongs to no event

    def through_rejected(self) -> None:
        """Walk through the records of commands that changed nothing."""
        for place, row in self.log.rejected():
            self.rejected += 1
            try:
                command = self.log.command(row)
                if what := command.misfit_of_rejection():
                    self.find("", 0, 0, f"the record of command {command.envelope.id}: {what}")
                said = (command.envelope.id.hex, command.transaction_id, command.seal.hex())
            except UNREADABLE as error:
                self.find("", 0, 0, f"the store wrote no such command record: {error!r}")
                said = ("", 0, "")
            self.now.add_rejected(place, *said)
            self.then.add_rejected(place, *said)

    def through_epochs(self) -> None:
        """Walk through the epochs of transaction ids."""
        epochs = self.log.epochs()
        last = 0
        for number, (told, shift, _) in enumerate(epochs, 1):
            if told != number or shift <= last:
                self.find("", 0, 0, f"epoch {told} does not follow the one before it")
            last = shift
        self.now.add_epochs(epochs)
        self.then.add_epochs(epochs[: self.since.epochs] if self.since else ())

    def end(self) -> None:
        """Look at what is left over when all rows have been seen."""
        for name, stream in self.streams.items():
            if stream.open:
                self.find(name, stream.version, stream.place.position, "it has no command record")
        for name, snapshot in self.snapshots.items():
            self.find(name, snapshot.version, 0, "there is a snapshot of it, but no such event")
        given = self.log.last_given()
        if given is not None and given != self.position:
            self.find("", 0, self.position + 1, f"it is missing: positions up to {given} have been given")
        for auditor in self.auditors:
            for finding in auditor.end():
                self.find(*finding)
        if self.since and (what := self.then.misfit(self.since)):
            self.find("", 0, 0, f"it does not extend the head of {self.since.made_at}: {what}")

    def report(self) -> Report:
        """Return what was seen."""
        found = sorted(self.findings.values(), key=lambda finding: (finding.position, finding.stream))
        return Report(self.events, len(self.streams), self.commands, self.rejected, found, self.now.head())
