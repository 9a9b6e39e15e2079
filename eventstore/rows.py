"""The rows of events and command records: from values to rows and back."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from . import seals
from .backends import backend_of
from .chain import canonical, command_text, event_hash
from .events import Envelope, NewEvent, RecordedEvent
from .storable import check_storable

COLUMNS = (
    "position, stream, version, type, schema_version, data, metadata, command_id, recorded_at, transaction_id, hash"
)
"""The columns of an event's row, as `recorded_event` takes them."""
INSERT_COMMAND = """
    INSERT INTO eventstore_commandrecord
        (id, name, actor, received_at, outcome, reason, message, stream, version, event_count, fingerprint, seal,
         position)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def recorded_events(rows: Sequence[Sequence[Any]]) -> list[RecordedEvent]:
    """Return the events of rows. The JSON of all rows is parsed as one text, which takes a third of the time."""
    parsed = zip(_json([row[5] for row in rows]), _json([row[6] for row in rows]), strict=True)
    return [
        RecordedEvent(
            position,
            stream,
            version,
            event_type,
            schema,
            data,
            metadata,
            command_id if isinstance(command_id, UUID) else UUID(command_id),
            utc(moment),
            transaction_id,
            bytes(digest),
        )
        for (position, stream, version, event_type, schema, _, _, command_id, moment, transaction_id, digest), (
            data,
            metadata,
        ) in zip(rows, parsed, strict=True)
    ]


def _json(texts: Sequence[str]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    return values


def new_event(
    stream: str, version: int, event: NewEvent, command: Envelope, moment: datetime, previous_hash: bytes
) -> RecordedEvent:
    """Return an event as it is to be recorded. The database sets its position and transaction id.

    Raises:
        Unstorable: a text or a value cannot be stored alike by every database.
    """
    data = dict(event.data)
    metadata = {**event.circumstances, "actor": command.actor, "correlation_id": str(command.id)}
    check_storable([stream, event.type, command.name, data, metadata])
    digest = event_hash(
        previous_hash,
        stream,
        version,
        event.type,
        event.schema_version,
        canonical(data),
        canonical(metadata),
        command.id,
        moment,
    )
    return RecordedEvent(
        0, stream, version, event.type, event.schema_version, data, metadata, command.id, moment, 0, digest
    )


def event_values(event: RecordedEvent) -> list[Any]:
    """Return the values of an event's row that the database does not set."""
    adapt = backend_of().adapt
    return [
        event.stream,
        event.version,
        event.type,
        event.schema_version,
        canonical(event.data),
        canonical(event.metadata),
        adapt(event.command_id),
        adapt(event.recorded_at),
        event.hash,
    ]


def command_values(command: Envelope, outcome: Sequence[Any], last_hash: bytes, position: int | None) -> list[Any]:
    """Return the values of a command record's row; see `chain.command_text`."""
    adapt = backend_of().adapt
    seal = seals.seal(command_text(command, outcome, last_hash))
    head = [adapt(command.id), command.name, command.actor, adapt(command.received_at)]
    return [*head, *outcome, command.fingerprint, seal, position]


def utc(moment: datetime) -> datetime:
    """Return a moment in UTC. SQLite gives it without a time zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
