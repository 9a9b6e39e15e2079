"""What a verification asks of each event: does it fit its stream, its command and its snapshot, and make sense?"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from .. import seals, snapshots
from ..chain import GENESIS
from ..events import SnapshotOf
from .findings import UNREADABLE, Finding, Findings, shown
from .reader import Command, Reader, ReadEvent

type Row = Sequence[Any]


class Auditor(Protocol):
    """Somebody who knows what events mean."""

    def hear(self, event: ReadEvent, command: str | None) -> str | None:
        """Take in the next event, and return what is wrong with it, if something is.

        Args:
            command: the name of its command if it is the last event of that one, else None.
        """

    def state_of(self, stream: str) -> dict[str, Any] | None:
        """Return what a stream adds up to after the event that was heard last; None if nobody can tell."""

    def join(self, other: Self) -> None:
        """Take in what another one has heard of other streams."""


class Checked[A: Auditor](NamedTuple):
    """What was seen of some streams, and the auditor who has heard all of their events.

    `unbelieved` counts the snapshots that the bank's keys did not seal. Nothing uses them, so they are no findings.
    """

    streams: int
    findings: list[Finding]
    unbelieved: int
    auditor: A


class _Stream:
    """How far a stream has come. `open` counts the events of a command whose record is still to come."""

    __slots__ = ("command_id", "hash", "open", "place", "version")

    def __init__(self) -> None:
        self.version = self.open = 0
        self.hash = GENESIS
        self.place = (0, 0)
        self.command_id = ""


class Checker[A: Auditor]:
    """Looks at all events of some streams, in the order of positions."""

    def __init__(self, reader: Reader, snapshots_of: Mapping[str, SnapshotOf], auditor: A) -> None:
        self.reader = reader
        self.snapshots = dict(snapshots_of)
        self.unbelieved = 0
        self.auditor = auditor
        self.ring = seals.ring()
        self.streams: dict[str, _Stream] = {}
        self.findings = Findings()

    def check(self, row: Row, command_row: Row | None) -> None:
        """Look at the next event.

        Args:
            command_row: the record of a command at the event's position.
        """
        what = "its command record"
        try:
            command = self.reader.command(command_row) if command_row else None
            what = "it"
            self._check(row, command)
        except UNREADABLE as error:
            self.findings.add(row[1], row[2], row[0], f"{what} cannot be read: {shown(error)}")

    def end(self, *, whole: bool) -> Checked[A]:
        """Return what was seen; if these were all events there are, look at what is left over as well."""
        for name, stream in self.streams.items() if whole else ():
            if stream.open:
                self.findings.add(name, stream.version, stream.place[1], "it has no command record")
        for name, snapshot in self.snapshots.items() if whole else ():
            if snapshots.is_sealed(name, snapshot):
                self.findings.add(name, snapshot.version, 0, "there is a snapshot of it, but no such event")
            else:
                self.unbelieved += 1
        return Checked(len(self.streams), list(self.findings), self.unbelieved, self.auditor)

    def _check(self, row: Row, command: Command | None) -> None:
        stream = self.streams.get(row[1])
        if stream is None:
            stream = self.streams[row[1]] = _Stream()
        event, digest = self.reader.event(row, stream.hash, command and command.facts)
        unlinked = self._link(stream, event, digest)
        misfit = self._command(stream, event, command)
        nonsense = self.auditor.hear(event, command and command.name)
        if what := unlinked or misfit or nonsense:
            self._find(event, what)
        if event.stream in self.snapshots:
            self._snapshot(event)

    def _find(self, event: ReadEvent, what: str) -> None:
        self.findings.add(event.stream, event.version, event.position, what)

    def _link(self, stream: _Stream, event: ReadEvent, digest: bytes) -> str | None:
        """Join an event to its stream, and return what is wrong with that."""
        version, before = stream.version + 1, stream.place
        stream.version, stream.hash = event.version, event.hash
        stream.place = event.transaction_id, event.position
        if event.version != version:
            return f"version {version} should come here"
        if digest != event.hash:
            return "its hash fits neither what it says nor what came before it"
        if stream.place <= before:
            return "its place in the log is before that of its forerunner"
        return None

    def _command(self, stream: _Stream, event: ReadEvent, command: Command | None) -> str | None:
        """Join an event to the others of its command; with the last one comes the record. Return what is wrong."""
        broken_off = stream.open > 0 and stream.command_id != event.command_id
        count = 1 if broken_off else stream.open + 1
        stream.open = 0 if command else count
        stream.command_id = event.command_id
        if broken_off:
            return "the event before it has no command record"
        return command.misfit(event, count, self.ring) if command else None

    def _snapshot(self, event: ReadEvent) -> None:
        """Compare a stream's snapshot with what its events add up to, if this is the event that it is of."""
        snapshot = self.snapshots[event.stream]
        if snapshot.version != event.version:
            return
        del self.snapshots[event.stream]
        state = snapshots.opened(event.stream, snapshot, event.hash)
        if state is None:
            self.unbelieved += 1
            return
        rebuilt = self.auditor.state_of(event.stream)
        # One of another version of the program has other entries, and is not used.
        if rebuilt is not None and state.keys() == rebuilt.keys() and state != rebuilt:
            self._find(event, "the snapshot is not what the events add up to")
