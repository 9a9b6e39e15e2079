"""The find box of the desk: what a text leads to."""

from urllib.parse import urlencode

import pytest
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import CloseBankAccount
from projections import queries
from tests.support.helpers import client_of, text_of
from tests.support.values import PIN, deposit, open_account

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def teller() -> Client:
    """A teller at a bank with three accounts. The reference of the deposit is 4, which is no account's number."""
    open_account(1, "Grace Hopper")
    open_account(2, "Łukasz O’Brien")
    open_account(3, "Ada Hopper")
    deposit(3, 50)
    return client_of("teller", "Tellers")


def goes_to(client: Client, text: str) -> str:
    return str(client.get("/find/", {"q": text})["Location"])


def hits(client: Client, text: str) -> str:
    headers = {"HX-Request": "true", "HX-Target": "hits"}
    return client.get("/find/", {"q": text}, headers=headers).content.decode()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("1", "/accounts/1/"),
        ("#2", "/accounts/2/"),
        ("lukasz", "/accounts/2/"),
        ("o'brien", "/accounts/2/"),
        ("grace hop", "/accounts/1/"),
        ("3 d", "/accounts/3/deposit/"),
        (" 3  W ", "/accounts/3/withdraw/"),
        ("#3 t", "/accounts/3/transfer/"),
    ],
)
def test_a_text_with_one_meaning_leads_straight_there(teller: Client, text: str, address: str) -> None:
    assert goes_to(teller, text) == address


def test_a_reference_leads_to_its_receipt(teller: Client) -> None:
    entry = queries.statement(3).rows[0]
    assert entry.position == 4
    assert goes_to(teller, "4") == f"/receipts/{entry.command_id}/"


@pytest.mark.parametrize("text", ["", "   ", "hopper", "nobody", "9 d", "1 x", "9" * 99, "%", "\0", "é" * 99])
def test_any_other_text_leads_to_the_list_of_accounts(teller: Client, text: str) -> None:
    assert goes_to(teller, text) == "/accounts/?" + urlencode({"q": text.replace("\0", "").removesuffix(" d")})


def test_a_number_is_listed_as_an_account_first_and_then_as_a_receipt(teller: Client) -> None:
    page = hits(teller, "3")
    assert page.index('data-go="/accounts/3/"') < page.index('data-go="/receipts/')
    assert "2 found." in page


def test_hits_are_listed_with_their_count(teller: Client) -> None:
    page = hits(teller, "hopper")
    assert page.count('role="option"') == 2
    assert page.count('aria-selected="true"') == 1
    assert 'data-for="hopper"' in page
    assert "2 found." in page
    assert "Nothing found" in hits(teller, "nobody")
    assert "found" not in hits(teller, "")


def test_a_long_list_is_cut(teller: Client) -> None:
    for number in range(10, 20):
        open_account(number, "Grace")
    page = hits(teller, "grace")
    assert page.count('role="option"') == 8
    assert "More than 8 found." in page


def test_a_closed_account_is_found_by_its_number_and_has_no_task(teller: Client) -> None:
    handle(CloseBankAccount(1, PIN))
    assert goes_to(teller, "1") == "/accounts/1/"
    assert goes_to(teller, "1 d") == "/accounts/1/", "its page says since when it is closed"
    assert "/accounts/1/" not in hits(teller, "grace")


def test_a_user_who_serves_nobody_is_led_to_no_task(teller: Client) -> None:
    auditor = client_of("auditor", "Auditors")
    assert goes_to(auditor, "3") == "/accounts/3/"
    assert goes_to(auditor, "1 w").startswith("/accounts/?")


def test_the_desk_shows_the_box(teller: Client) -> None:
    assert "Find an account or a receipt" in text_of(teller.get("/"))
