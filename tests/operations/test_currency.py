"""The currency is recorded with the first account, and no process works with another one."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from bank.application import currency
from bank.application.currency import WrongCurrency
from bank.apps import BankConfig
from bank.domain.errors import CommandRejected
from bank.operations.audit import audit
from tests.support import databases
from tests.support.databases import Urls, stranger
from tests.support.helpers import client_of, text_of
from tests.support.programs import Web, manage, migrate, run
from tests.support.values import count, deposit, open_account, query

TABLE = "bank_recordedcurrency"
WHAT_TO_DO = "This bank keeps its amounts in USD, and BANK_CURRENCY is JPY. Set BANK_CURRENCY=USD."


def recorded() -> list[Any]:
    return query(f"SELECT code, decimals FROM {TABLE}")


def findings() -> list[str]:
    return [str(finding) for finding in audit().findings]


@pytest.fixture
def in_yen(bank: Path, settings: Settings) -> None:
    """A bank in USD whose settings now say JPY."""
    open_account(1)
    deposit(1, 18_289_552)
    settings.BANK_CURRENCY = "JPY"


@pytest.mark.usefixtures("bank")
def test_the_first_account_records_the_currency_and_no_other_command_does(settings: Settings) -> None:
    settings.BANK_CURRENCY = "JPY"
    with pytest.raises(CommandRejected):
        deposit(1, 5)
    assert recorded() == []
    settings.BANK_CURRENCY = "KWD"
    open_account(1)
    open_account(2)
    assert recorded() == [("KWD", 3)]
    assert findings() == []


@pytest.mark.usefixtures("in_yen")
def test_a_command_in_another_currency_is_refused() -> None:
    with pytest.raises(WrongCurrency, match=WHAT_TO_DO):
        deposit(1, 5)
    with pytest.raises(WrongCurrency, match=WHAT_TO_DO):
        open_account(2)
    assert count("eventstore_event") == 2
    assert count("eventstore_commandrecord") == 2


@pytest.mark.usefixtures("in_yen")
def test_no_page_shows_an_amount_in_another_currency(settings: Settings) -> None:
    teller = client_of("tina", "Tellers")
    for page in ("/", "/accounts/", "/accounts/1/", "/admin/"):
        response = teller.get(page)
        assert response.status_code == 503
        assert "another currency than this bank has" in text_of(response)
    assert teller.post("/accounts/1/deposit/", {"amount": "5"}).status_code == 503
    ready = Client().get("/readyz")
    assert ready.status_code == 503
    assert WHAT_TO_DO in ready.json()["currency"]
    settings.BANK_CURRENCY = "USD"
    assert "182,895.52" in teller.get("/accounts/1/").content.decode()
    assert Client().get("/readyz").status_code == 200


@pytest.mark.usefixtures("in_yen")
def test_the_commands_of_operators_are_refused() -> None:
    with pytest.raises(CommandError, match=r"bank.E001.*BANK_CURRENCY is JPY"):
        call_command("check", stdout=StringIO(), stderr=StringIO())


@pytest.mark.usefixtures("bank")
def test_other_decimals_are_another_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    open_account(1)
    monkeypatch.setattr(currency, "get_currency_precision", lambda code: 3)
    monkeypatch.setattr(currency, "_confirmed", None)
    with pytest.raises(WrongCurrency, match="USD with 2 decimals, and the installed Babel gives it 3"):
        deposit(1, 5)


@pytest.mark.usefixtures("bank")
def test_of_two_processes_that_open_the_first_account_one_decides(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_account(1)
    monkeypatch.setattr(currency, "_confirmed", None)
    monkeypatch.setattr(currency, "settle", lambda: None)  # it checked before the other process recorded its currency
    settings.BANK_CURRENCY = "JPY"
    with pytest.raises(WrongCurrency):
        open_account(2)
    assert count("eventstore_event") == 1
    assert count("bank_pinverifier") == 1


@pytest.mark.usefixtures("bank")
def test_the_currency_of_an_existing_bank_is_recorded_by_its_next_command(urls: Urls, settings: Settings) -> None:
    opened_by_the_version_before(urls)
    assert (recorded(), findings()) == ([], [])
    deposit(1, 5)
    assert recorded() == [("USD", 2)]
    settings.BANK_CURRENCY = "JPY"
    with pytest.raises(WrongCurrency):
        deposit(1, 5)


def opened_by_the_version_before(urls: Urls) -> None:
    """Open an account without a recorded currency."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(currency, "settle", lambda: None)
        patch.setattr(currency, "record", lambda: None)
        patch.setattr("bank.application.handlers.CURRENCY", "of_before")
        open_account(1)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE {} SET code = 'JPY'", "JPY 2 is not what the bank recorded: its seal does not fit"),
        ("UPDATE {} SET decimals = 0", "USD 0 is not what the bank recorded: its seal does not fit"),
        ("UPDATE {} SET id = 2", "it cannot be read: (2, 'USD', 2) is not its one row"),
        ("DELETE FROM {}", "it is missing, and accounts were opened in 'USD 2'"),
        (
            "INSERT INTO {} SELECT 2, code, decimals, seal FROM {}",
            "it cannot be read: (2, 'USD', 2) is not its one row",
        ),
    ],
)
def test_a_forged_currency_is_a_finding(bank: Path, urls: Urls, vendor: str, statement: str, message: str) -> None:
    open_account(1)
    with stranger(urls["DATABASE_URL"]) as database:
        triggers = []
        if vendor == "sqlite":
            triggers = database.execute(f"SELECT name, sql FROM sqlite_master WHERE tbl_name = '{TABLE}'").fetchall()
            triggers = [(name, sql) for name, sql in triggers if sql and "TRIGGER" in sql]
            for name, _ in triggers:
                database.execute(f"DROP TRIGGER {name}")
        else:
            database.execute("SET session_replication_role = replica")
        database.execute(statement.replace("{}", TABLE))
        for _, sql in triggers:
            database.execute(sql)
    assert findings() == [f"the currency: {message}"]


@pytest.mark.usefixtures("bank")
def test_a_row_recorded_anew_in_another_currency_is_a_finding(urls: Urls, vendor: str, settings: Settings) -> None:
    test_a_forged_currency_is_a_finding(
        Path(), urls, vendor, "DELETE FROM {}", "it is missing, and accounts were opened in 'USD 2'"
    )
    settings.BANK_CURRENCY = "JPY"
    deposit(1, 5)
    assert findings() == ["the currency: it is JPY 0, and bank_account-1 was opened in 'USD 2'"]


@pytest.mark.usefixtures("bank")
def test_the_database_refuses_to_change_the_currency(urls: Urls, vendor: str) -> None:
    open_account(1)
    with stranger(urls["DATABASE_URL"]) as database:
        for statement in (f"UPDATE {TABLE} SET code = 'JPY'", f"DELETE FROM {TABLE}"):
            with pytest.raises(database.IntegrityError if vendor == "sqlite" else Exception, match="append-only"):
                database.execute(statement)


def test_a_code_that_is_no_currency_is_refused(settings: Settings) -> None:
    settings.BANK_CURRENCY = "usd"
    with pytest.raises(ImproperlyConfigured, match="BANK_CURRENCY is the code of a currency, such as EUR, not 'usd'"):
        BankConfig.create("bank").ready()


def test_a_start_in_another_currency_is_refused_with_the_remedy(tmp_path: Path) -> None:
    data = tmp_path / "data"
    migrate(data, "from tests.support.values import open_account; open_account(1)")
    done = run(data, "start", BANK_CURRENCY="JPY")
    assert done.returncode == 1
    assert WHAT_TO_DO in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout
    for command in ("verify_events", "replay_projections", "run_projections", "export_head", "migrate"):
        done = run(data, command, BANK_CURRENCY="JPY")
        assert (done.returncode, "Traceback" in done.stdout) == (1, False), done.stdout
        assert WHAT_TO_DO in done.stdout
    with Web(data) as web:
        assert web.request("GET", "/readyz")[0] == 200


def test_a_start_records_the_currency_of_an_existing_bank(tmp_path: Path) -> None:
    data = tmp_path / "data"
    open_as_before = """
from unittest.mock import patch
from tests.support.values import open_account
with patch("bank.application.currency.record"), patch("bank.application.handlers.CURRENCY", "of_before"):
    open_account(1)
"""
    migrate(data, open_as_before)
    with Web(data):
        pass
    shown = manage(
        data,
        "shell",
        "--no-imports",
        "-c",
        f"from tests.support.values import query; print(query('SELECT code FROM {TABLE}'))",
    )
    assert "USD" in shown
    assert WHAT_TO_DO in run(data, "check", BANK_CURRENCY="JPY").stdout


@pytest.mark.usefixtures("bank")
def test_a_copy_into_a_bank_with_other_settings_is_refused(
    vendor: str, urls: Urls, tmp_path: Path, settings: Settings
) -> None:
    open_account(1)
    (tmp_path / "target").mkdir()
    with databases.empty_databases(vendor, tmp_path / "target") as target, databases.in_use(target):
        for alias in databases.VARIABLES:
            call_command("migrate", database=alias, verbosity=0)
        settings.BANK_CURRENCY = "JPY"
        with pytest.raises(CommandError, match="Nothing was copied: This bank keeps its amounts in USD"):
            call_command("copy_bank", urls["DATABASE_URL"], stdout=StringIO(), skip_checks=True)
        assert (count("eventstore_event"), recorded()) == (0, [])
        settings.BANK_CURRENCY = "USD"
        call_command("copy_bank", urls["DATABASE_URL"], stdout=StringIO())
        assert recorded() == [("USD", 2)]
