"""The values that go into the store and come out of it. They know streams, versions, types and JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


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
    """An event as it stands in the log, with its metadata.

    `position` is its place in the whole log and `version` its place in the stream. `recorded_at` is in UTC.
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
        """The user name of whoever gave the command."""
        return str(self.metadata["actor"])

    @property
    def log_position(self) -> "LogPosition":
        return LogPosition(self.transaction_id, self.position)


class LogPosition(NamedTuple):
    """A position in the order in which the log is read. The transaction id counts on PostgreSQL and is 0 on SQLite."""

    transaction_id: int
    position: int

    @property
    def token(self) -> str:
        """The log position as a short text, for clients that carry it without looking into it."""
        return f"{self.transaction_id}-{self.position}"

    @classmethod
    def of_token(cls, token: str) -> "LogPosition":
        """Return the log position of a token, or the start of the log where the text is no token."""
        parts = token.split("-")
        if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
            return cls(int(parts[0]), int(parts[1]))
        return START


START = LogPosition(0, 0)


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
