"""The values that go into the store and come out of it. They know streams, versions, types and JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class NewEvent(NamedTuple):
    """An event that is to be appended."""

    type: str
    data: Mapping[str, Any]
    schema_version: int = 1


class RecordedEvent(NamedTuple):
    """An event as it stands in the log. `recorded_at` is in UTC."""

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    data: dict[str, Any]
    metadata: dict[str, Any]
    command_id: UUID
    recorded_at: datetime
    transaction_id: int
    hash: bytes

    @property
    def place(self) -> "Place":
        return Place(self.transaction_id, self.position)


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
    """What a stream's events up to a version add up to, as JSON, and the hash that ties it to the event there."""

    version: int
    state: str
    hash: bytes
