"""Snapshots: what a stream adds up to at a version, so that a long stream loads as fast as a short one.

A cache. Any or all of them may be deleted at any time. A snapshot that the bank's keys did not seal is not believed:
whoever can write to the database could otherwise give an account any state, and take it away again without a trace.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connections, transaction

from . import seals
from .backends import WRITE_SIDE
from .chain import canonical, snapshot_text, state_hash
from .events import SnapshotOf
from .verification.findings import UNREADABLE

EVERY = 20
"""A stream is worth a snapshot each time it has grown by this many events."""

# A version of the program that knows no seals leaves the old seal standing, which then fits no longer.
UPSERT = """
    INSERT INTO eventstore_snapshot (stream, version, state, hash, seal) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (stream) DO UPDATE
    SET version = excluded.version, state = excluded.state, hash = excluded.hash, seal = excluded.seal
    WHERE eventstore_snapshot.version < excluded.version
"""


def of_row(version: int, state: str | bytes, digest: bytes | None, seal: bytes | None) -> SnapshotOf:
    """Return the snapshot of a row. Where there is no hash or no seal, none fits."""
    return SnapshotOf(version, state, bytes(digest or b""), bytes(seal or b""))


def is_sealed(stream: str, snapshot: SnapshotOf) -> bool:
    """Return whether the bank itself wrote a snapshot of this stream at this version."""
    try:
        seals.check(snapshot.seal, snapshot_text(stream, snapshot.version, snapshot.hash))
    except seals.BadSeal:
        return False
    return True


def opened(stream: str, snapshot: SnapshotOf, event_hash: bytes) -> dict[str, Any] | None:
    """Return a snapshot's state if the bank wrote it after the event with this hash, else None."""
    try:
        # PostgreSQL gives JSON back with other spaces and in another order, so its text proves nothing.
        state: dict[str, Any] = json.loads(snapshot.state)
        text = canonical(state)
    except UNREADABLE:
        return None
    if state_hash(text, event_hash) != snapshot.hash or not is_sealed(stream, snapshot):
        return None
    return state


def is_due(before: int, after: int) -> bool:
    """Tell whether a stream that grew from one version to another is worth a snapshot."""
    return before // EVERY != after // EVERY


def values(stream: str, version: int, state: Mapping[str, Any], event_hash: bytes) -> list[Any]:
    """Return the values of a snapshot's row; `event_hash` is the hash of the event at that version."""
    text = canonical(state)
    digest = state_hash(text, event_hash)
    return [stream, version, text, digest, seals.seal(snapshot_text(stream, version, digest))]


def forget(stream: str) -> None:
    """Delete a stream's snapshot, after the commit where a transaction is under way.

    What a transaction writes must come after what it reads.
    """

    def delete() -> None:
        with connections[WRITE_SIDE].cursor() as cursor:
            cursor.execute("DELETE FROM eventstore_snapshot WHERE stream = %s", [stream])

    transaction.on_commit(delete, using=WRITE_SIDE, robust=True)  # a cache must not fail what is committed
