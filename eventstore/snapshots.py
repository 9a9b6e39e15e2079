"""Snapshots: the state of a stream at a version, so that a long stream loads as fast as a short one.

Snapshots are a cache, and may be deleted at any time. Only a snapshot with a seal of the bank's keys is trusted:
otherwise write access to the database would be enough to give an account any state.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connections, transaction

from . import seals
from .backends import WRITE_SIDE
from .chain import canonical, snapshot_text, state_hash
from .errors import UNREADABLE
from .events import SnapshotOf

EVERY = 20
"""The number of events after which a stream gets a new snapshot."""

# A version of the program without seals leaves the old seal, which then fits no longer.
UPSERT = """
    INSERT INTO eventstore_snapshot (stream, version, state, hash, seal) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (stream) DO UPDATE
    SET version = excluded.version, state = excluded.state, hash = excluded.hash, seal = excluded.seal
    WHERE eventstore_snapshot.version < excluded.version
"""


def of_row(version: int, state: str | bytes, digest: bytes | None, seal: bytes | None) -> SnapshotOf:
    """Return the snapshot of a row. Without a hash or a seal, its seal never fits."""
    return SnapshotOf(version, state, bytes(digest or b""), bytes(seal or b""))


def is_sealed(stream: str, snapshot: SnapshotOf) -> bool:
    """Return whether the bank's keys sealed this snapshot for this stream and version."""
    try:
        seals.check(snapshot.seal, snapshot_text(stream, snapshot.version, snapshot.hash))
    except seals.BadSeal:
        return False
    return True


def opened(stream: str, snapshot: SnapshotOf, event_hash: bytes) -> dict[str, Any] | None:
    """Return a snapshot's state if it is sealed and belongs to the event with this hash, else None."""
    try:
        # PostgreSQL returns JSON with other spaces and in another order, so the hash covers the canonical text.
        state: dict[str, Any] = json.loads(snapshot.state)
        text = canonical(state)
    except UNREADABLE:
        return None
    if state_hash(text, event_hash) != snapshot.hash or not is_sealed(stream, snapshot):
        return None
    return state


def is_due(before: int, after: int) -> bool:
    """Return whether a stream that grew from one version to another needs a snapshot."""
    return before // EVERY != after // EVERY


def values(stream: str, version: int, state: Mapping[str, Any], event_hash: bytes) -> list[Any]:
    """Return the values of a snapshot's row; `event_hash` is the hash of the event at that version."""
    text = canonical(state)
    digest = state_hash(text, event_hash)
    return [stream, version, text, digest, seals.seal(snapshot_text(stream, version, digest))]


def forget(stream: str) -> None:
    """Delete a stream's snapshot, after the commit if a transaction is open.

    In a write transaction, all reads come before the first write.
    """

    def delete() -> None:
        with connections[WRITE_SIDE].cursor() as cursor:
            cursor.execute("DELETE FROM eventstore_snapshot WHERE stream = %s", [stream])

    transaction.on_commit(delete, using=WRITE_SIDE, robust=True)  # a cache must not fail a committed transaction
