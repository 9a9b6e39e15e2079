"""Snapshots: what a stream adds up to at a version, so that a long stream loads as fast as a short one.

A cache. Any or all of them may be deleted at any time.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connections, transaction

from .hashing import canonical, state_hash
from .postgresql import WRITE_SIDE
from .records import RecordedEvent, SnapshotOf

EVERY = 20
"""A stream is worth a snapshot each time it has grown by this many events."""

_UPSERT = """
    INSERT INTO eventstore_snapshot (stream, version, state, hash) {}
    ON CONFLICT (stream) DO UPDATE SET version = excluded.version, state = excluded.state, hash = excluded.hash
    WHERE eventstore_snapshot.version < excluded.version
"""
UPSERT = _UPSERT.format("VALUES (%s, %s, %s, %s)")
UPSERT_WITH = _UPSERT.format("SELECT %s, %s::bigint, %s::jsonb, %s::bytea FROM recorded")
"""The same within the statement that appends the event, on PostgreSQL."""


def of_row(version: int, state: str, digest: bytes) -> SnapshotOf:
    """Return a snapshot as its row says it."""
    # PostgreSQL keeps JSON, but not the text that it came in.
    return SnapshotOf(version, canonical(json.loads(state)), bytes(digest))


def opened(snapshot: SnapshotOf, event: RecordedEvent | None) -> dict[str, Any] | None:
    """Return a snapshot's state if it is what the history up to this event added up to, else None."""
    state: dict[str, Any] = json.loads(snapshot.state)
    # PostgreSQL gives JSON back with other spaces and in another order, so its text proves nothing.
    if event is None or state_hash(canonical(state), event.hash) != snapshot.hash:
        return None
    return state


def is_due(before: int, after: int) -> bool:
    """Tell whether a stream that grew from one version to another is worth a snapshot."""
    return before // EVERY != after // EVERY


def values(stream: str, version: int, state: Mapping[str, Any], event_hash: bytes) -> list[Any]:
    """Return the values of a snapshot's row; `event_hash` is the hash of the event at that version."""
    text = canonical(state)
    return [stream, version, text, state_hash(text, event_hash)]


def forget(stream: str) -> None:
    """Delete a stream's snapshot, after the commit where a transaction is under way.

    What a transaction writes must come after what it reads.
    """

    def delete() -> None:
        with connections[WRITE_SIDE].cursor() as cursor:
            cursor.execute("DELETE FROM eventstore_snapshot WHERE stream = %s", [stream])

    transaction.on_commit(delete, using=WRITE_SIDE, robust=True)  # a cache must not fail what is committed
