"""The values that go into the store and come out of it. They know streams, versions, types and JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

_from_json = json.JSONDecoder().decode


class NewEvent(NamedTuple):
    """An event that is to be appended.

    `circumstances` go into its metadata, beside actor and command: what the decision depended on and the log does not
    tell otherwise, such as a setting.
    """

    type: str
    data: Mapping[str, Any]
    schema_version: int = 1
    circumstances: Mapping[str, Any] = {}


class RecordedEvent(NamedTuple):
    """An event as it stands in the log.

    The fields that begin with `raw_` are as the database gives them: whoever reads a million events wants to know
    what they mean of few.
    """

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    data: dict[str, Any]
    raw_metadata: dict[str, Any] | str
    raw_command_id: UUID | str
    raw_recorded_at: datetime | str
    transaction_id: int
    hash: bytes

    @property
    def metadata(self) -> dict[str, Any]:
        """Who caused it, and by which command."""
        raw = self.raw_metadata
        return _from_json(raw) if isinstance(raw, str) else raw

    @property
    def command_id(self) -> UUID:
        """The command that it came of."""
        raw = self.raw_command_id
        return UUID(int=int(raw, 16)) if isinstance(raw, str) else raw

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded, in UTC."""
        raw = self.raw_recorded_at
        return datetime.fromisoformat(raw) if isinstance(raw, str) else raw

    def __eq__(self, other: object) -> bool:
        """Two are the same if they mean the same, in whatever form a database gave them."""
        return isinstance(other, RecordedEvent) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash((self.stream, self.version, self.hash))

    def _meaning(self) -> tuple[Any, ...]:
        return (*self[:6], self.metadata, self.command_id, self.recorded_at, *self[9:])

    @property
    def place(self) -> "Place":
        return Place(self.transaction_id, self.position)


class Columns(NamedTuple):
    """Events that follow one another in the log, by columns: for whoever reads many and wants little of each.

    Metadata and command ids are empty where they were not asked for.
    """

    positions: Sequence[int]
    versions: Sequence[int]
    types: Sequence[str]
    schema_versions: Sequence[int]
    data: Sequence[dict[str, Any]]
    raw_recorded_at: Sequence[datetime | str]
    transaction_ids: Sequence[int]
    raw_metadata: Sequence[dict[str, Any] | str] = ()
    raw_command_ids: Sequence[UUID | str] = ()

    @classmethod
    def of(cls, events: "Sequence[RecordedEvent]") -> "Columns":
        """Return the columns of events, of which there is one at least."""
        positions, _, versions, types, schemas, data, metadata, ids, times, transactions, _ = zip(*events, strict=True)
        return cls(positions, versions, types, schemas, data, times, transactions, metadata, ids)

    @property
    def last(self) -> "Place":
        """The place of the last event."""
        return Place(self.transaction_ids[-1], self.positions[-1])

    def first(self, count: int) -> "Columns":
        """Return the first events only."""
        return Columns._make(column[:count] for column in self)


class Place(NamedTuple):
    """How far somebody has read in the log. The transaction id counts on PostgreSQL only and is 0 on SQLite."""

    transaction_id: int
    position: int

    @property
    def token(self) -> str:
        """The place as a short text, for those who carry it without looking into it."""
        return f"{self.transaction_id}-{self.position}"

    @classmethod
    def of_token(cls, token: str) -> "Place":
        """Return the place of a token, or the start of the log where it is none."""
        parts = token.split("-")
        if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
            return cls(int(parts[0]), int(parts[1]))
        return START


START = Place(0, 0)


class Envelope(NamedTuple):
    """What is known of a command beside its content."""

    id: UUID
    name: str
    actor: str
    received_at: datetime
    fingerprint: bytes


class Outcome(NamedTuple):
    """What became of a command, as its record tells."""

    accepted: bool
    reason: str
    message: str
    stream: str
    version: int | None
    event_count: int
    fingerprint: bytes


class SnapshotOf(NamedTuple):
    """A snapshot as its row says it, which is believed only once `snapshots.opened` has looked at its seal.

    `state` is JSON; `hash` ties it to the event at that version.
    """

    version: int
    state: str | bytes
    hash: bytes
    seal: bytes
