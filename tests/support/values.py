"""Helpers of several tests: short constructors of commands, queries of the tables, threads that start together."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import connections

from bank.application import tills
from bank.application.dispatch import Ack, handle
from bank.domain.commands import (
    BringCashFromVault,
    ChangePin,
    CloseBankAccount,
    CloseTill,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    OpenTill,
    ReverseDeposit,
    TransferMoneyBetweenBankAccounts,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import CommandRejected
from eventstore import store
from eventstore.chain import GENESIS, canonical, event_hash
from eventstore.events import LogPosition, RecordedEvent

PIN = 1234


def open_account(
    account_id: int = 1, holder: str = "Josh", pin: int = PIN, *, balance: int = 0, command_id: UUID | None = None
) -> Ack:
    """Open an account, and deposit its first balance."""
    ack = handle(CreateBankAccount(account_id, holder, pin), command_id=command_id)
    return deposit(account_id, balance) if balance else ack


def deposit(account_id: int, amount: int, *, command_id: UUID | None = None, actor: str = "") -> Ack:
    return handle(DepositMoneyIntoBankAccount(account_id, amount), command_id=command_id, actor=actor)


def withdraw(account_id: int, amount: int, pin: int = PIN, *, command_id: UUID | None = None, actor: str = "") -> Ack:
    return handle(WithdrawMoneyFromBankAccount(account_id, amount, pin), command_id=command_id, actor=actor)


def do_business() -> None:
    """Record every kind of event and rejection, with a snapshot and commands of two events."""
    do_business_without_processes()
    _transfer_correct_and_close()


def do_business_without_processes() -> None:
    """Record what the bank could do before it had process managers."""
    for account_id in (1, 2, 3, 4):
        open_account(account_id, f"Holder {account_id}", balance=1000 * account_id)
    for amount in range(1, 20):
        deposit(1, amount, actor="teller")
        withdraw(1 + amount % 4, amount, actor="teller")
    for pin in (PIN + 1, PIN + 1, PIN + 1, PIN):
        withdraw(2, 5, pin)
    handle(UnlockPin(2), actor="supervisor")
    handle(ChangePin(3, 42), actor="supervisor")
    withdraw(4, 10**9)
    for nonsense in (DepositMoneyIntoBankAccount(77, 5), DepositMoneyIntoBankAccount(1, 0), UnlockPin(1)):
        with suppress(CommandRejected):
            handle(nonsense)


def _transfer_correct_and_close() -> None:
    """Transfer money to an account and to none, correct a deposit through a till, and close the till and an account."""
    for to_account_id in (3, 77):
        handle(TransferMoneyBetweenBankAccounts(4, to_account_id, 50, PIN), actor="teller")
    handle(OpenTill(7, "teller", 500_00), actor="teller")
    till = tills.till_of("teller")
    assert till
    paid_in = handle(DepositMoneyIntoBankAccount(4, 100), actor="teller", metadata=till.metadata)
    handle(BringCashFromVault(*till, 40_00), actor="teller")
    handle(ReverseDeposit(4, paid_in.command_id, "Typed twice"), actor="supervisor")
    handle(CloseTill(*till, ((100_00, 5), (5_00, 7))), actor="teller")
    open_account(9)
    handle(CloseBankAccount(9, PIN), actor="teller")


def query(statement: str, *values: Any, using: str = "default") -> list[tuple[Any, ...]]:
    """Return all rows of a plain SQL statement."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def count(table: str, *, using: str = "default") -> int:
    return int(query(f"SELECT COUNT(*) FROM {table}", using=using)[0][0])


def everything_in(alias: str) -> list[object]:
    """Return each value of each row of each table of a database."""
    tables = connections[alias].introspection.table_names()
    return [value for table in tables for row in query(f"SELECT * FROM {table}", using=alias) for value in row]


def lift_protection() -> None:
    """Remove the triggers that protect events, which takes power over the tables."""
    on_postgresql = connections["default"].vendor == "postgresql"
    query(
        "DROP TRIGGER eventstore_event_append_only ON eventstore_event"
        if on_postgresql
        else "DROP TRIGGER eventstore_event_no_update"
    )


def whole_log() -> list[RecordedEvent]:
    """Return every event in the order of positions."""
    log: list[RecordedEvent] = []
    while more := store.read_all(log[-1].log_position if log else LogPosition(0, 0)):
        log += more
    return log


def broken_links() -> list[int]:
    """Recompute the chain of every stream, and return the positions of events that do not match."""
    broken: list[int] = []
    ends: dict[str, tuple[int, bytes]] = {}
    for event in whole_log():
        version, previous = ends.get(event.stream, (0, GENESIS))
        digest = event_hash(
            previous,
            event.stream,
            version + 1,
            event.type,
            event.schema_version,
            canonical(event.data),
            canonical(event.metadata),
            event.command_id,
            event.recorded_at,
        )
        if digest != event.hash or event.version != version + 1:
            broken.append(event.position)
        ends[event.stream] = (event.version, event.hash)
    return broken


def at_once[Result](works: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all works at the same time, each in a thread with its own connections. Return their results."""
    barrier = threading.Barrier(len(works))

    def do(work: Callable[[], Result]) -> Result:
        try:
            barrier.wait(30)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as threads:
        return [future.result(60) for future in [threads.submit(do, work) for work in works]]
