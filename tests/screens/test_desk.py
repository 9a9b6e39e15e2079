"""The desk of a teller, the teller's day, and the manager's pages."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from bank.application.dispatch import handle
from bank.application.process_managers import paused
from bank.domain.commands import TransferMoneyBetweenBankAccounts
from tests.support.helpers import HTMX, client_of, send, text_of
from tests.support.values import open_account, withdraw


def test_the_desk_is_the_tellers_own(teller: Client) -> None:
    page = text_of(teller.get("/"))
    for words in ("You have done no task yet.", "Nothing waits for you.", "You have no open till."):
        assert words in page
    send(teller, "/tills/open/", till_id="7", amount="500")
    send(teller, "/accounts/1/deposit/", amount="20")
    send(teller, "/accounts/1/withdraw/", amount="5", pin="0042")
    send(teller, "/accounts/1/withdraw/", amount="5", pin="0043")
    open_account(2, "Luke", 42)
    with paused():
        handle(TransferMoneyBetweenBankAccounts(1, 2, 300, 42), actor="tina")
    page = text_of(teller.get("/"))
    for words in (
        "Till 7 Open since", "Expected cash (USD) 515.00", "Paid in, 1 task +20.00", "Paid out, 1 task −5.00",
        "Transferred, 1 task 3.00", "Refused 1", "All tasks 4", "Transfer to 2 3.00 USD left at",
    ):  # fmt: skip
        assert words in page
    assert "Money on deposit" not in page
    of_another = text_of(client_of("tom", "Tellers").get("/"))
    assert "All tasks 0" in of_another
    assert "You have no open till." in of_another


def test_a_supervisors_desk_names_what_waits_for_supervisors(teller: Client) -> None:
    sue = client_of("sue", "Supervisors")
    assert "Nothing waits for you." in text_of(sue.get("/"))
    for _ in range(3):
        withdraw(1, 1, 43)
    page = text_of(sue.get("/"))
    assert "1 locked account" in page
    assert "1 locked account" not in text_of(teller.get("/"))


def test_an_auditor_has_the_find_box_and_no_day(teller: Client) -> None:
    page = text_of(client_of("ann", "Auditors").get("/"))
    assert "Number, holder or receipt" in page
    assert "Figures of the bank" in page
    assert "My day" not in page


def test_a_day_of_ones_own_is_chosen_by_a_form(teller: Client) -> None:
    send(teller, "/accounts/1/deposit/", amount="20")
    today = text_of(teller.get("/day/"))
    assert "Paid in, 1 task +20.00" in today
    assert "Deposit +20.00" in today
    for day in ("2020-02-29", "29 Feb 2020"):
        assert "You did no task on this day." in text_of(teller.get("/day/", {"day": day}))
    wrong = teller.get("/day/", {"day": "yesterday"})
    assert wrong.status_code == 422
    assert "Enter a day such as" in text_of(wrong)
    assert 'value="yesterday"' in wrong.content.decode()


# The manager's pages


@pytest.mark.parametrize("group", ["Supervisors", "Auditors"])
def test_the_bank_shows_its_three_totals_to_supervisors_and_auditors(teller: Client, group: str) -> None:
    send(teller, "/accounts/1/withdraw/", amount="30", pin="0042")
    send(teller, "/accounts/1/withdraw/", amount="5", pin="0043")
    page = client_of("sue", group).get("/bank/")
    for words in ("Money on deposit (USD) 70.00", "Ever paid in (USD) 100.00", "Ever paid out (USD) 30.00"):
        assert words in text_of(page)
    for words in ("No transfer is on its way.", "No account is locked.", "No till was open today.", "Refused today"):
        assert words in text_of(page)
    for _ in range(2):
        withdraw(1, 1, 43)
    page = client_of("another", group).get("/bank/")
    assert re.search(r"1 Ada Lovelace Since .* 3 wrong PINs in a row", text_of(page))
    assert ("/accounts/1/unlock/" in page.content.decode()) == (group == "Supervisors")
    assert teller.get("/bank/").status_code == 403


def test_refusals_are_filtered_and_counted_by_kind(teller: Client) -> None:
    sue = client_of("sue", "Supervisors")
    send(teller, "/accounts/1/withdraw/", amount="500", pin="0042")
    send(teller, "/accounts/1/withdraw/", amount="5", pin="0043")
    page = text_of(sue.get("/refusals/"))
    assert "All 2 Wrong PIN 1 Not enough money 1 Withdrawals are locked 0" in page
    assert "asked for 500.00" in page
    today = str(timezone.localdate())
    only = sue.get("/refusals/", {"from": today, "to": "", "kind": "invalid_pin", "teller": "tina"}, headers=HTMX)
    assert "asked for 500.00" not in text_of(only)
    assert "asked for 5.00" in text_of(only)
    assert "No such withdrawal was refused." in text_of(sue.get("/refusals/", {"teller": "tom"}))
    assert "No such withdrawal was refused." in text_of(
        sue.get("/refusals/", {"from": "2020-01-01", "to": "2020-01-02"})
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from": "x"}, "Enter a day such as"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "The first day comes after the last one."),
        ({"kind": "nonsense"}, "Choose a kind from the list."),
        ({"account": "12x"}, "An account number is a whole number."),
        ({"teller": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_a_filter_that_cannot_be_read_keeps_what_was_typed(teller: Client, query: dict[str, str], words: str) -> None:
    response = client_of("sue", "Supervisors").get("/refusals/", query)
    assert response.status_code == 422
    assert words in text_of(response)
