"""The check page: above a limit, a task repeats who, what and how much before it is carried out."""

import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import OpenTill
from bank.operations.environment import amount_in
from bank.screens import check
from projections import queries
from tests.support.helpers import HTMX, client_of, command_id_in, send, text_of
from tests.support.values import PIN, deposit, open_account, whole_log, withdraw

pytestmark = [pytest.mark.usefixtures("bank"), pytest.mark.only_on("sqlite", reason="no query differs")]

LARGE = "12,000.00"
CONFIRMED: dict[str, Any] = {"amount": LARGE, "confirmed": "1200000"}
URLS = {"deposit": "/accounts/1/deposit/", "withdraw": "/accounts/1/withdraw/"}
BUTTONS = {"deposit": "Deposit 12,000.00", "withdraw": "Pay out 12,000.00"}


@pytest.fixture
def teller() -> Client:
    """A teller's browser, and 31,480.25 in account 1."""
    open_account(1, "Lise Meitner", balance=31_480_25)
    return client_of("tina", "Tellers")


def hidden(page: Any, name: str) -> str:
    """Return the value of a hidden field."""
    found = page.content.decode().split(f'type="hidden" name="{name}" value="')
    assert len(found) == 2, f"{name} is on the page once"
    return str(found[1].partition('"')[0])


def fixed_part(page: str) -> str:
    """Return a page without its random ids and tokens, which may hold any digits."""
    return re.sub('[0-9a-f-]{36}|value="[^"]{64}"', "", page)


@pytest.mark.parametrize("what", URLS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_large_amount_is_repeated_before_anything_is_recorded(
    teller: Client, what: str, headers: dict[str, str]
) -> None:
    before = len(whole_log())
    sent = send(teller, URLS[what], headers, amount="12000", pin="9876")
    url = sent.headers["HX-Redirect" if headers else "Location"]
    assert (sent.status_code, url) == (200 if headers else 303, f"{URLS[what]}?amount=1200000")
    page = teller.get(url)
    after = {"deposit": "43,480.25", "withdraw": "19,480.25"}[what]
    assert "More than 10,000.00 USD. Nothing is recorded until you confirm it here." in text_of(page)
    assert "Account 1, Lise Meitner Amount 12,000.00 USD Balance now 31,480.25" in text_of(page)
    assert f"Balance after {after}" in text_of(page)
    assert BUTTONS[what] in text_of(page)
    assert "9876" not in fixed_part(page.content.decode())
    assert ('name="pin"' in page.content.decode()) is (what == "withdraw")
    assert (hidden(page, "amount"), hidden(page, "confirmed")) == (LARGE, "1200000")
    assert len(whole_log()) == before


@pytest.mark.parametrize("what", URLS)
def test_a_confirmed_amount_is_carried_out_once(teller: Client, what: str) -> None:
    form = {**CONFIRMED, "command_id": command_id_in(teller.get(f"{URLS[what]}?amount=1200000")), "pin": f"{PIN:04}"}
    first, second = (teller.post(URLS[what], form) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first["Location"] == second["Location"]
    assert queries.check_balance(1) == {"deposit": 43_480_25, "withdraw": 19_480_25}[what]


def test_an_error_leaves_the_check_page_as_it_is_without_the_pin(teller: Client) -> None:
    for pin in ("", "12", "abcd"):
        page = send(teller, URLS["withdraw"], **CONFIRMED, pin=pin)
        assert page.status_code == 422
        assert "Balance after 19,480.25" in text_of(page)
        assert "Pay out 12,000.00" in text_of(page)
        assert hidden(page, "confirmed") == "1200000"
        assert 'value="abcd"' not in page.content.decode()
    assert queries.check_balance(1) == 31_480_25


@pytest.mark.parametrize("confirmed", ["", "1", "yes", "1200001", "\0", "9" * 99])
def test_the_confirmation_of_another_amount_does_not_count(teller: Client, confirmed: str) -> None:
    response = send(teller, URLS["deposit"], amount=LARGE, confirmed=confirmed)
    assert response["Location"] == "/accounts/1/deposit/?amount=1200000"
    assert queries.check_balance(1) == 31_480_25


def test_the_pin_is_not_needed_before_the_check_page_but_below_the_limit(teller: Client) -> None:
    assert send(teller, URLS["withdraw"], amount="10000.01", pin="").status_code == 303
    assert send(teller, URLS["withdraw"], amount="10000", pin="").status_code == 422


def test_the_amount_can_be_changed(teller: Client) -> None:
    assert 'href="?amount=1200000&amp;edit=1"' in teller.get("/accounts/1/deposit/?amount=1200000").content.decode()
    page = teller.get("/accounts/1/deposit/?amount=1200000&edit=1").content.decode()
    assert 'type="text" name="amount" value="12,000.00"' in page


def test_more_than_the_balance_is_said_and_left_to_the_bank(teller: Client) -> None:
    page = teller.get("/accounts/1/withdraw/?amount=4000000")
    assert "Balance after more than the balance" in text_of(page)
    refused = send(teller, URLS["withdraw"], amount="40000", confirmed="4000000", pin=f"{PIN:04}")
    receipt = teller.get(refused["Location"])
    assert "Pay out at most 31,480.25" in text_of(receipt)
    assert 'href="/accounts/1/withdraw/?amount=3148025"' in receipt.content.decode()


def test_a_limit_of_0_never_asks(teller: Client, settings: Any) -> None:
    settings.CONFIRM_ABOVE = Decimal(0)
    assert "/receipts/" in send(teller, URLS["deposit"], amount="10,000,000,000")["Location"]


def test_cash_from_and_to_the_vault_is_checked_too(teller: Client) -> None:
    handle(OpenTill(4, "tina", 50_000_00))
    for what, after, words, sign in (
        ("bring", "62,000.00", "Bring from the vault", "+"),
        ("take", "38,000.00", "Take to the vault", "\u2212"),
    ):
        url = f"/tills/4/1/{what}/"
        page = teller.get(send(teller, url, amount="12000")["Location"])
        assert f"Expected cash now 50,000.00 {words} {sign}12,000.00" in text_of(page)
        assert f"Expected cash after {after}" in text_of(page)
        assert words.replace(" ", " 12,000.00 ", 1) in text_of(page)
    send(teller, url, **CONFIRMED)
    assert "38,000.00" in text_of(teller.get("/till/"))


def test_a_large_transfer_says_so_at_its_second_step(teller: Client) -> None:
    open_account(2, "Luke")
    page = teller.get("/accounts/1/transfer/", {"to_account_id": "2", "amount": "12000"})
    assert "More than 10,000.00 USD." in text_of(page)
    assert "Balance after 19,480.25" in text_of(page)
    assert "Send 12,000.00" in text_of(page)
    assert "More than 10" not in text_of(teller.get("/accounts/1/transfer/", {"to_account_id": "2", "amount": "5"}))


def test_a_correction_repeats_its_amount_and_the_balance_after_it(teller: Client) -> None:
    sue = client_of("sue", "Supervisors")
    paid = send(teller, URLS["deposit"], **CONFIRMED)["Location"]
    page = sue.get(f"{paid}reverse/")
    assert "Balance now 43,480.25 Reverse the deposit \u221212,000.00 Balance after 31,480.25" in text_of(page)
    assert "More than 10,000.00 USD." in text_of(page)
    assert "Reverse the deposit of 12,000.00" in text_of(page)
    assert "Change the amount" not in text_of(page)


def test_an_amount_that_was_typed_in_another_language_is_not_checked_but_asked_for_again(teller: Client) -> None:
    for confirmed in ("", "1200000"):
        response = send(teller, URLS["deposit"], amount="12000", confirmed=confirmed, language="de")
        assert response.status_code == 422
        assert "The language was changed meanwhile." in text_of(response)
        assert 'type="text" name="amount" value="12000"' in response.content.decode()


def test_a_locked_account_has_no_form_that_asks_for_its_pin(teller: Client) -> None:
    for _ in range(3):
        withdraw(1, 5, PIN + 1)
    paths = ("", "withdraw/", "withdraw/?amount=500", "withdraw/?amount=1200000", "transfer/", "close/")
    for page in (teller.get(f"/accounts/1/{path}") for path in paths):
        assert "Withdrawals are locked." in text_of(page)
        assert 'name="pin"' not in page.content.decode()
        assert 'name="to_account_id"' not in page.content.decode()
    late = send(teller, URLS["withdraw"], HTMX, amount="x", pin="1")
    assert "Withdrawals are locked." in text_of(late)
    assert 'name="pin"' not in late.content.decode()


def test_a_pin_is_masked_and_numeric_and_no_browser_saves_or_fills_it_in(teller: Client) -> None:
    for path in ("/accounts/1/withdraw/", "/accounts/1/withdraw/?amount=1200000", "/accounts/1/close/"):
        found = re.search('<input[^>]*name="pin"[^>]*>', teller.get(path).content.decode())
        assert found
        for attribute in ('type="password"', 'inputmode="numeric"', 'autocomplete="one-time-code"', 'maxlength="4"'):
            assert attribute in found[0]
        assert "value=" not in found[0]


def test_the_echo_announces_the_check_page(teller: Client) -> None:
    echo = text_of(teller.get("/accounts/1/withdraw/echo/", {"amount": "10000.01"}))
    assert "You check it on the next page, and the customer types the PIN there." in echo
    assert "next page" not in text_of(teller.get("/accounts/1/withdraw/echo/", {"amount": "10000"}))


def test_the_address_of_a_check_page_shows_only_what_can_be_moved(teller: Client) -> None:
    for amount in ("0", "-5", "x", "9" * 19, str(10**12 + 1), "\0"):
        page = teller.get("/accounts/1/deposit/", {"amount": amount})
        assert page.status_code == 200
        assert 'type="text" name="amount"' in page.content.decode()


# The limit


@pytest.mark.parametrize(
    ("currency", "units", "minor_units"),
    [
        ("USD", None, 10_000_00),
        ("JPY", None, 1_000_000),
        ("KWD", None, 10_000_000),
        ("SEK", None, 100_000_00),
        ("USD", Decimal("2500.50"), 2500_50),
        ("JPY", Decimal(5), 5),
        ("USD", Decimal(0), 0),
    ],
)
def test_the_limit_is_an_amount_of_the_currency(
    settings: Any, currency: str, units: Decimal | None, minor_units: int
) -> None:
    settings.BANK_CURRENCY, settings.CONFIRM_ABOVE = currency, units
    assert check.limit() == minor_units


def test_a_limit_that_is_no_amount_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, amount in {"": None, " 10000 ": Decimal(10000), "2500.5": Decimal("2500.5"), "0": Decimal(0)}.items():
        monkeypatch.setenv("CONFIRM_ABOVE", text)
        assert amount_in("CONFIRM_ABOVE") == amount
    for text in ("-1", "10,000", "1e5", "ten", "NaN", "Infinity", "9" * 16, "1.23456", "١"):
        monkeypatch.setenv("CONFIRM_ABOVE", text)
        with pytest.raises(ImproperlyConfigured, match="CONFIRM_ABOVE is an amount such as 10000"):
            amount_in("CONFIRM_ABOVE")


# The next try after a refusal


def test_a_refused_task_is_tried_again_with_its_amount(teller: Client) -> None:
    open_account(2, "Luke")
    deposit(2, 100)
    tries: list[tuple[str, dict[str, Any], str]] = [
        ("/accounts/2/withdraw/", {"amount": "5", "pin": "9753"}, "/accounts/2/withdraw/?amount=500"),
        ("/accounts/2/withdraw/", {"amount": "5", "pin": f"{PIN:04}"}, "/accounts/2/withdraw/?amount=100"),
        (
            "/accounts/2/transfer/",
            {"to_account_id": "1", "amount": "5", "pin": "9753"},
            "/accounts/2/transfer/?to_account_id=1&amp;amount=5.00",
        ),
    ]
    for url, fields, link in tries:
        refused = send(teller, url, **{"command_id": str(uuid4()), **fields})
        receipt = teller.get(refused["Location"]).content.decode()
        assert f'href="{link}"' in receipt
        page = teller.get(link.replace("&amp;", "&")).content.decode()
        assert "9753" not in fixed_part(page)
        assert 'value="5.00"' in page or 'value="1.00"' in page
        assert 'name="pin"' in page
    bare = teller.get(refused["Location"].partition("?")[0]).content.decode()
    assert 'href="/accounts/2/transfer/?to_account_id=&amp;amount=5.00&amp;edit=1"' in bare
