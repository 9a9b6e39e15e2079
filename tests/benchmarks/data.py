"""Banks with a history, written directly into the log: valid, chained, with command records and snapshots.

The result equals the bank's own writes, but is faster. The read side is not written: it catches up, or is replayed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, NamedTuple
from uuid import uuid4

from django.db import connections, transaction

from bank.application import account_cache, pins
from bank.domain.account import BankAccount
from bank.domain.commands import (
    AccountCommand,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.events import (
    AccountEvent,
    BankAccountCreated,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    encode,
)
from bank.domain.streams import stream_of
from eventstore import seals, snapshots
from eventstore.chain import GENESIS, canonical, command_text, event_hash
from eventstore.events import Envelope

PIN = 1234
BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
GIVEN, SURNAMES = ("Ada", "Björk", "Chinua", "Émilie", "Łukasz", "Tōru"), ("Hopper", "Liskov", "Moser", "Viète")
BATCH = 5000
"""The number of events in one transaction."""

_EVENT = """
    INSERT INTO eventstore_event
        (stream, version, type, schema_version, data, metadata, command_id, recorded_at, hash)
    VALUES (%s, %s, %s, 1, %s, %s, %s, %s, %s)
"""
_COMMAND = """
    INSERT INTO eventstore_commandrecord
        (id, name, actor, received_at, outcome, reason, message, stream, version, position, event_count, fingerprint,
         seal)
    VALUES (%s, %s, 'teller', %s, 'accepted', '', '', %s, %s, %s, 1, %s, %s)
"""
_SNAPSHOT = """
    INSERT INTO eventstore_snapshot (stream, version, state, hash, seal) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (stream) DO UPDATE
    SET version = excluded.version, state = excluded.state, hash = excluded.hash, seal = excluded.seal
"""


class Happened(NamedTuple):
    """One event of a history, and its command."""

    command: AccountCommand
    event: AccountEvent
    version: int
    moment: datetime


def holder_of(account_id: int) -> str:
    """Return a unique name, whose parts occur in thousands of names."""
    given, surname = GIVEN[account_id % len(GIVEN)], SURNAMES[account_id // len(GIVEN) % len(SURNAMES)]
    return f"{given} {surname} {account_id}"


def business(accounts: range, events: int) -> Iterator[Happened]:
    """Yield the events of accounts within 80 days, round by round, up to this many events each."""
    moment, step = BEGAN, timedelta(days=80) / max(1, len(accounts) * events)
    for version in range(1, events + 1):
        for account_id in accounts:
            moment += step
            yield Happened(*_step(account_id, version), version, moment)


def _step(account_id: int, version: int) -> tuple[AccountCommand, AccountEvent]:
    """Return a command and its event: four fifths deposits, then withdrawals, and some refusals."""
    amount = 1000 + account_id % 7
    if version == 1:
        holder = holder_of(account_id)
        return CreateBankAccount(account_id, holder, PIN), BankAccountCreated(account_id, holder)
    if version % 16 == 9:
        return WithdrawMoneyFromBankAccount(account_id, amount, PIN + 1), InvalidPin(account_id, amount)
    if version % 8 == 3:
        return WithdrawMoneyFromBankAccount(account_id, 500, PIN), MoneyWithdrawnFromBankAccount(account_id, 500)
    return DepositMoneyIntoBankAccount(account_id, amount), MoneyDepositedIntoBankAccount(account_id, amount)


def write(history: Iterable[Happened], *, progress: Callable[[int], object] = lambda count: None) -> None:
    """Append a history to the log of the database `default`, while nobody else writes."""
    ends: dict[int, tuple[bytes, BankAccount]] = {}
    for batch in batched(history, BATCH):
        with transaction.atomic(using="default"), connections["default"].cursor() as cursor:
            cursor.execute("SELECT COALESCE(MAX(position), 0) FROM eventstore_event")
            rows = _rows(batch, cursor.fetchone()[0] + 1, ends)
            cursor.executemany(_EVENT, rows.events)
            cursor.executemany(_COMMAND, rows.commands)
            if rows.snapshots:
                cursor.executemany(_SNAPSHOT, list(rows.snapshots.values()))
            if rows.verifiers:
                cursor.executemany("INSERT INTO bank_pinverifier VALUES (%s, %s, %s, %s, %s)", rows.verifiers)
        progress(len(batch))
    for account_id in ends:  # the account cache does not know these events
        account_cache.forget(stream_of(account_id))


class Rows(NamedTuple):
    """The rows of a batch."""

    events: list[Sequence[Any]]
    commands: list[Sequence[Any]]
    snapshots: dict[str, Sequence[Any]]
    verifiers: list[Sequence[Any]]


def _rows(batch: Sequence[Happened], first: int, ends: dict[int, tuple[bytes, BankAccount]]) -> Rows:
    rows = Rows([], [], {}, [])
    adapt = connections["default"].ops.adapt_datetimefield_value
    for position, (command, event, version, moment) in enumerate(batch, first):
        account_id, stream, command_id, at = event.account_id, stream_of(event.account_id), uuid4(), adapt(moment)
        previous, account = ends.get(account_id) or (GENESIS, BankAccount(account_id))
        event_type, payload = encode(event)
        data, metadata = canonical(payload), canonical({"actor": "teller", "correlation_id": str(command_id)})
        digest = event_hash(previous, stream, version, event_type, 1, data, metadata, command_id, moment)
        account = account.apply(event)
        ends[account_id] = digest, account
        rows.events.append((stream, version, event_type, data, metadata, command_id.hex, at, digest))
        envelope = Envelope(command_id, command.stored_name, "teller", moment, pins.fingerprint(command))
        seal = seals.seal(command_text(envelope, ("accepted", "", "", stream, version, 1), digest))
        record_fields = (envelope.id.hex, envelope.name, at, stream, version, position, envelope.fingerprint, seal)
        rows.commands.append(record_fields)
        if version == 1:
            rows.verifiers.append((account_id, *pins.make_verifier(account_id, PIN, command_id)))
        if snapshots.is_due(version - 1, version):
            rows.snapshots[stream] = snapshots.values(stream, version, account.to_state(), digest)
    return rows
