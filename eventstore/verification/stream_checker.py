"""The check of each event against its stream, its command record, its snapshot and the auditor's rules."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from .. import seals, snapshots
from ..chain import GENESIS
from ..errors import UNREADABLE
from ..events import SnapshotOf
from .findings import Finding, Findings, shown
from .reader import Command, Reader, ReadEvent

type Row = Sequence[Any]


class Auditor(Protocol):
    """Checks the meaning of events."""

    def add(self, event: ReadEvent, command: str | None) -> str | None:
        """Add the next event, and return its fault, or None.

        Args:
            command: the name of the event's command if the event is the last one of that command, else None.
        """

    def is_other_state(self, stream: str, state: Mapping[str, Any]) -> bool:
        """Return whether a snapshot's state differs from that of the stream after its last event."""

    def join(self, other: Self) -> None:
        """Add the results of an auditor of other streams."""


class Checked[A: Auditor](NamedTuple):
    """The result of checking some streams, and the auditor of their events.

    `unbelieved` counts the snapshots without a seal of the bank's keys. The bank never loads those, so they are no
    findings.
    """

    streams: int
    findings: list[Finding]
    unbelieved: int
    auditor: A


class _Stream:
    """The progress in one stream. `open` counts the events of a command whose record has not come yet."""

    __slots__ = ("command_id", "hash", "log_position", "open", "version")

    def __init__(self) -> None:
        self.version = self.open = 0
        self.hash = GENESIS
        self.log_position = (0, 0)
        self.command_id = ""


class Checker[A: Auditor]:
    """Checks all events of some streams, in the order of positions."""

    def __init__(self, reader: Reader, snapshots_of: Mapping[str, SnapshotOf], auditor: A) -> None:
        self.reader = reader
        self.snapshots = dict(snapshots_of)
        self.unbelieved = 0
        self.auditor = auditor
        self.ring = seals.ring()
        self.streams: dict[str, _Stream] = {}
        self.findings = Findings()

    def check(self, row: Row, command_row: Row | None) -> None:
        """Check the next event.

        Args:
            command_row: the row of the command record at the event's position, if there is one.
        """
        what = "its command record"
        try:
            command = self.reader.command(command_row) if command_row else None
            what = "it"
            self._check(row, command)
        except UNREADABLE as error:
            self.findings.add(row[1], row[2], row[0], f"{what} cannot be read: {shown(error)}")

    def end(self, *, whole: bool) -> Checked[A]:
        """Return the result. If `whole`, also report streams and snapshots that lack a record or an event."""
        for name, stream in self.streams.items() if whole else ():
            if stream.open:
                self.findings.add(name, stream.version, stream.log_position[1], "it has no command record")
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
        nonsense = self.auditor.add(event, command and command.name)
        if what := unlinked or misfit or nonsense:
            self._find(event, what)
        if event.stream in self.snapshots:
            self._snapshot(event)

    def _find(self, event: ReadEvent, what: str) -> None:
        self.findings.add(event.stream, event.version, event.position, what)

    def _link(self, stream: _Stream, event: ReadEvent, digest: bytes) -> str | None:
        """Append an event to its stream, and return the fault of the link, or None."""
        version, before = stream.version + 1, stream.log_position
        stream.version, stream.hash = event.version, event.hash
        stream.log_position = event.transaction_id, event.position
        if event.version != version:
            return f"version {version} should come here"
        if digest != event.hash:
            return "its hash fits neither what it says nor what came before it"
        if stream.log_position <= before:
            return "its place in the log is before that of its forerunner"
        return None

    def _command(self, stream: _Stream, event: ReadEvent, command: Command | None) -> str | None:
        """Count an event of its command, and return the fault, or None. The last event comes with the record."""
        broken_off = stream.open > 0 and stream.command_id != event.command_id
        count = 1 if broken_off else stream.open + 1
        stream.open = 0 if command else count
        stream.command_id = event.command_id
        if broken_off:
            return "the event before it has no command record"
        return command.misfit(event, count, self.ring) if command else None

    def _snapshot(self, event: ReadEvent) -> None:
        """Compare the stream's snapshot with the state rebuilt from its events, at the snapshot's version."""
        snapshot = self.snapshots[event.stream]
        if snapshot.version != event.version:
            return
        del self.snapshots[event.stream]
        state = snapshots.opened(event.stream, snapshot, event.hash)
        if state is None:
            self.unbelieved += 1
            return
        if self.auditor.is_other_state(event.stream, state):
            self._find(event, "the snapshot is not what the events add up to")
