"""Invalid commands, direct changes of the database and stale caches: no wrong decision results."""

import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connections

from bank.application import account_cache
from bank.application.dispatch import handle
from bank.domain.commands import (
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import (
    CommandRejected,
    InvalidAccountHolder,
    InvalidAccountId,
    InvalidAmount,
    MalformedPin,
)
from bank.domain.events import AccountOverdrawn, InvalidPin, MoneyWithdrawnFromBankAccount
from eventstore import clock, snapshots, store
from eventstore.events import Envelope, NewEvent
from eventstore.models import CommandRecord, Event
from tests.support.databases import Urls, stranger
from tests.support.values import PIN, broken_links, count, deposit, everything_in, open_account, query, withdraw

pytestmark = pytest.mark.usefixtures("bank")

HASHES = re.compile(r"'(\\x)?[0-9a-f]{32,}'", re.IGNORECASE)
"""Salts and digests in a statement: their digits may contain any PIN."""
HUGE = pytest.param(10**5000, id="a number of more digits than Python prints")


# Invalid commands


@pytest.mark.parametrize("value", [True, 1.0, "1", None, [], {}, -1, 2**64, HUGE])
def test_invalid_values_of_any_type_are_rejected_and_recorded(value: Any) -> None:
    open_account(balance=5)
    nonsense: list[tuple[Command, type[CommandRejected]]] = [
        (CreateBankAccount(value, "Luke", PIN), InvalidAccountId),
        (DepositMoneyIntoBankAccount(value, 5), InvalidAccountId),
        (WithdrawMoneyFromBankAccount(value, 5, PIN), InvalidAccountId),
        (DepositMoneyIntoBankAccount(1, value), InvalidAmount),
        (WithdrawMoneyFromBankAccount(1, value, PIN), InvalidAmount),
    ]
    for command, kind in nonsense:
        with pytest.raises(kind):
            handle(command)
    assert (count("eventstore_event"), count("eventstore_commandrecord")) == (2, 2 + len(nonsense))


@pytest.mark.parametrize("pin", [-1, 10_000, 91827364, True, "1234", 1234.0, None, HUGE])
def test_a_value_that_is_no_pin_is_rejected_and_stored_nowhere(pin: Any) -> None:
    open_account(balance=5)
    for command in (CreateBankAccount(2, "Luke", pin), WithdrawMoneyFromBankAccount(1, 5, pin)):
        with pytest.raises(MalformedPin):
            handle(command)
    messages = {record.message for record in CommandRecord.objects.filter(outcome="rejected")}
    assert messages == {"A PIN has exactly four digits."}


@pytest.mark.parametrize("holder", ["", "Jo\0sh", "Jo\ud800sh", "x" * 101, None])
def test_an_account_that_was_rejected_can_be_opened_properly(holder: Any) -> None:
    with pytest.raises(InvalidAccountHolder):
        handle(CreateBankAccount(1, holder, PIN))
    assert open_account(1, "Josh").version == 1


# Direct changes of the database


def rows(table: str) -> list[tuple[Any, ...]]:
    return query(f"SELECT * FROM {table} ORDER BY 1")


@pytest.mark.parametrize(
    ("table", "key", "other"),
    [
        ("eventstore_event", "position", {"stream": "'bank_account-9'"}),
        ("eventstore_commandrecord", "", {"id": "'0'"}),
    ],
)
@pytest.mark.only_on("sqlite", reason="it alone has row ids, and replaces by them")
def test_a_row_cannot_be_replaced_by_its_rowid(urls: Urls, table: str, key: str, other: dict[str, str]) -> None:
    open_account(balance=5)
    before = rows(table)
    with stranger(urls["DATABASE_URL"]) as mallory:
        names = [name for (name,) in mallory.execute(f"SELECT name FROM pragma_table_info('{table}')") if name != key]
        values = ", ".join(other.get(name, name) for name in names)
        insert = f"({', '.join(names)}, rowid) SELECT {values}, rowid FROM {table} WHERE rowid = 1"
        for conflict in ("REPLACE", "IGNORE", "FAIL", "ABORT", "ROLLBACK"):
            with suppress(mallory.IntegrityError):
                mallory.execute(f"INSERT OR {conflict} INTO {table} {insert}")
            assert rows(table) == before, conflict


@pytest.mark.parametrize("model", [Event, CommandRecord])
def test_the_database_refuses_changes_that_bypass_the_model(model: Any) -> None:
    open_account(balance=5)
    table = model._meta.db_table
    before = rows(table)
    manager, row = model._base_manager, model.objects.order_by("pk")[0]
    attempts: list[Callable[[], object]] = [
        lambda: manager.all().update(stream="bank_account-9"),
        lambda: manager.all().delete(),
        lambda: manager.bulk_update([row], ["stream"]),
        lambda: manager.bulk_create([row]),
        lambda: manager.bulk_create([row], update_conflicts=True, update_fields=["stream"], unique_fields=["pk"]),
        row.save_base,
        lambda: row.save_base(force_insert=True),
    ]
    for attempt in attempts:
        with pytest.raises(IntegrityError, match=r"append-only|duplicate key"):
            attempt()
    assert rows(table) == before


# Snapshots are a cache


@pytest.mark.parametrize(
    "state",
    [
        '"nonsense"',
        "[]",
        "{}",
        json.dumps({"account_id": 1, "account_holder": "Josh", "balance": 50, "of": "a newer program"}),
        json.dumps({"account_id": 1, "account_holder": "Josh", "balance": 10**6}),
        json.dumps({"account_id": 2, "account_holder": "Josh", "balance": 50}),
    ],
)
def test_a_snapshot_that_was_tampered_with_does_no_harm(state: str) -> None:
    open_account()
    for _ in range(snapshots.EVERY + 5):
        deposit(1, 1)
    assert count("eventstore_snapshot") == 1, "there is a snapshot to tamper with"
    query("UPDATE eventstore_snapshot SET state = %s", state)
    account_cache.forget("bank_account-1")
    assert withdraw(1, 500).events == (AccountOverdrawn(1, 25, 500),)
    assert withdraw(1, 25).events == (MoneyWithdrawnFromBankAccount(1, 25),)


def test_a_snapshot_of_a_missing_version_is_not_used() -> None:
    open_account(balance=50)
    state = {"account_id": 1, "account_holder": "Josh", "balance": 10**6}
    query(snapshots.UPSERT, *snapshots.values("bank_account-1", 99, state, b"\0" * 32))
    account_cache.forget("bank_account-1")
    assert withdraw(1, 500).events == (AccountOverdrawn(1, 50, 500),)
    assert count("eventstore_snapshot") == 0


# The store


@pytest.mark.parametrize("expected", [3, 50])
def test_a_writer_with_a_given_hash_cannot_leave_a_gap_in_a_stream(expected: int) -> None:
    open_account(balance=50)
    event = NewEvent("money_deposited_into_bank_account", {"accountId": 1, "amount": 5})
    command = Envelope(uuid4(), "deposit_money_into_bank_account", "", clock.now(), b"")
    with pytest.raises(store.WrongExpectedVersion):
        store.append("bank_account-1", [event], expected_version=expected, previous_hash=b"\1" * 32, command=command)
    assert broken_links() == []


# The PIN


def stored_bytes(bank: Path) -> bytes:
    """Return the whole write side: the bytes of SQLite's files, or every value in PostgreSQL's tables."""
    if connections["default"].vendor == "sqlite":
        return b"".join(file.read_bytes() for file in bank.glob("bank.sqlite3*"))
    values = everything_in("default")
    return b"\n".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in values
    )


def test_the_pin_is_in_no_byte_of_the_write_side_and_no_line_of_the_logs(
    bank: Path, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.PROJECTION_MODE = "worker"  # checkpoints store times, whose digits could be any PIN
    for logger in ("", "django.db.backends"):
        caplog.set_level(logging.DEBUG, logger=logger)
    empty = stored_bytes(bank)
    first, second, *_ = [pin for pin in range(7391, 9999, 7) if str(pin).encode() not in empty]
    connections["default"].force_debug_cursor = True  # logs each statement with its values
    try:
        with clock.set_to(datetime(2026, 1, 1, tzinfo=UTC)):
            handle(CreateBankAccount(1, "Josh", first), command_id=UUID(int=1))
            deposit(1, 50, command_id=UUID(int=2))
            assert withdraw(1, 5, second, command_id=UUID(int=3)).events == (InvalidPin(1, 5),)
            withdraw(1, 5, first, command_id=UUID(int=4))
            withdraw(1, 500, first, command_id=UUID(int=5))
    finally:
        connections["default"].force_debug_cursor = False
    assert "INSERT INTO eventstore_event" in caplog.text, "the statements are in the logs"
    logged = HASHES.sub("", caplog.text)
    written = stored_bytes(bank)
    assert b"money_withdrawn_from_bank_account" in written
    for secret in (first, second):
        assert str(secret).encode() not in written
        assert str(secret) not in logged
