"""The screens of a transfer: two steps, the receipts of both sides, and the list of those on their way."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from bank.application.dispatch import handle
from bank.application.process_managers import paused
from bank.domain.commands import CloseBankAccount, TransferMoneyBetweenBankAccounts
from projections import queries
from tests.support.helpers import HTMX, client_of, command_id_in, send, text_of
from tests.support.newer import freeze
from tests.support.values import PIN, count, open_account, whole_log, withdraw

pytestmark = pytest.mark.usefixtures("bank")

URL = "/accounts/1/transfer/"


@pytest.fixture
def teller() -> Client:
    open_account(1, "Josh", balance=10_000)
    open_account(2, "Luke")
    return client_of("teller", "Tellers")


def sends(client: Client, *, pin: Any = f"{PIN:04}", headers: Any = None, **fields: Any) -> Any:
    return send(client, URL, headers, **{"to_account_id": "2", "amount": "12.50", "pin": pin, **fields})


def receipt_of(client: Client, response: Any) -> Any:
    assert response.status_code == 303, text_of(response)
    return client.get(response.headers["Location"])


# The two steps


def test_the_account_page_asks_for_the_other_account_and_the_amount(teller: Client) -> None:
    page = teller.get("/accounts/1/").content.decode()
    form = re.search(r'<form class="task" action="transfer/"[^>]*>.*?</form>', page, re.DOTALL)
    assert form
    assert 'name="to_account_id"' in form[0]
    assert 'name="pin"' not in form[0]
    assert "csrfmiddlewaretoken" not in form[0], "the first step is a GET"


def test_the_second_step_names_the_other_holder_and_asks_for_the_pin(teller: Client) -> None:
    before = count("eventstore_event")
    page = teller.get(URL, {"to_account_id": "2", "amount": "12.5"})
    assert page.status_code == 200
    assert "To 2, Luke Amount 12.50 USD" in text_of(page)
    assert 'name="pin"' in page.content.decode()
    assert command_id_in(page)
    assert count("eventstore_event") == before


def test_money_is_sent_to_its_end(teller: Client) -> None:
    receipt = receipt_of(teller, sends(teller))
    assert "Transfer to 2 Luke" in text_of(receipt)
    assert "Arrived on" in text_of(receipt)
    assert queries.check_balance(2) == 1250


def test_the_same_form_twice_sends_once(teller: Client) -> None:
    form = {"command_id": str(uuid4())}
    first, second = sends(teller, **form), sends(teller, **form)
    assert first.headers["Location"] == second.headers["Location"]
    assert queries.check_balance(2) == 1250


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"to_account_id": "99", "amount": "5"}, "There is no account 99."),
        ({"to_account_id": "1", "amount": "5"}, "An account cannot send money to itself."),
        ({"to_account_id": "0", "amount": "5"}, "There is no account 0."),
        ({"to_account_id": str(2**80), "amount": "5"}, f"There is no account {2**80}."),
        ({"to_account_id": "two", "amount": "5"}, "An account number is a whole number."),
        ({"to_account_id": "", "amount": "5"}, "Enter the number of the account that gets the money."),
        ({"to_account_id": "2", "amount": ""}, "Enter the amount."),
        ({"to_account_id": "2"}, "Enter the amount."),
        ({"to_account_id": "2", "amount": "1.234.5"}, ""),
    ],
)
def test_what_cannot_be_sent_is_said_at_the_first_step(teller: Client, asked: dict[str, str], message: str) -> None:
    page = teller.get(URL, asked)
    assert page.status_code == 422
    assert "This cannot be sent:" in text_of(page)
    assert message in text_of(page)
    assert f'value="{asked["to_account_id"]}"' in page.content.decode() or not asked["to_account_id"]
    assert 'name="pin"' not in page.content.decode()


def test_a_closed_account_gets_no_money(teller: Client) -> None:
    handle(CloseBankAccount(2, PIN))
    assert "Account 2 is closed." in text_of(teller.get(URL, {"to_account_id": "2", "amount": "5"}))
    receipt = receipt_of(teller, sends(teller))  # sent before anybody could see that it is closed
    assert "Returned: the account is closed" in text_of(receipt)
    assert queries.check_balance(1) == 10_000


def test_a_parked_account_whose_holder_is_not_known_is_no_target(teller: Client) -> None:
    freeze(3)
    page = text_of(teller.get(URL, {"to_account_id": "3", "amount": "5"}))
    assert "Account 3 cannot be shown now" in page


def test_the_entries_can_be_changed(teller: Client) -> None:
    page = teller.get(URL, {"to_account_id": "2", "amount": "12.50"}).content.decode()
    found = re.search(r'href="([?][^"]*edit=1)"', page)
    assert found
    form = teller.get(URL + found[1].replace("&amp;", "&"))
    assert form.status_code == 200
    assert 'value="12.50"' in form.content.decode()
    assert 'name="pin"' not in form.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_error_keeps_the_entries_and_no_pin(teller: Client, headers: dict[str, str]) -> None:
    for pin in ("12", "", "abcd"):
        page = sends(teller, pin=pin, headers=headers)
        assert page.status_code == 422
        fields = page.content.decode()
        assert re.search('name="to_account_id"[^>]*value="2"|value="2"[^>]*name="to_account_id"', fields)
        assert re.search('name="amount"[^>]*value="12.50"|value="12.50"[^>]*name="amount"', fields)
        assert not re.search(r'name="pin"[^>]*value=|value="abcd"', fields)
        if not headers:
            assert "To 2, Luke Amount 12.50 USD" in text_of(page)
    assert "transfer" not in {event.type[6:14] for event in whole_log()}


@pytest.mark.parametrize("missing", ["to_account_id", "amount"])
def test_a_second_step_without_the_first_is_shown_again(teller: Client, missing: str) -> None:
    page = sends(teller, **{missing: ""})
    assert page.status_code == 422
    assert "The form was not complete" in text_of(page)


def test_a_pin_in_the_address_is_not_put_into_the_form(teller: Client) -> None:
    page = teller.get(URL, {"to_account_id": "2", "amount": "5", "pin": "4711"})
    assert "4711" not in page.content.decode()


def test_a_rejected_transfer_says_so_and_changes_nothing(teller: Client) -> None:
    page = sends(teller, to_account_id="1")
    assert page.status_code == 422
    assert "An account cannot send money to itself." in text_of(page)


# Receipts


def test_the_receipts_of_both_sides_link_to_each_other(teller: Client) -> None:
    sender = receipt_of(teller, sends(teller))
    [other] = re.findall(r'href="(/receipts/[^"]+)"[^>]*>Receipt of account 2<', sender.content.decode())
    receiver = teller.get(other)
    assert "Transfer from 1 Josh" in text_of(receiver)
    assert "From 1, Josh" in text_of(receiver)
    assert sender.wsgi_request.path in receiver.content.decode()
    assert 'href="/accounts/2/"' in sender.content.decode()
    assert 'href="/accounts/1/"' in receiver.content.decode()


def test_a_returned_transfer_says_why_on_both_of_its_receipts(teller: Client) -> None:
    sender = receipt_of(teller, sends(teller, to_account_id="99"))
    assert "Returned: there is no such account" in text_of(sender)
    [back] = re.findall(r'href="(/receipts/[^"]+)"[^>]*>Receipt of the return<', sender.content.decode())
    returned = teller.get(back)
    assert "Transfer returned: there is no such account" in text_of(returned)
    assert "The money is back on the account." in text_of(returned)
    assert sender.wsgi_request.path in returned.content.decode()


def test_an_open_receipt_shows_when_the_transfer_has_arrived(teller: Client) -> None:
    with paused():
        response = sends(teller)
    receipt = receipt_of(teller, response)
    assert "On its way" in text_of(receipt)
    poll = {"Bank-Poll": "true", "If-None-Match": receipt["ETag"]}
    assert teller.get(response.headers["Location"], headers=poll).status_code == 304
    withdraw(1, 5)  # whatever comes next, the process goes on
    sends(teller)
    assert "Arrived on" in text_of(teller.get(response.headers["Location"], headers=poll))


@pytest.mark.parametrize(
    ("amount", "pin", "filled_in", "link"),
    [("5", PIN + 1, "5.00", "Try again"), ("200", PIN, "100.00", "Transfer at most 100")],
)
def test_a_refused_transfer_leads_back_to_the_transfer(
    teller: Client, amount: str, pin: int, filled_in: str, link: str
) -> None:
    receipt = receipt_of(teller, sends(teller, amount=amount, pin=f"{pin:04}"))
    assert f'href="{URL}?to_account_id=2&amp;amount={filled_in}">{link}' in receipt.content.decode()
    assert "Task Transfer to another account" in text_of(receipt)
    assert queries.check_balance(1) == 10_000


def test_a_refused_withdrawal_leads_back_to_the_withdrawal(teller: Client) -> None:
    ack = withdraw(1, 5, PIN + 1)
    page = teller.get(f"/receipts/{ack.command_id}/").content.decode()
    assert 'href="/accounts/1/withdraw/?amount=5">Try again' in page
    assert "Transfer" not in page


# Statements


def test_statements_name_and_link_the_other_account(teller: Client) -> None:
    sends(teller)
    assert 'Transfer to <a href="/accounts/2/">2</a> <bdi>Luke' in teller.get("/accounts/1/").content.decode()
    assert 'Transfer from <a href="/accounts/1/">1</a> <bdi>Josh' in teller.get("/accounts/2/").content.decode()
    assert "Transfer to 2 Luke" in text_of(teller.get("/accounts/1/statement/"))
    rows = b"".join(teller.get("/accounts/2/statement.csv")).decode().splitlines()
    assert ",Transfer from 1 Josh,12.50,12.50,,teller," in rows[2]
    for kind, shown in (("in", False), ("out", True), ("money", True)):
        page = text_of(teller.get("/accounts/1/", {"kind": kind}))
        assert ("Transfer to 2 Luke" in page) is shown


# Transfers on their way


def test_supervisors_see_what_is_on_its_way_and_tellers_do_not(teller: Client) -> None:
    supervisor = client_of("sue", "Supervisors")
    assert "No transfer is on its way." in text_of(supervisor.get("/transfers/"))
    assert "On its way" not in text_of(supervisor.get("/bank/"))
    with paused():
        handle(TransferMoneyBetweenBankAccounts(1, 2, 1250, PIN))
        handle(TransferMoneyBetweenBankAccounts(1, 99, 50, PIN))
    page = text_of(supervisor.get("/transfers/"))
    assert "13.00 USD left one account" in page
    assert re.search(r"0.minutes 1 Josh 2 Luke 12.50 Receipt .* 1 Josh 99 0.50 Receipt", page)
    assert "On its way (USD) 13.00" in text_of(supervisor.get("/bank/"))
    assert teller.get("/transfers/").status_code == 403
