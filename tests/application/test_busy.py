"""Commands that meet held locks or faster writers: they are busy, and change nothing."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.db.backends.signals import connection_created
from django.test import Client

from bank import wsgi
from bank.application import repository
from bank.application.dispatch import Busy, handle
from bank.domain.account import BankAccount
from bank.domain.commands import (
    ChangePin,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import InvalidAmount, NoSuchAccount
from bank.domain.events import PinChanged, PinUnlocked
from bank.screens import live
from eventstore import store
from eventstore.backends import backend_of, postgresql
from eventstore.backends.base import LOCK_TIMEOUT
from eventstore.patience import waits_limited_to
from eventstore.stream_lock import StreamLock
from projections import queries
from tests.support.databases import Urls, stranger
from tests.support.helpers import client_of, text_of
from tests.support.values import PIN, count, deposit, open_account, query, withdraw

pytestmark = pytest.mark.usefixtures("bank")

# A locked database


@pytest.fixture
def teller(bank: Path) -> Client:
    """A browser in which a teller is logged in."""
    return client_of("tina", "Tellers")


@pytest.fixture(params=["EXCLUSIVE", "ACCESS EXCLUSIVE"])
def locked(vendor: str, urls: Urls, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The write side, locked by a transaction that does not end; on PostgreSQL the lock also blocks readers."""
    open_account(balance=50)
    with stranger(urls["DATABASE_URL"]) as other:
        if vendor == "sqlite":
            monkeypatch.setattr(connections["default"], "patience", 0.02)
            other.execute("BEGIN IMMEDIATE")
        else:
            monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", 20)
            other.execute("BEGIN")
            other.execute(f"LOCK TABLE eventstore_event, eventstore_commandrecord IN {request.param} MODE")
        yield other


@pytest.mark.parametrize(
    "command",
    [
        CreateBankAccount(2, "Luke", 1),
        DepositMoneyIntoBankAccount(1, 5),
        WithdrawMoneyFromBankAccount(1, 5, PIN),
        WithdrawMoneyFromBankAccount(1, 5, PIN + 1),
        DepositMoneyIntoBankAccount(2, 5),
        DepositMoneyIntoBankAccount(1, 0),
    ],
)
def test_any_command_at_a_locked_database_is_busy_and_can_be_sent_again(command: Command, locked: Any) -> None:
    command_id = uuid4()
    with pytest.raises(Busy):
        handle(command, command_id=command_id)
    locked.execute("ROLLBACK")

    assert count("eventstore_commandrecord") == 2
    with suppress(NoSuchAccount, InvalidAmount):
        assert not handle(command, command_id=command_id).repeated
    assert count("eventstore_commandrecord") == 3


def test_the_page_of_a_task_at_a_locked_database_reports_that_nothing_has_happened(teller: Client, locked: Any) -> None:
    form = {"command_id": str(uuid4()), "amount": "5"}
    for headers in ({}, {"HX-Request": "true"}):
        for task, fields in (("deposit", {}), ("withdraw", {"pin": f"{PIN:04}"})):
            response = teller.post(f"/accounts/1/{task}/", {**form, **fields}, headers=headers)
            page = response.content.decode()
            assert response.status_code == 503
            assert response["Retry-After"] == "5"
            assert "Nothing has happened" in text_of(response)
            assert 'value="5"' in page
            assert f'value="{PIN:04}"' not in page
            assert form["command_id"] not in page
            assert ("<html" in page) is (not headers)
            assert (response["HX-Retarget"], response["HX-Reswap"]) == ("this", "outerHTML")
    locked.execute("ROLLBACK")
    assert count("eventstore_event") == 2
    assert teller.post("/accounts/1/deposit/", form).status_code == 303


@pytest.mark.only_on("postgresql", reason="SQLite's time-out is a setting of the connection")
def test_on_a_connection_to_the_server_itself_the_limits_are_set_once_and_appends_are_prepared() -> None:
    open_account()
    deposit(1, 5)
    assert query("SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')") == [
        ("2s", "10s")
    ]
    prepared = query("SELECT statement FROM pg_prepared_statements")
    assert any("INSERT INTO eventstore_event" in statement for (statement,) in prepared)


@pytest.mark.only_on("postgresql", reason="SQLite prepares within the process")
def test_appends_work_after_the_server_dropped_prepared_statements() -> None:
    open_account()
    for amount in (5, 6, 7):
        deposit(1, amount)
        query("DEALLOCATE ALL")  # as psycopg does after a rollback
    assert queries.check_balance(1) == 18


@pytest.mark.only_on("postgresql", reason="SQLite's connections go to a file and are not ended by anybody else")
def test_a_connection_that_is_lost_when_the_limits_are_set_is_one_that_is_lost(urls: Urls) -> None:
    open_account()
    connections["default"].connection.waits_are_limited = False
    [(process,)] = query("SELECT pg_backend_pid()")
    with stranger(urls["DATABASE_URL"]) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [process])
    assert deposit(1, 5).version == 2


@pytest.mark.only_on("postgresql", reason="SQLite's time-out is a setting of the connection")
def test_behind_a_pooler_a_transaction_has_limits_that_end_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "prepares", lambda driver: False)
    limits = "SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')"
    open_account()
    with backend_of().transaction(lock_timeout=7000) as cursor:
        cursor.execute(limits)
        assert cursor.fetchall() == [("7s", "10s")]
    assert query(limits) == [("0", "0")]


@pytest.mark.only_on("postgresql", reason="test_sqlite_transactions.py has SQLite's")
def test_the_waits_of_a_web_request_have_one_limit_together() -> None:
    def limit() -> int:
        with backend_of().transaction() as cursor:
            cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'")
            return int(cursor.fetchone()[0])

    open_account()
    assert limit() == LOCK_TIMEOUT
    with waits_limited_to(1):
        assert 0 < limit() <= 1000
    with waits_limited_to(0):
        assert limit() == 1
    assert limit() == LOCK_TIMEOUT


@pytest.mark.only_on("postgresql", reason="a reader of SQLite waits for no lock")
def test_a_web_process_limits_the_waits_of_pages_that_only_read(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROJECTION_MODE = "worker"
    monkeypatch.setattr(live.pulse, "start", lambda: None)
    wsgi.work_in_background()
    try:
        connections["projections"].close()
        with connections["projections"].cursor() as cursor:
            cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'")
            assert cursor.fetchone() == (LOCK_TIMEOUT,)
    finally:
        connection_created.disconnect(dispatch_uid="bank.wsgi")
        connections["projections"].close()


def test_a_writer_that_loses_every_race_is_refused_as_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    open_account(balance=50)
    tries: list[int] = []

    def lose(*args: Any, **kwargs: Any) -> None:
        tries.append(1)
        raise store.WrongExpectedVersion("somebody else was quicker")

    monkeypatch.setattr(repository, "save", lose)
    monkeypatch.setattr("bank.application.dispatch.MAX_PAUSE", 0)
    with pytest.raises(Busy, match="bank_account-1 is busy"):
        deposit(1, 5)
    assert len(tries) == 100
    assert count("eventstore_event") == count("eventstore_commandrecord") == 2


def test_a_writer_who_loses_a_race_decides_again_on_the_latest_state(monkeypatch: pytest.MonkeyPatch) -> None:
    open_account(balance=50)
    withdraw(1, 5, PIN + 1)
    withdraw(1, 5, PIN + 1)
    load, quicker = repository.load, [PIN + 1]

    def load_then_be_overtaken(account_id: int, lock: StreamLock | None) -> repository.Loaded[BankAccount]:
        loaded = load(account_id, lock)
        if quicker:
            withdraw(1, 5, quicker.pop())
        return loaded

    monkeypatch.setattr(repository, "load", load_then_be_overtaken)
    ack = handle(ChangePin(1, PIN))
    assert ack.events == (PinChanged(1), PinUnlocked(1)), "the overtaker locked the account"
    assert ack.version == 8
