"""The echo of an amount: what was typed as money, and the balance after it."""

import pytest
from django.test import Client

from tests.support.helpers import client_of, text_of
from tests.support.values import deposit, open_account

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def teller() -> Client:
    """A teller at a bank with 100.00 in account 1."""
    open_account(1)
    deposit(1, 100_00)
    return client_of("teller", "Tellers")


def echo(teller: Client, what: str, typed: str) -> str:
    return text_of(teller.get(f"/accounts/1/{what}/echo/", {"amount": typed})).strip()


@pytest.mark.parametrize(
    ("what", "typed", "shown"),
    [
        ("deposit", "1250.5", "1,250.50 USD Balance after it: 1,350.50"),
        ("deposit", "\uff11\uff10", "10.00 USD Balance after it: 110.00"),
        ("withdraw", "100", "100.00 USD Balance after it: 0.00"),
        ("withdraw", "100.01", "100.01 USD More than the balance of 100.00"),
    ],
)
def test_an_amount_is_shown_as_money_with_the_balance_after_it(
    teller: Client, what: str, typed: str, shown: str
) -> None:
    assert echo(teller, what, typed) == shown


@pytest.mark.parametrize("typed", ["", " ", "x", "1,2,3", "-5", "0.001", "9" * 99, "\0"])
def test_a_text_that_is_no_amount_has_no_echo(teller: Client, typed: str) -> None:
    assert echo(teller, "deposit", typed) == ""


def test_an_unknown_account_has_no_echo(teller: Client) -> None:
    assert teller.get("/accounts/2/deposit/echo/", {"amount": "5"}).status_code == 404


def test_the_forms_ask_for_the_echo_with_the_amount_alone(teller: Client) -> None:
    page = teller.get("/accounts/1/").content.decode()
    for what in ("deposit", "withdraw"):
        assert f'hx-get="{what}/echo/"' in page
    assert page.count('hx-include="previous [name=amount]"') == 2
