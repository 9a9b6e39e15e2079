"""Conversion between values and the rows of events and command records."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from . import seals
from .backends import backend_of
from .chain import canonical, command_text, event_hash
from .events import Envelope, NewEvent, RecordedEvent
from .storable import check_storable

COLUMNS = (
    "position, stream, version, type, schema_version, data, metadata, command_id, recorded_at, transaction_id, hash"
)
"""The columns of an event's row, in the order of `recorded_events`."""


def recorded_events(rows: Sequence[Sequence[Any]]) -> list[RecordedEvent]:
    """Return the events of rows. The JSON of all rows is parsed as one text, which is three times faster."""
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


class Draft(NamedTuple):
    """An event to insert, and the values of its row that the database does not set."""

    event: RecordedEvent
    values: list[Any]


def drafts_of(
    stream: str,
    expected_version: int,
    events: Sequence[NewEvent],
    command: Envelope,
    moment: datetime,
    previous_hash: bytes,
) -> list[Draft]:
    """Return the drafts of events, with metadata and hashes. The first one follows `previous_hash`.

    Raises:
        Unstorable: the databases would not all store a value unchanged.
    """
    adapt, drafts = backend_of().adapt, []
    links = {"actor": command.actor, "correlation_id": str(command.correlation_id or command.id)}
    if command.causation:
        links["causation_id"] = command.causation
    for version, event in enumerate(events, expected_version + 1):
        data = dict(event.data)
        metadata = {**event.circumstances, **command.metadata, **links}
        check_storable([stream, event.type, command.name, data, metadata])
        texts = canonical(data), canonical(metadata)
        head = stream, version, event.type, event.schema_version
        digest = previous_hash = event_hash(previous_hash, *head, *texts, command.id, moment)
        drafts.append(
            Draft(
                RecordedEvent(0, *head, data, metadata, command.id, moment, 0, digest),
                [*head, *texts, adapt(command.id), adapt(moment), digest],
            )
        )
    return drafts


def command_values(command: Envelope, outcome: Sequence[Any], last_hash: bytes) -> list[Any]:
    """Return the values of `COMMAND_COLUMNS`; see `chain.command_text`."""
    adapt = backend_of().adapt
    seal = seals.seal(command_text(command, outcome, last_hash))
    head = [adapt(command.id), command.name, command.actor, adapt(command.received_at)]
    return [*head, *outcome, command.fingerprint, seal, command.causation]


def utc(moment: datetime) -> datetime:
    """Return a time in UTC. SQLite's times have no time zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
