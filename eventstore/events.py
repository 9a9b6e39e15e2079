"""The values that the store takes and returns. They know streams, versions, types and JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class NewEvent(NamedTuple):
    """An event to append.

    Its metadata holds the actor, the command and `circumstances`: inputs of the decision that the log does not hold
    otherwise, such as a setting.
    """

    type: str
    data: Mapping[str, Any]
    schema_version: int = 1
    circumstances: Mapping[str, Any] = {}


class RecordedEvent(NamedTuple):
    """An event of the log with its metadata.

    `position` is its order in the whole log, and `version` its order within the stream. `recorded_at` is in UTC.
    `transaction_id` is PostgreSQL's, and 0 on SQLite.
    """

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
    def actor(self) -> str:
        """The name of the user who sent the command."""
        return str(self.metadata["actor"])

    @property
    def name(self) -> str:
        """The name of the event in the causation of commands: its stream and version."""
        return f"{self.stream}@{self.version}"

    @property
    def log_position(self) -> "LogPosition":
        return LogPosition(self.transaction_id, self.position)


class LogPosition(NamedTuple):
    """A position in the reading order of the log. The transaction id is 0 on SQLite."""

    transaction_id: int
    position: int

    @property
    def token(self) -> str:
        """The log position as a short opaque text for clients."""
        return f"{self.transaction_id}-{self.position}"

    @classmethod
    def of_token(cls, token: str) -> "LogPosition":
        """Return the log position of a token. Return the start of the log if the text is no token."""
        parts = token.split("-")
        if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
            return cls(int(parts[0]), int(parts[1]))
        return START


START = LogPosition(0, 0)


class Envelope(NamedTuple):
    """A command without its content: its id, name, actor, time and fingerprint.

    A command that an event led to also has `causation`, the name of that event, and `correlation_id`, the id of the
    first command of the chain. `metadata` holds further entries for the metadata of the command's events.
    """

    id: UUID
    name: str
    actor: str
    received_at: datetime
    fingerprint: bytes
    correlation_id: UUID | None = None
    causation: str = ""
    metadata: Mapping[str, Any] = {}


class Outcome(NamedTuple):
    """The outcome of a command, as its record holds it."""

    name: str
    accepted: bool
    reason: str
    message: str
    stream: str
    version: int | None
    event_count: int
    fingerprint: bytes


class SnapshotOf(NamedTuple):
    """The row of a snapshot. Nothing trusts it before `snapshots.opened` has checked its seal.

    `state` is JSON. `hash` ties it to the event at that version.
    """

    version: int
    state: str | bytes
    hash: bytes
    seal: bytes
