"""Loads and saves accounts through the event store: an account is what its events add up to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from functools import reduce
from typing import Any, NamedTuple

from eventstore import snapshots, store
from eventstore.hashing import GENESIS
from eventstore.records import Envelope, NewEvent, RecordedEvent

from .domain.account import BankAccount
from .domain.events import SCHEMA_VERSION, BankEvent, decode, encode

CATEGORY = "bank_account"
FIELDS = {field.name for field in fields(BankAccount)}
"""What a snapshot has to have; one of another version of the program is not used."""


class Loaded(NamedTuple):
    """An account with the version and hash of the last event that made it what it is."""

    account: BankAccount
    version: int
    hash: bytes


def stream_of(account_id: int) -> str:
    """Return the name of an account's stream."""
    return f"{CATEGORY}-{account_id}"


def load(account_id: int) -> Loaded:
    """Return an account, played back from its snapshot and the events after it; a new one has version 0."""
    stream = stream_of(account_id)
    snapshot = snapshots.load(stream)
    if snapshot is not None:
        events = store.read_stream(stream, first=snapshot.version)
        # The event at the snapshot's version proves that the snapshot is of this very history.
        first = next(events, None)
        state = snapshots.opened(snapshot, first)
        if first is not None and state is not None and state.keys() == FIELDS:
            return _play(Loaded(BankAccount(**state), first.version, first.hash), events)
        snapshots.forget(stream)
    return _play(Loaded(BankAccount(account_id), 0, GENESIS), store.read_stream(stream))


def _play(loaded: Loaded, events: Iterable[RecordedEvent]) -> Loaded:
    account, version, last_hash = loaded
    for recorded in events:
        account = account.apply(decode(recorded.type, recorded.schema_version, recorded.data))
        version, last_hash = recorded.version, recorded.hash
    return Loaded(account, version, last_hash)


def save(
    loaded: Loaded, events: Sequence[BankEvent], command: Envelope, *, also: Callable[[], None] | None = None
) -> list[RecordedEvent]:
    """Append what happened to an account as it was loaded; `also` writes into the same transaction.

    Raises:
        store.WrongExpectedVersion: somebody else was quicker.
        store.CommandIdTaken: the command is on record already.
    """

    def write_beside(last: RecordedEvent) -> None:
        if snapshots.is_due(loaded.version, last.version):
            snapshots.store(
                last.stream, last.version, asdict(reduce(BankAccount.apply, events, loaded.account)), last.hash
            )
        if also is not None:
            also()

    return store.append(
        stream_of(loaded.account.account_id),
        [NewEvent(*encode(event), SCHEMA_VERSION) for event in events],
        expected_version=loaded.version,
        previous_hash=loaded.hash,
        command=command,
        also=write_beside,
    )


def state_of(stream: str, version: int) -> dict[str, Any]:
    """Return what an account looked like at a version, for whoever inspects its events."""
    account_id = int(stream.removeprefix(f"{CATEGORY}-"))
    played = _play(Loaded(BankAccount(account_id), 0, GENESIS), store.read_stream(stream, last=version))
    return asdict(played.account)
