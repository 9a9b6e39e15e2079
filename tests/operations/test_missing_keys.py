"""A missing key of the bank: it counts as no wrong PIN, and the operator's checks name it."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client

from bank.application import pins
from bank.application.dispatch import InstallationFault, handle
from bank.domain.commands import ChangePin, CreateBankAccount, DepositMoneyIntoBankAccount, WithdrawMoneyFromBankAccount
from bank.domain.events import MoneyWithdrawnFromBankAccount
from bank.operations import checks
from tests.support.databases import Urls, out_of_reach
from tests.support.helpers import client_of, text_of
from tests.support.values import count

OLD, NEW = "the key of before", "the key that is set now"


@pytest.fixture
def old_account(bank: Path, settings: Any) -> int:
    """An account whose PIN verifier was made with a key that is no longer set."""
    settings.PIN_KEYS = [OLD]
    handle(CreateBankAccount(1, "Josh", 1234))
    handle(DepositMoneyIntoBankAccount(1, 500))
    settings.PIN_KEYS = [NEW]
    return 1


@pytest.fixture
def new_account(old_account: int) -> int:
    """An account beside it whose PIN verifier was made with the key that is set."""
    handle(CreateBankAccount(2, "Leia", 1234))
    handle(DepositMoneyIntoBankAccount(2, 500))
    return 2


def messages() -> list[str]:
    return [str(each) for each in checks.check_keys()]


@pytest.mark.parametrize("pin", ["1234", "4321"])
def test_a_withdrawal_whose_pin_cannot_be_checked_is_a_503_and_counts_nothing(
    old_account: int, settings: Any, pin: str
) -> None:
    before = count("eventstore_event"), count("eventstore_commandrecord")
    teller = client_of("tina", "Tellers")
    for _ in range(settings.PIN_ATTEMPTS + 1):
        response = teller.post("/accounts/1/withdraw/", {"command_id": str(uuid4()), "amount": "1", "pin": pin})
        assert response.status_code == 503
        assert "Nothing was recorded, and no PIN attempt was counted" in text_of(response)
        assert pin not in text_of(response)
    assert (count("eventstore_event"), count("eventstore_commandrecord")) == before

    settings.PIN_KEYS = [NEW, OLD]
    [event] = handle(WithdrawMoneyFromBankAccount(1, 5, 1234)).events
    assert event == MoneyWithdrawnFromBankAccount(1, 5), "with the key it goes on where it was"


def test_the_fault_is_logged_in_one_line_without_the_pin(old_account: int, caplog: pytest.LogCaptureFixture) -> None:
    client_of("tina", "Tellers").post(
        "/accounts/1/withdraw/", {"command_id": str(uuid4()), "amount": "1", "pin": "9753"}
    )
    [record] = [each for each in caplog.records if each.name == "bank.screens.unavailable"]
    assert "POST /accounts/1/withdraw/: PIN_KEYS lacks the key" in record.getMessage()
    assert "9753" not in caplog.text


def test_a_command_that_met_the_fault_is_carried_out_under_its_id_later(old_account: int, settings: Any) -> None:
    command_id = uuid4()
    withdrawal = WithdrawMoneyFromBankAccount(1, 5, 1234)
    with pytest.raises(InstallationFault):
        handle(withdrawal, command_id=command_id)
    settings.PIN_KEYS = [NEW, OLD]
    assert not handle(withdrawal, command_id=command_id).repeated


def test_other_accounts_and_other_tasks_go_on(new_account: int, client: Client) -> None:
    assert handle(WithdrawMoneyFromBankAccount(2, 5, 1234)).events == (MoneyWithdrawnFromBankAccount(2, 5),)
    handle(DepositMoneyIntoBankAccount(1, 5))
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["keys"] == {"PIN_KEYS": "A key is missing: run manage.py check."}
    assert "The PIN of some accounts cannot be checked" in messages()[0]


def test_a_new_pin_needs_no_old_key(old_account: int) -> None:
    handle(ChangePin(1, 7))
    assert handle(WithdrawMoneyFromBankAccount(1, 5, 7)).events == (MoneyWithdrawnFromBankAccount(1, 5),)
    assert messages() == []


def test_an_account_without_a_verifier_is_no_wrong_guess(new_account: int) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM bank_pinverifier WHERE account_id = 2")
    before = count("eventstore_commandrecord")
    with pytest.raises(InstallationFault, match="Account 2 has no PIN verifier"):
        handle(WithdrawMoneyFromBankAccount(2, 5, 1234))
    assert count("eventstore_commandrecord") == before


def test_a_bank_that_can_check_no_pin_is_not_ready(old_account: int, client: Client, settings: Any) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["keys"] == {"PIN_KEYS": "No key fits: run manage.py check."}
    [output] = messages()
    assert "PIN_KEYS lacks " in output
    assert "The PIN of every account cannot be checked" in output
    for secret in (OLD, NEW):
        assert secret not in output + response.content.decode()
    assert not any(key_id in response.content.decode() for key_id in pins.key_ids() | pins.key_ids_in_use())


def test_keys_that_fit_are_not_mentioned(new_account: int, client: Client, settings: Any) -> None:
    settings.PIN_KEYS = [NEW, OLD]
    assert "keys" not in client.get("/readyz").json()
    assert messages() == []


def test_check_names_the_fault_on_the_command_line(old_account: int, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check")
    assert "bank.W002" in capsys.readouterr().err


def test_many_verifiers_cost_no_more_than_their_keys(
    new_account: int, django_assert_num_queries: Any, settings: Any
) -> None:
    for account_id in range(3, 30):
        handle(CreateBankAccount(account_id, "Han", 1))
    with django_assert_num_queries(3):
        assert len(pins.key_ids_in_use()) == 2
    with connections["default"].cursor() as cursor:
        statement = "SELECT key_id FROM bank_pinverifier WHERE key_id > 'a' ORDER BY key_id LIMIT 1"
        if connections["default"].vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        else:
            cursor.execute("SET enable_seqscan = off")
            cursor.execute(f"EXPLAIN {statement}")
        assert "verifier_key_id" in str(cursor.fetchall())


def test_a_bank_that_is_not_made_yet_has_no_missing_keys(urls: Urls, bank: Path) -> None:
    assert messages() == []
    with out_of_reach(urls, "default"):
        assert messages() == []
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE bank_pinverifier")
    assert messages() == []


def test_a_key_that_was_read_with_its_space_still_verifies_and_signs_no_more(bank: Path, settings: Any) -> None:
    settings.PIN_KEYS = settings.SEAL_KEYS = [f"{OLD} "]  # as the previous version read `PIN_KEYS="old ,new"`
    handle(CreateBankAccount(1, "Josh", 1234))
    handle(DepositMoneyIntoBankAccount(1, 500))
    settings.PIN_KEYS = settings.SEAL_KEYS = [OLD]
    assert [message.partition(" lacks")[0] for message in messages()] == [
        "?: (bank.W002) PIN_KEYS",
        "?: (bank.W002) SEAL_KEYS",
    ]
    with pytest.raises(InstallationFault):
        handle(WithdrawMoneyFromBankAccount(1, 5, 1234))

    settings.SPACED_PIN_KEYS = settings.SPACED_SEAL_KEYS = [f"{OLD} "]
    assert messages() == []
    assert handle(WithdrawMoneyFromBankAccount(1, 5, 1234)).events == (MoneyWithdrawnFromBankAccount(1, 5),)
    handle(CreateBankAccount(2, "Leia", 1234))
    settings.SPACED_PIN_KEYS = settings.SPACED_SEAL_KEYS = []
    assert pins.matches(2, 1234)


def test_other_keys_than_those_of_the_seals_are_named(bank: Path, client: Client, settings: Any) -> None:
    handle(CreateBankAccount(1, "Josh", 1234))
    ours, settings.SEAL_KEYS = settings.SEAL_KEYS, [NEW]
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["keys"] == {"SEAL_KEYS": "No key fits: run manage.py check."}
    assert "What the missing key has sealed cannot be verified" in messages()[0]

    handle(DepositMoneyIntoBankAccount(1, 5))  # one of several processes has another key
    assert client.get("/readyz").json()["keys"] == {"SEAL_KEYS": "A key is missing: run manage.py check."}
    settings.SEAL_KEYS = ours
    assert client.get("/readyz").json()["keys"] == {"SEAL_KEYS": "A key is missing: run manage.py check."}
    settings.SEAL_KEYS = [*ours, NEW]
    assert "keys" not in client.get("/readyz").json()
