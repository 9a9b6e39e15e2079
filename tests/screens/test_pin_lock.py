"""The screens of a locked account and the supervisors' tasks, through Django's client."""

from typing import Any

import pytest
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, WithdrawMoneyFromBankAccount
from eventstore import store
from projections import queries
from tests.support.helpers import HTMX, client_of, command_id_in, send, text_of

UNLOCK, NEW_PIN = "/accounts/1/unlock/", "/accounts/1/pin/"


@pytest.fixture
def supervisor(teller: Client) -> Client:
    return client_of("sue", "Supervisors")


def receipt_of(client: Client, url: str, **fields: Any) -> Any:
    """Send a form and follow the redirect to its receipt."""
    response = send(client, url, **fields)
    assert response.status_code == 303, text_of(response)
    return client.get(response["Location"])


def withdraw(client: Client, pin: str) -> Any:
    return receipt_of(client, "/accounts/1/withdraw/", amount="5", pin=pin)


def lock() -> None:
    for _ in range(3):
        handle(WithdrawMoneyFromBankAccount(1, 500, 4242))


def test_each_wrong_pin_shows_the_attempts_left_and_the_last_one_the_lock(teller: Client) -> None:
    assert "2 more wrong PINs in a row lock withdrawals" in text_of(withdraw(teller, "4242"))
    assert "One more wrong PIN locks withdrawals" in text_of(withdraw(teller, "4242"))
    last = withdraw(teller, "4242")
    assert "Refused: wrong PIN" in text_of(last)
    assert "Withdrawals are locked now" in text_of(last)
    assert "Try again" not in text_of(last)


def test_the_number_of_attempts_left_is_shown_only_while_it_is_true(teller: Client) -> None:
    response = send(teller, "/accounts/1/withdraw/", amount="5", pin="4242")
    assert "2 more wrong PINs" in text_of(teller.get(response["Location"]))
    withdraw(teller, "0042")
    later = text_of(teller.get(response["Location"]))
    assert "Refused: wrong PIN" in later
    assert "more wrong PIN" not in later


def test_the_number_of_attempts_left_is_not_shown_while_figures_are_behind(teller: Client, settings: Any) -> None:
    response = send(teller, "/accounts/1/withdraw/", amount="5", pin="4242")
    settings.PROJECTION_MODE = "worker"
    withdraw(teller, "4242")
    assert "more wrong PIN" not in text_of(teller.get(response["Location"]))


@pytest.mark.parametrize(("attempts", "message"), [(10, "9 more wrong PINs"), (2, "One more wrong PIN locks")])
def test_the_setting_defines_the_number_of_attempts(teller: Client, settings: Any, attempts: int, message: str) -> None:
    settings.PIN_ATTEMPTS = attempts
    assert message in text_of(withdraw(teller, "4242"))


def test_after_the_number_was_made_smaller_one_is_left(teller: Client, settings: Any) -> None:
    settings.PIN_ATTEMPTS = 10
    withdraw(teller, "4242")
    response = send(teller, "/accounts/1/withdraw/", amount="5", pin="4242")
    settings.PIN_ATTEMPTS = 1
    assert "One more wrong PIN locks" in text_of(teller.get(response["Location"]))


def test_a_blocked_withdrawal_has_a_receipt_with_the_reason(teller: Client) -> None:
    lock()
    page = text_of(withdraw(teller, "0042"))
    assert "Refused: withdrawals are locked" in page
    assert "the PIN was not checked" in page
    assert "No money has moved" in page
    assert "Asked for 5.00 USD" in page
    assert "Unlock" not in page, "a teller cannot"
    assert queries.check_balance(1) == 10_000


@pytest.mark.parametrize("url", ["/accounts/1/", "/accounts/1/withdraw/"])
def test_a_locked_account_shows_its_lock_and_offers_supervisors_their_tasks(
    teller: Client, supervisor: Client, url: str
) -> None:
    for client in (teller, supervisor):
        assert "Withdrawals are locked" not in text_of(client.get(url))
    lock()
    for client in (teller, supervisor):
        assert "Withdrawals are locked" in text_of(client.get(url))
    assert UNLOCK not in teller.get(url).content.decode()
    assert UNLOCK in supervisor.get(url).content.decode()
    assert NEW_PIN in supervisor.get(url).content.decode()


def test_a_locked_account_accepts_deposits_without_mention_of_the_lock(teller: Client) -> None:
    lock()
    assert "are locked" not in text_of(teller.get("/accounts/1/deposit/"))
    assert "New balance 105.00" in text_of(receipt_of(teller, "/accounts/1/deposit/", amount="5"))


def test_a_form_of_a_locked_account_that_is_shown_again_still_shows_the_lock(teller: Client) -> None:
    lock()
    response = send(teller, "/accounts/1/withdraw/", amount="five", pin="0042")
    assert response.status_code == 422
    assert "Withdrawals are locked" in text_of(response)


def test_the_list_of_accounts_marks_the_locked_ones(teller: Client) -> None:
    handle(CreateBankAccount(2, "Grace Hopper", 1))
    assert "Ada Lovelace locked" not in text_of(teller.get("/accounts/"))
    lock()
    page = text_of(teller.get("/accounts/"))
    assert "Ada Lovelace locked" in page
    assert "Grace Hopper locked" not in page


def test_a_supervisor_unlocks(supervisor: Client) -> None:
    lock()
    page = supervisor.get(UNLOCK)
    assert "Unlock withdrawals from account 1 Ada Lovelace" in text_of(page)
    assert "prove who they are" in text_of(page)
    receipt = text_of(receipt_of(supervisor, UNLOCK, command_id=command_id_in(page)))
    assert "Withdrawals unlocked" in receipt
    assert "By sue" in receipt
    assert "Withdrawal" in text_of(withdraw(supervisor, "0042"))
    assert queries.check_balance(1) == 9_500


def test_a_supervisor_gives_a_new_pin(supervisor: Client) -> None:
    receipt = text_of(receipt_of(supervisor, NEW_PIN, pin="0007", pin_again="0007"))
    assert "New PIN" in receipt
    assert "The old PIN no longer counts." in receipt
    assert "unlocked" not in receipt
    assert "By sue" in receipt
    assert "Refused: wrong PIN" in text_of(withdraw(supervisor, "0042"))
    assert "New balance 95.00" in text_of(withdraw(supervisor, "0007"))


def test_a_new_pin_for_a_locked_account_shows_the_unlock(supervisor: Client) -> None:
    lock()
    receipt = text_of(receipt_of(supervisor, NEW_PIN, pin="0007", pin_again="0007"))
    assert "New PIN" in receipt
    assert "Withdrawals were locked and are unlocked now." in receipt
    assert "New balance 95.00" in text_of(withdraw(supervisor, "0007"))


def test_the_statement_and_the_bank_show_who_unlocked_and_who_changed_the_pin(supervisor: Client) -> None:
    lock()
    send(supervisor, UNLOCK)
    send(supervisor, NEW_PIN, pin="0007", pin_again="0007")
    for url in ("/accounts/1/", "/bank/"):
        page = text_of(supervisor.get(url))
        assert "New PIN by sue" in page
        assert "Withdrawals unlocked by sue" in page
        assert "Withdrawals locked" in page


def test_a_receipt_of_a_refusal_offers_supervisors_their_tasks(supervisor: Client) -> None:
    lock()
    page = withdraw(supervisor, "0042").content.decode()
    assert UNLOCK in page
    assert NEW_PIN in page


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (UNLOCK, {}, "not locked"),
    ("/accounts/2/unlock/", {}, "no account 2"),
    ("/accounts/0/unlock/", {}, "from 1 to"),
    (UNLOCK, {"command_id": "nonsense"}, "was not complete"),
    (NEW_PIN, {"pin": "0007", "pin_again": "0008"}, "not the PIN that was typed first"),
    (NEW_PIN, {"pin": "0007"}, "type the new PIN twice"),
    (NEW_PIN, {"pin_again": "0007"}, "choose a PIN"),
    (NEW_PIN, {"pin": "007", "pin_again": "007"}, "four digits"),
    (NEW_PIN, {"pin": "\u2460\u2461\u2462\u2463", "pin_again": "\u2460\u2461\u2462\u2463"}, "four digits"),
    (NEW_PIN, {"pin": "9871", "pin_again": "987"}, "four digits"),
    (NEW_PIN, {"pin": "9871", "pin_again": "9871", "command_id": ""}, "was not complete"),
    ("/accounts/2/pin/", {"pin": "9871", "pin_again": "9871"}, "no account 2"),
]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(("url", "fields", "message"), REFUSED)
def test_a_rejected_supervisors_task_is_shown_at_the_form_which_repeats_no_pin(
    supervisor: Client, url: str, fields: dict[str, Any], message: str, headers: dict[str, str]
) -> None:
    response = send(supervisor, url, headers, **fields)
    page = response.content.decode()
    assert response.status_code == 422
    assert message in text_of(response)
    assert 'role="alert"' in page
    assert ("<html" in page) == (not headers), "htmx gets the form alone"
    for pin in (fields.get("pin"), fields.get("pin_again")):
        assert not pin or pin not in page.replace(command_id_in(response), "")
    assert store.last_position() == 2, "nothing has happened"


@pytest.mark.parametrize("url", [UNLOCK, NEW_PIN])
@pytest.mark.parametrize("group", ["Tellers", "Auditors", ""])
def test_only_supervisors_do_a_supervisors_task(supervisor: Client, url: str, group: str) -> None:
    lock()
    before = store.last_position()
    client = client_of("other", group)
    assert client.get(url).status_code == 403
    assert send(client, url, pin="0007", pin_again="0007").status_code == 403
    assert store.last_position() == before


@pytest.mark.parametrize("url", [UNLOCK, NEW_PIN])
def test_a_supervisors_task_asks_for_a_log_in(teller: Client, url: str) -> None:
    assert Client().get(url)["Location"].startswith("/login/")
    assert send(Client(), url, HTMX, pin="0007", pin_again="0007")["HX-Redirect"].startswith("/login/")


@pytest.mark.parametrize("url", ["/accounts/2/unlock/", "/accounts/2/pin/"])
def test_a_missing_account_has_no_task_screen(supervisor: Client, url: str) -> None:
    assert supervisor.get(url).status_code == 404


def test_a_superuser_supervises_too(teller: Client) -> None:
    lock()
    admin = client_of("ada", is_superuser=True)
    assert "Withdrawals unlocked" in text_of(receipt_of(admin, UNLOCK))


@pytest.mark.parametrize("url", [UNLOCK, NEW_PIN])
def test_a_supervisors_task_wants_a_fresh_password(supervisor: Client, url: str, settings: Any) -> None:
    lock()
    settings.BANK_FRESH_PASSWORD_MINUTES = 0
    before = store.last_position()
    assert supervisor.get(url)["Location"].startswith("/confirm/?next=")
    assert send(supervisor, url, pin="0007", pin_again="0007")["Location"].startswith("/confirm/?next=")
    assert send(supervisor, url, HTMX, pin="0007", pin_again="0007")["HX-Redirect"].startswith("/confirm/?next=")
    assert store.last_position() == before
    assert supervisor.get("/accounts/1/").status_code == 200
