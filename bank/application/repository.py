"""Loads and saves accounts through the event store: an account is what its events add up to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import reduce
from itertools import chain
from threading import Lock
from typing import Any, NamedTuple

from eventstore import snapshots, store
from eventstore.chain import GENESIS
from eventstore.events import Envelope, NewEvent, RecordedEvent

from ..domain.account import BankAccount
from ..domain.events import SCHEMA_VERSION, BankEvent, decode, encode
from .streams import CATEGORY
from .streams import stream_of as stream_of

FIELDS = {field.name for field in fields(BankAccount)}
"""What a snapshot has to have; one of another version of the program is not used."""

KEPT = 10_000
"""How many accounts a process keeps in memory as it has saved them: some 10 MB."""


class Saved(NamedTuple):
    """What happened to an account, and how the last of it is recorded."""

    events: Sequence[BankEvent]
    last: RecordedEvent


class Loaded(NamedTuple):
    """An account with the version and hash of the last event that made it what it is."""

    account: BankAccount
    version: int
    hash: bytes


def load(account_id: int) -> Loaded:
    """Return an account, played back from what is known of it and the events after that; a new one has version 0.

    What this process has saved before is taken as it is: nothing can be saved that was decided on anything but the
    latest. Within a turn it is the latest for certain.
    """
    stream = stream_of(account_id)
    if (kept := _kept.get(account_id)) and not store.has_turn():
        return kept
    new = Loaded(BankAccount(account_id), 0, GENESIS)
    snapshot, events = store.read_latest(stream, kept.version if kept else 0)
    if first := next(events, None):
        # The event at that version proves that what is known is of this very history.
        if kept and first.hash == kept.hash:
            return _play(kept, events)
        if snapshot and (state := snapshots.opened(stream, snapshot, first.hash)) and state.keys() == FIELDS:
            return _play(Loaded(BankAccount(**state), first.version, first.hash), events)
        if first.version == 1 and not snapshot:
            return _play(new, chain([first], events))
    loaded = _play(new, store.read_stream(stream))
    if loaded.version:
        snapshots.forget(stream)
    return loaded


def _play(loaded: Loaded, events: Iterable[RecordedEvent]) -> Loaded:
    account, version, last_hash = loaded
    for recorded in events:
        account = account.apply(decode(recorded.type, recorded.schema_version, recorded.data))
        version, last_hash = recorded.version, recorded.hash
    return Loaded(account, version, last_hash)


def save(
    loaded: Loaded,
    events: Sequence[BankEvent],
    command: Envelope,
    *,
    circumstances: Mapping[str, Any] = {},
    also: Callable[[], None] | None = None,
) -> Saved:
    """Append what happened to an account as it was loaded.

    Args:
        circumstances: what else the decision depended on, for the events' metadata.
        also: writes into the same transaction.

    Raises:
        store.WrongExpectedVersion: somebody else was quicker.
        store.CommandIdTaken: the command is on record already.
    """
    account = reduce(BankAccount.apply, events, loaded.account)
    is_snapshot_due = snapshots.is_due(loaded.version, loaded.version + len(events))
    *_, last = store.append(
        stream_of(account.account_id),
        [NewEvent(*encode(event), SCHEMA_VERSION, circumstances) for event in events],
        expected_version=loaded.version,
        previous_hash=loaded.hash,
        command=command,
        state=asdict(account) if is_snapshot_due else None,
        also=also,
    )
    store.after_commit(lambda: _keep(Loaded(account, last.version, last.hash)))
    return Saved(events, last)


# What this process has saved and not forgotten

_kept: dict[int, Loaded] = {}
_keeping = Lock()


def _keep(loaded: Loaded) -> None:
    with _keeping:
        _kept.pop(loaded.account.account_id, None)  # so that the one saved longest ago comes first
        _kept[loaded.account.account_id] = loaded
        if len(_kept) > KEPT:
            del _kept[next(iter(_kept))]


def forget(account_id: int) -> bool:
    """Forget what this process knows of an account; tell whether there was anything."""
    with _keeping:
        return isinstance(account_id, int) and _kept.pop(account_id, None) is not None


def state_of(stream: str, version: int) -> dict[str, Any]:
    """Return what an account looked like at a version, for whoever inspects its events."""
    account_id = int(stream.removeprefix(f"{CATEGORY}-"))
    played = _play(Loaded(BankAccount(account_id), 0, GENESIS), store.read_stream(stream, last=version))
    return asdict(played.account)
