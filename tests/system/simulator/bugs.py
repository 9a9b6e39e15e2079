"""Known bugs to plant into the program: a simulator that does not find them proves nothing.

Each is a realistic mistake in an event-sourced bank.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest import mock
from uuid import UUID

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from bank.application import dispatch, pins, process_managers
from bank.domain.account import BankAccount
from bank.domain.events import AccountOverdrawn, MoneyWithdrawnFromBankAccount
from bank.domain.processes import PROCESS_MANAGERS, TILLS
from eventstore import snapshots, store
from eventstore.events import LogPosition
from projections import checkpoints, quarantine
from projections.projectors.base import Adapt, Changes
from projections.projectors.statements import Statements
from projections.workers import replay, resume
from tests.system.simulator.runs import Bug


def without(table: str, constraint: str) -> Callable[[sqlite3.Connection], None]:
    """Return a function that recreates an empty table without a constraint and without triggers."""

    def make_again(connection: sqlite3.Connection) -> None:
        (definition,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", [table]).fetchone()
        assert constraint in definition, definition
        connection.execute(f"DROP TABLE {table}")
        connection.execute(definition.replace(constraint, ""))

    return make_again


@contextmanager
def checkpoint_moved_in_a_transaction_of_its_own() -> Iterator[None]:
    move = checkpoints.move

    def later(cursor: CursorWrapper, names: Sequence[str], log_position: LogPosition) -> None:
        def now() -> None:
            with transaction.atomic(using="projections"), connections["projections"].cursor() as own:
                move(own, names, log_position)

        transaction.on_commit(now, using="projections")

    with mock.patch.object(checkpoints, "move", later):
        yield


@contextmanager
def pin_verifier_written_in_a_transaction_of_its_own() -> Iterator[None]:
    write = pins.store_verifier

    def later(account_id: int, verifier: pins.Verifier) -> None:
        transaction.on_commit(lambda: write(account_id, verifier), using="default")

    with mock.patch.object(pins, "store_verifier", later):
        yield


@contextmanager
def pin_looked_at_behind_the_lock() -> Iterator[None]:
    withdraw = BankAccount.withdraw

    def curious(self: BankAccount, amount: int, *, pin_matches: Callable[[], bool], pin_attempts: int) -> Any:
        account = replace(self, pin_locked=self.pin_locked and not pin_matches())
        return withdraw(account, amount, pin_matches=pin_matches, pin_attempts=pin_attempts)

    with mock.patch.object(BankAccount, "withdraw", curious):
        yield


@contextmanager
def overdraft_of_one_cent() -> Iterator[None]:
    withdraw = BankAccount.withdraw

    def generous(self: BankAccount, amount: int, **pin: Any) -> Any:
        events = withdraw(self, amount, **pin)
        if isinstance(events[0], AccountOverdrawn) and amount == self.balance + 1:
            return [MoneyWithdrawnFromBankAccount(self.account_id, amount)]
        return events

    with mock.patch.object(BankAccount, "withdraw", generous):
        yield


@contextmanager
def append_at_whatever_version() -> Iterator[None]:
    """Append without a stream lock and without a check of the expected version."""
    append, seen = store.append, store.read_stream

    def blind(stream: str, events: Any, *, expected_version: int, **others: Any) -> Any:
        version = max((event.version for event in seen(stream)), default=0)
        previous = [event.hash for event in seen(stream, first=version)] if version else [None]
        return append(stream, events, expected_version=version, **{**others, "previous_hash": previous[0]})

    unlocked = mock.patch.object(dispatch, "stream_lock", return_value=nullcontext())
    with mock.patch.object(store, "append", blind), unlocked:
        yield


@contextmanager
def snapshot_of_an_earlier_state() -> Iterator[None]:
    values = snapshots.values
    states: dict[str, Mapping[str, Any]] = {}

    def late(stream: str, version: int, state: Mapping[str, Any], event_hash: bytes) -> list[Any]:
        earlier = states.get(stream, state)
        states[stream] = state
        return values(stream, version, earlier, event_hash)

    with mock.patch.object(snapshots, "values", late):
        yield


@contextmanager
def checkpoint_left_behind_by_a_replay() -> Iterator[None]:
    take, move = replay._take_place, checkpoints.move
    swapping: list[Any] = []

    def swap(editor: Any, projector: Any) -> None:
        take(editor, projector)
        swapping.append(projector)

    def forget(cursor: CursorWrapper, names: Sequence[str], log_position: LogPosition) -> None:
        if swapping:
            swapping.pop()
        else:
            move(cursor, names, log_position)

    with mock.patch.object(replay, "_take_place", swap), mock.patch.object(checkpoints, "move", forget):
        yield


@contextmanager
def announced_before_the_commit() -> Iterator[None]:
    """Announce events to the projections before the commit, which may still be rolled back."""
    with mock.patch.object(store, "after_commit", lambda lock, call: call()):
        yield


@contextmanager
def wall_clock_in_a_projector() -> Iterator[None]:
    rows = Statements.rows

    def now_rows(self: Statements, changes: Changes, adapt: Adapt) -> Any:
        return rows(self, changes, lambda value: adapt(timezone.now() if isinstance(value, datetime) else value))

    with mock.patch.object(Statements, "rows", now_rows):
        yield


def new_id(*step: object) -> UUID:
    """Return a new id, which is that of no step."""
    return UUID(int=random.getrandbits(128))


BUGS: dict[str, Callable[[], Bug]] = {
    "checkpoint moved in a transaction of its own": lambda: Bug(checkpoint_moved_in_a_transaction_of_its_own()),
    "command ids not unique": lambda: Bug(schema=without("eventstore_commandrecord", " PRIMARY KEY")),
    "stream versions not unique": lambda: Bug(
        schema=without("eventstore_event", ', CONSTRAINT "event_stream_version" UNIQUE ("stream", "version")')
    ),
    "PIN verifier written in a transaction of its own": lambda: Bug(pin_verifier_written_in_a_transaction_of_its_own()),
    "PIN looked at behind the lock": lambda: Bug(pin_looked_at_behind_the_lock()),
    "append at whatever version the stream is": lambda: Bug(append_at_whatever_version()),
    "overdraft of one cent": lambda: Bug(overdraft_of_one_cent()),
    "correction that is not remembered": lambda: Bug(
        mock.patch.object(BankAccount, "_check_not_reversed", return_value=None)
    ),
    "step of a process under a new id each time": lambda: Bug(
        mock.patch.object(process_managers, "command_id_of", new_id)
    ),
    "cash of payments recorded at no till": lambda: Bug(
        mock.patch.dict(PROCESS_MANAGERS, {"tills": TILLS._replace(steps=lambda event, metadata: [])})
    ),
    "snapshot of an earlier state": lambda: Bug(snapshot_of_an_earlier_state()),
    "events in hand taken for the next ones": lambda: Bug(
        mock.patch.object(store, "follow", lambda events, checkpoint: bool(events))
    ),
    "events announced before the commit": lambda: Bug(announced_before_the_commit()),
    "failing event skipped": lambda: Bug(mock.patch.object(quarantine, "add", return_value=None)),
    "parked stream not skipped": lambda: Bug(mock.patch.object(quarantine, "without", lambda batch, parked: batch)),
    "resumed stream left out of the figures": lambda: Bug(mock.patch.object(resume, "islice", return_value=())),
    "checkpoint left behind by a replay": lambda: Bug(checkpoint_left_behind_by_a_replay()),
    "wall clock in a projector": lambda: Bug(wall_clock_in_a_projector()),
    "rejections not on record": lambda: Bug(mock.patch.object(store, "record_rejection", return_value=None)),
    "reused id answered with another command's outcome": lambda: Bug(
        mock.patch.object(pins, "is_fingerprint", return_value=True)
    ),
}
