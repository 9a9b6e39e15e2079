"""The chain: each event's hash covers all that its row says and the hash of the event before it in its stream."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

GENESIS = bytes(32)
"""What stands before the first event of a stream."""


def canonical(value: Mapping[str, Any]) -> str:
    """Return the one JSON text of a payload: sorted keys, no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def event_hash(
    previous: bytes,
    stream: str,
    version: int,
    event_type: str,
    schema_version: int,
    data: str,
    metadata: str,
    command_id: UUID,
    recorded_at: datetime,
) -> bytes:
    """Return an event's SHA-256. `data` and `metadata` are in canonical form.

    The position is not part of it: the database gives it only with the insert. Command records keep positions.
    """
    moment = recorded_at.astimezone(UTC).isoformat(timespec="microseconds")
    row = json.dumps([stream, version, event_type, schema_version, data, metadata, command_id.hex, moment])
    return hashlib.sha256(previous + row.encode()).digest()
