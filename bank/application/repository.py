"""The repository: loads accounts from their events, and saves their new events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import reduce
from itertools import chain
from typing import Any, NamedTuple

from eventstore import snapshots, store
from eventstore.chain import GENESIS
from eventstore.events import Envelope, NewEvent, RecordedEvent
from eventstore.stream_lock import StreamLock, after_commit

from ..domain.account import BankAccount
from ..domain.events import BankEvent, UnreadablePayload, decode, encode
from ..domain.upcasters import current_version
from . import account_cache
from .streams import CATEGORY, stream_of


class Saved(NamedTuple):
    """The events of a command, and the last of them as recorded."""

    events: Sequence[BankEvent]
    last: RecordedEvent


class Loaded(NamedTuple):
    """An account with the version, hash and time of the last event of its stream."""

    account: BankAccount
    version: int
    hash: bytes
    at: datetime | None = None


def load(account_id: int, lock: StreamLock | None = None) -> Loaded:
    """Return an account, replayed from its snapshot and the events after it. A new one has version 0.

    Without a lock, the account cache is used first. `store.append` refuses a decision on an outdated account.
    """
    stream, cached = stream_of(account_id), account_cache.get(account_id)
    if cached and lock is None:
        return cached
    new = Loaded(BankAccount(account_id), 0, GENESIS)
    snapshot, events = store.read_latest(stream, cached.version if cached else 0)
    if first := next(events, None):
        # The event at that version proves that the cached account, or the snapshot, belongs to this stream.
        if cached and first.hash == cached.hash:
            return _play(cached, events)
        state = snapshot and snapshots.opened(stream, snapshot, first.hash)
        if state and (account := BankAccount.of_state(state)):
            return _play(Loaded(account, first.version, first.hash, first.recorded_at), events)
        if first.version == 1 and not snapshot:
            return _play(new, chain([first], events))
    loaded = _play(new, store.read_stream(stream))
    if loaded.version:
        snapshots.forget(stream)
    return loaded


def _play(loaded: Loaded, events: Iterable[RecordedEvent]) -> Loaded:
    """Apply events to a loaded account.

    Raises:
        UnknownEvent: this version of the program cannot read one of them.
    """
    account, version, last_hash, at = loaded
    for recorded in events:
        event = decode(recorded.type, recorded.schema_version, recorded.data)
        if event.account_id != account.account_id:
            raise UnreadablePayload(f"{recorded.type} of {recorded.stream} is about account {event.account_id}")
        account = account.apply(event)
        version, last_hash, at = recorded.version, recorded.hash, recorded.recorded_at
    return Loaded(account, version, last_hash, at)


def save(
    loaded: Loaded,
    events: Sequence[BankEvent],
    command: Envelope,
    lock: StreamLock | None = None,
    *,
    circumstances: Mapping[str, Any] = {},
    also: Callable[[], None] | None = None,
) -> Saved:
    """Append the events of a command to the stream of a loaded account.

    Args:
        circumstances: other inputs of the decision, for the events' metadata.
        also: writes other rows in the same transaction.

    Raises:
        store.WrongExpectedVersion: another writer was first.
        store.CommandIdTaken: the command is recorded already.
    """
    account = reduce(BankAccount.apply, events, loaded.account)
    is_snapshot_due = snapshots.is_due(loaded.version, loaded.version + len(events))
    *_, last = store.append(
        stream_of(account.account_id),
        [_new_event(event, circumstances) for event in events],
        expected_version=loaded.version,
        previous_hash=loaded.hash,
        previous_at=loaded.at,
        command=command,
        state=account.to_state() if is_snapshot_due else None,
        also=also,
        lock=lock,
    )
    saved = Loaded(account, last.version, last.hash, last.recorded_at)
    after_commit(lock, lambda: account_cache.put(account.account_id, saved))
    return Saved(events, last)


def _new_event(event: BankEvent, circumstances: Mapping[str, Any]) -> NewEvent:
    event_type, data = encode(event)
    return NewEvent(event_type, data, current_version(event_type), circumstances)


def state_of(stream: str, version: int) -> dict[str, Any]:
    """Return the state of an account at a version, for the event inspector."""
    account_id = int(stream.removeprefix(f"{CATEGORY}-"))
    played = _play(Loaded(BankAccount(account_id), 0, GENESIS), store.read_stream(stream, last=version))
    return asdict(played.account)
