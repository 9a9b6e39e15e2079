"""The hash chain of events, and the texts that hashes and seals cover. Each row has exactly one text.

An event's hash covers its row and the hash of the previous event of its stream. A command record's seal covers its row
and the hash of the command's last event, and so all earlier events of that stream. Neither covers positions and
transaction ids, because the database assigns them at the insert; signed heads cover them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any
from uuid import UUID

from .events import Envelope

# All texts are JSON lists. They are put together here, because `json.dumps` takes twice as long for every event.
_text = encode_basestring_ascii

GENESIS = bytes(32)
"""The previous hash of the first event of a stream."""


_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_PLAIN: dict[type, Callable[[Any], str]] = {str: encode_basestring, int: int.__repr__}


def canonical(value: Mapping[str, Any]) -> str:
    """Return the canonical JSON of a payload: sorted keys, no white space."""
    try:  # a fast path for flat values: the encoder returns the same text
        pairs = [f"{encode_basestring(key)}:{_PLAIN[type(each)](each)}" for key, each in sorted(value.items())]
    except (AttributeError, KeyError, TypeError):
        return _encoder.encode(value)
    return "{" + ",".join(pairs) + "}"


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
    """Return an event's SHA-256. `data` and `metadata` are canonical JSON.

    The hash does not cover the position, because the database assigns it at the insert.
    """
    moment = moment_text(recorded_at)
    return row_hash(previous, stream, version, event_type, schema_version, data, metadata, command_id.hex, moment)


def row_hash(
    previous: bytes,
    stream: str,
    version: int,
    event_type: str,
    schema_version: int,
    data: str,
    metadata: str,
    command_id: str,
    recorded_at: str,
) -> bytes:
    """Return an event's SHA-256. The command id is in hex, and the time a `moment_text`."""
    fields = f"{_text(stream)}, {version}, {_text(event_type)}, {schema_version}, {_text(data)}, {_text(metadata)}"
    row = f'[{fields}, "{command_id}", "{recorded_at}"]'
    return hashlib.sha256(previous + row.encode()).digest()


def command_text(command: Envelope, outcome: Sequence[Any], last_hash: bytes) -> str:
    """Return the text that a command record's seal covers.

    Args:
        outcome: the row's outcome, reason, message, stream, version and event count.
        last_hash: the hash of the command's last event; `GENESIS` without events.
    """
    moment = moment_text(command.received_at)
    head = command.id.hex, command.name, command.actor, moment, command.fingerprint
    return record_text(*head, outcome, last_hash, command.causation)


def record_text(
    command_id: str,
    name: str,
    actor: str,
    received_at: str,
    fingerprint: bytes,
    outcome: Sequence[Any],
    last_hash: bytes,
    causation: str = "",
) -> str:
    """Return the text that a command record's seal covers. The id is in hex, and the time a `moment_text`.

    An empty causation is left out, as it is from records that are older than causation.
    """
    kind, reason, message, stream, version, count = outcome
    fields = f'"{command_id}", {_text(name)}, {_text(actor)}, "{received_at}"'
    at = "null" if version is None else version
    became = f"{_text(kind)}, {_text(reason)}, {_text(message)}, {_text(stream)}, {at}, {count}"
    caused = f", {_text(causation)}" if causation else ""
    return f'["command", {fields}, "{fingerprint.hex()}", {became}, "{last_hash.hex()}"{caused}]'


def state_hash(state: str, event_hash: bytes) -> bytes:
    """Return the hash of a stream's state, in canonical JSON, and of the event at its version."""
    return hashlib.sha256(event_hash + state.encode()).digest()


def snapshot_text(stream: str, version: int, digest: bytes) -> str:
    """Return the text that a snapshot's seal covers. `digest` is its `state_hash`."""
    return f'["snapshot", {_text(stream)}, {version}, "{digest.hex()}"]'


def moment_text(moment: datetime) -> str:
    """Return a time in UTC as `isoformat` with microseconds."""
    at = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    second = _second_text(at.year, at.month, at.day, at.hour, at.minute, at.second)
    return f"{second}.{at.microsecond:06}+00:00"


@lru_cache(maxsize=16)  # most events share the second of the previous one, and `isoformat` is three times slower
def _second_text(year: int, month: int, day: int, hour: int, minute: int, second: int) -> str:
    return datetime(year, month, day, hour, minute, second).isoformat()
