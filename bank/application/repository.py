"""The repository: loads aggregates from their events, and saves their new events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from eventstore import snapshots, store
from eventstore.chain import GENESIS
from eventstore.events import Envelope, NewEvent, RecordedEvent
from eventstore.stream_lock import StreamLock, after_commit

from ..domain.account import BankAccount
from ..domain.aggregate import Aggregate, new_aggregate
from ..domain.events import BankEvent, UnreadablePayload, decode, encode
from ..domain.streams import stream_of, stream_of_till
from ..domain.till import Till
from ..domain.upcasters import current_version
from . import account_cache


class Saved(NamedTuple):
    """The events of a command, and the last of them as recorded."""

    events: Sequence[BankEvent]
    last: RecordedEvent


class Loaded[A: Aggregate](NamedTuple):
    """An aggregate with the version, hash and time of the last event of its stream."""

    aggregate: A
    version: int
    hash: bytes
    at: datetime | None = None


def load(account_id: int, lock: StreamLock | None = None) -> Loaded[BankAccount]:
    """Return an account; see `_load`."""
    return _load(BankAccount, account_id, stream_of(account_id), lock)


def load_till(till_id: int, lock: StreamLock | None = None) -> Loaded[Till]:
    """Return a till; see `_load`."""
    return _load(Till, till_id, stream_of_till(till_id), lock)


def _load[A: Aggregate](kind: type[A], number: int, stream: str, lock: StreamLock | None) -> Loaded[A]:
    """Return an aggregate, replayed from its snapshot and the events after it. A new one has version 0.

    Without a lock, the account cache is used first. `store.append` refuses a decision on an outdated aggregate.
    """
    cached = account_cache.get(stream)
    if cached and lock is None:
        return cached
    new = Loaded(kind(number), 0, GENESIS)
    snapshot, events = store.read_latest(stream, cached.version if cached else 0)
    if first := next(events, None):
        # The event at that version proves that the cached aggregate, or the snapshot, belongs to this stream.
        if cached and first.hash == cached.hash:
            return _play(cached, events)
        state = snapshot and snapshots.opened(stream, snapshot, first.hash)
        if state and (aggregate := kind.of_state(state)):
            return _play(Loaded(aggregate, first.version, first.hash, first.recorded_at), events)
        if first.version == 1 and not snapshot:
            return _play(new, chain([first], events))
    account_cache.forget(stream)
    loaded = _play(new, store.read_stream(stream))
    if loaded.version:
        snapshots.forget(stream)
    return loaded


def _play[A: Aggregate](loaded: Loaded[A], events: Iterable[RecordedEvent]) -> Loaded[A]:
    """Apply events to a loaded aggregate.

    Raises:
        UnknownEvent: this version of the program cannot read one of them.
    """
    aggregate, version, last_hash, at = loaded
    stream = aggregate.stream
    for recorded in events:
        event = decode(recorded.type, recorded.schema_version, recorded.data)
        if event.stream != stream:
            raise UnreadablePayload(f"{recorded.type} of {recorded.stream} is about {event.stream}")
        aggregate = aggregate.apply(event)
        version, last_hash, at = recorded.version, recorded.hash, recorded.recorded_at
    return Loaded(aggregate, version, last_hash, at)


def first_event(account_id: int, command_id: UUID) -> tuple[BankEvent | None, Mapping[str, Any]]:
    """Return the first event that a command recorded at an account, or None, and its metadata."""
    outcome = store.find_outcome(command_id) if isinstance(command_id, UUID) else None
    if outcome is None or outcome.version is None or outcome.stream != stream_of(account_id):
        return None, {}
    first = outcome.version - outcome.event_count + 1
    [recorded] = store.read_stream(outcome.stream, first=first, last=first)
    return decode(recorded.type, recorded.schema_version, recorded.data), recorded.metadata


def save[A: Aggregate](
    loaded: Loaded[A],
    events: Sequence[BankEvent],
    command: Envelope,
    lock: StreamLock | None = None,
    *,
    circumstances: Mapping[str, Any] = {},
    also: Callable[[], None] | None = None,
) -> Saved:
    """Append the events of a command to the stream of a loaded aggregate.

    Args:
        circumstances: other inputs of the decision, for the events' metadata.
        also: writes other rows in the same transaction.

    Raises:
        store.WrongExpectedVersion: another writer was first.
        store.CommandIdTaken: the command is recorded already.
    """
    aggregate = loaded.aggregate
    for event in events:
        aggregate = aggregate.apply(event)
    stream = aggregate.stream
    is_snapshot_due = snapshots.is_due(loaded.version, loaded.version + len(events))
    *_, last = store.append(
        stream,
        [_new_event(event, circumstances) for event in events],
        expected_version=loaded.version,
        previous_hash=loaded.hash,
        previous_at=loaded.at,
        command=command,
        state=aggregate.to_state() if is_snapshot_due else None,
        also=also,
        lock=lock,
    )
    saved = Loaded(aggregate, last.version, last.hash, last.recorded_at)
    after_commit(lock, lambda: account_cache.put(stream, saved))
    return Saved(events, last)


def _new_event(event: BankEvent, circumstances: Mapping[str, Any]) -> NewEvent:
    event_type, data = encode(event)
    return NewEvent(event_type, data, current_version(event_type), circumstances)


def states_of(stream: str, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Yield the state of a stream's aggregate at each version, for the event inspector. At version 0 it is new."""
    loaded = _at(stream, first)
    yield asdict(loaded.aggregate)
    for recorded in store.read_stream(stream, first=first + 1, last=last):
        loaded = _play(loaded, [recorded])
        yield asdict(loaded.aggregate)


STEP = 1000
"""The number of events between two past states of a stream that are kept in memory."""
MOST_STREAMS = 100
"""The largest number of streams with such states."""
_past: dict[str, list[Loaded[Any]]] = {}


def _at(stream: str, version: int) -> Loaded[Any]:
    """Return a stream's aggregate at a version, or at its end, replayed from the nearest past state in memory."""
    known = _past.get(stream, [])
    states = [each for each in known if each.version <= version]
    if states:
        end = states[-1].version
        if [states[-1].hash] != [each.hash for each in store.read_stream(stream, first=end, last=end)]:
            known = states = []  # the record is not the one that was read
    loaded = states[-1] if states else Loaded(new_aggregate(stream), 0, GENESIS)
    while True:
        begin = loaded.version
        loaded = _play(loaded, store.read_stream(stream, first=begin + 1, last=min(begin + STEP, version)))
        if loaded.version < begin + STEP:
            break
        states.append(loaded)
    if len(states) > len(known):
        _past.pop(stream, None)
        _past[stream] = states
        if len(_past) > MOST_STREAMS:
            _past.pop(next(iter(_past)), None)
    return loaded
