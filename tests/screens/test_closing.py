"""Closing on the screens: what is in the way, a closed account's page, and lists without closed accounts."""

from pathlib import Path

import pytest
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import CloseBankAccount
from eventstore.models import Event
from projections import queries
from tests.support.helpers import HTMX, client_of, send, text_of
from tests.support.values import PIN, deposit, open_account

CLOSED_WORDS = "This account is closed."


@pytest.fixture
def tina(bank: Path) -> Client:
    """A teller of a bank with the empty account 1 of Josh, and account 2 of Luke with a balance of 1,234.50."""
    open_account(1, "Josh Closes", PIN)
    open_account(2, "Luke Stays", PIN, balance=1_234_50)
    return client_of("tina", "Tellers")


def test_a_teller_closes_an_empty_account(tina: Client) -> None:
    assert "Close the account" in text_of(tina.get("/accounts/1/"))
    assert "A closed account is never opened again." in text_of(tina.get("/accounts/1/close/"))
    response = send(tina, "/accounts/1/close/", pin="1234")
    assert response.status_code == 303
    assert "Account closed Its statement stays." in text_of(tina.get(response["Location"]))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_an_account_with_money_says_how_much_and_offers_to_pay_it_out(tina: Client, headers: dict[str, str]) -> None:
    for response in (
        tina.get("/accounts/2/close/"),
        send(tina, "/accounts/2/close/", headers, pin="1234"),
        send(tina, "/accounts/2/close/", headers, pin="4321"),
    ):
        assert "There are 1,234.50 USD in the account." in text_of(response)
        assert 'href="/accounts/2/withdraw/?amount=123450"' in response.content.decode()
    assert response.status_code == 422
    assert "There is money in account 2. Pay it out first." in text_of(response)
    assert 'value="1,234.50"' in tina.get("/accounts/2/withdraw/?amount=123450").content.decode()
    assert Event.objects.latest("position").type == "money_deposited_into_bank_account"


@pytest.mark.parametrize("amount", ["", "x", "-5", "1e3", "9" * 30, "%00", "<b>"])
def test_a_withdrawal_is_filled_in_only_with_an_amount(tina: Client, amount: str) -> None:
    page = tina.get(f"/accounts/2/withdraw/?amount={amount}")
    assert page.status_code == 200
    assert 'name="amount" value' not in page.content.decode()


def test_a_wrong_pin_is_refused_on_a_receipt_that_asks_for_no_amount(tina: Client) -> None:
    receipt = tina.get(send(tina, "/accounts/1/close/", pin="4321")["Location"])
    words = text_of(receipt)
    assert "Closing refused: wrong PIN" in words
    assert "2 more wrong PINs in a row lock" in words
    assert 'href="/accounts/1/close/"' in receipt.content.decode()
    for _ in range(2):
        send(tina, "/accounts/1/close/", pin="4321")
    blocked = tina.get(send(tina, "/accounts/1/close/", pin="1234")["Location"])
    assert "Closing refused: withdrawals are locked" in text_of(blocked)
    assert "Withdrawals are locked." in text_of(tina.get("/accounts/1/close/"))
    for page in ("/", "/accounts/1/", "/accounts/1/statement/?kind=", "/accounts/1/statement.csv"):
        text = tina.get(page).getvalue().decode()
        assert "Closing refused: wrong PIN" in text, page
        assert "asked for 0" not in text, page
        assert "(0.00)" not in text, page


def test_a_closed_account_shows_since_when_and_no_task(tina: Client) -> None:
    supervisor = client_of("sue", "Supervisors")
    handle(CloseBankAccount(1, PIN))
    since = queries.find_account(1).closed_at
    assert since
    for client in (tina, supervisor):
        page = client.get("/accounts/1/")
        assert CLOSED_WORDS in text_of(page)
        assert "It has been closed since" in text_of(page)
        html = page.content.decode()
        for task in ("deposit/", "withdraw/", "/pin/", "/close/", "/unlock/"):
            assert task not in html, task
    assert "Account closed" in text_of(tina.get("/accounts/1/statement/?kind="))
    assert tina.get("/accounts/1/statement.csv").status_code == 200


@pytest.mark.parametrize("task", ["deposit", "withdraw", "close", "unlock", "pin"])
def test_a_form_that_was_open_before_the_closing_is_rejected_in_plain_words(bank: Path, task: str) -> None:
    open_account(1, "Josh Closes", PIN)
    supervisor = client_of("sue", "Supervisors")
    handle(CloseBankAccount(1, PIN))
    assert "This account is closed. It has been closed since" in text_of(supervisor.get(f"/accounts/1/{task}/"))
    response = send(supervisor, f"/accounts/1/{task}/", amount="5", pin="1234", pin_again="1234")
    assert response.status_code == 422
    assert "Account 1 is closed." in text_of(response)


def test_the_number_of_a_closed_account_is_taken(tina: Client) -> None:
    handle(CloseBankAccount(1, PIN))
    response = send(tina, "/accounts/open/", account_id="1", account_holder="Ada", pin="1234")
    assert response.status_code == 422
    assert "It is closed, and its number is never given again." in text_of(response)
    assert "take the number 3, which is free" in text_of(response)


def test_lists_and_searches_show_open_accounts_unless_closed_ones_are_wanted_too(tina: Client) -> None:
    handle(CloseBankAccount(1, PIN))
    for query in ("", "?q=s"):
        assert "Josh Closes" not in text_of(tina.get(f"/accounts/{query}"))
        both = tina.get(f"/accounts/{query or '?q='}&closed=1")
        assert "Josh Closes closed" in text_of(both)
        assert "Luke Stays" in text_of(both)
        assert "checked" in both.content.decode()
    assert "No open account has “Josh”" in text_of(tina.get("/accounts/?q=Josh"))
    assert "Josh Closes closed" in text_of(
        tina.get("/accounts/?q=Josh&closed=1", headers={**HTMX, "HX-Target": "list"})
    )


def test_the_number_of_a_closed_account_finds_it(tina: Client) -> None:
    handle(CloseBankAccount(1, PIN))
    assert tina.get("/accounts/?q=1")["Location"] == "/accounts/1/"
    assert "Josh Closes closed" in text_of(tina.get("/accounts/?q=1", headers={**HTMX, "HX-Target": "list"}))


def test_the_next_page_shows_closed_accounts_too(bank: Path) -> None:
    for account_id in range(1, 28):
        open_account(account_id, f"Holder {account_id}", PIN)
        if account_id in (3, 27):
            handle(CloseBankAccount(account_id, PIN))
    client = client_of("tina", "Tellers")
    assert [row.account_id for row in queries.find_accounts().rows][-1] == 26
    assert queries.find_accounts().next is None
    page = client.get("/accounts/?q=&closed=1").content.decode()
    assert 'href="?q=&amp;closed=1&amp;after=25"' in page
    assert "Holder 27" in text_of(client.get("/accounts/?q=&closed=1&after=25"))


def test_figures_and_the_list_of_accounts_count_closed_accounts(tina: Client) -> None:
    deposit(2, 50)
    handle(CloseBankAccount(1, PIN))
    assert queries.bank_figures().accounts == 2
    assert [entry.account_id for entry in queries.get_account_list()] == [1, 2]
    assert queries.check_balance(1) == 0
