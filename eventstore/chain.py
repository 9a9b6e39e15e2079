"""What hashes and seals go over: each text says all of a row, in the one way in which it can be said.

The chain: an event's hash covers its row and the hash of the event before it in its stream. A command record's seal
covers its row and the hash of the command's last event, hence all that came before in that stream. Neither covers
positions and transaction ids, which the database gives only with the insert; heads do.
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

# All texts are JSON lists. `json.dumps` takes twice as long as putting them together, and it is done for every event.
_text = encode_basestring_ascii

GENESIS = bytes(32)
"""What stands before the first event of a stream."""


_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_PLAIN: dict[type, Callable[[Any], str]] = {str: encode_basestring, int: int.__repr__}


def canonical(value: Mapping[str, Any]) -> str:
    """Return the one JSON text of a payload: sorted keys, no white space."""
    try:  # most are texts and whole numbers by their names, of which an encoder makes the same in more time
        said = [f"{encode_basestring(key)}:{_PLAIN[type(each)](each)}" for key, each in sorted(value.items())]
    except (AttributeError, KeyError, TypeError):
        return _encoder.encode(value)
    return "{" + ",".join(said) + "}"


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

    The position is not part of it: the database gives it only with the insert.
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
    """Return an event's SHA-256, given its command's id in hex and its moment as `moment_text` says it."""
    said = f"{_text(stream)}, {version}, {_text(event_type)}, {schema_version}, {_text(data)}, {_text(metadata)}"
    row = f'[{said}, "{command_id}", "{recorded_at}"]'
    return hashlib.sha256(previous + row.encode()).digest()


def command_text(command: Envelope, outcome: Sequence[Any], last_hash: bytes) -> str:
    """Return what a command record's seal goes over.

    Args:
        outcome: the row's outcome, reason, message, stream, version and event count.
        last_hash: the hash of the command's last event, and so of all that came before it; `GENESIS` without events.
    """
    moment = moment_text(command.received_at)
    return record_text(command.id.hex, command.name, command.actor, moment, command.fingerprint, outcome, last_hash)


def record_text(
    command_id: str,
    name: str,
    actor: str,
    received_at: str,
    fingerprint: bytes,
    outcome: Sequence[Any],
    last_hash: bytes,
) -> str:
    """Return what a command record's seal goes over, given its id in hex and its moment as `moment_text` says it."""
    kind, reason, message, stream, version, count = outcome
    said = f'"{command_id}", {_text(name)}, {_text(actor)}, "{received_at}"'
    at = "null" if version is None else version
    became = f"{_text(kind)}, {_text(reason)}, {_text(message)}, {_text(stream)}, {at}, {count}"
    return f'["command", {said}, "{fingerprint.hex()}", {became}, "{last_hash.hex()}"]'


def state_hash(state: str, event_hash: bytes) -> bytes:
    """Return what ties a stream's state, in canonical form, to the event that it is of."""
    return hashlib.sha256(event_hash + state.encode()).digest()


def snapshot_text(stream: str, version: int, digest: bytes) -> str:
    """Return what a snapshot's seal goes over. `digest` is its `state_hash`, so the state and the event are in it."""
    return f'["snapshot", {_text(stream)}, {version}, "{digest.hex()}"]'


def moment_text(moment: datetime) -> str:
    """Return the one text of a moment: what `isoformat` says of it in UTC, with microseconds."""
    at = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    second = _second_text(at.year, at.month, at.day, at.hour, at.minute, at.second)
    return f"{second}.{at.microsecond:06}+00:00"


@lru_cache(maxsize=16)  # mostly it is the same second as before, and `isoformat` takes three times as long
def _second_text(year: int, month: int, day: int, hour: int, minute: int, second: int) -> str:
    return datetime(year, month, day, hour, minute, second).isoformat()
