"""Typed input of the forms: digits of any script, errors at the field, and forms that are sent twice."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from eventstore import store
from projections import queries
from tests.support.helpers import HTMX, command_id_in, send, text_of
from tests.support.values import open_account

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("/accounts/open/", {"account_id": "1", "account_holder": "Eve", "pin": "1234"}, "exists already"),
    ("/accounts/open/", {"account_id": "0", "account_holder": "Eve", "pin": "1234"}, "from 1 to"),
    ("/accounts/open/", {"account_id": str(2**63), "account_holder": "Eve", "pin": "1234"}, "from 1 to"),
    ("/accounts/open/", {"account_id": "-1", "account_holder": "Eve", "pin": "1234"}, "whole number"),
    ("/accounts/open/", {"account_id": "9" * 5000, "account_holder": "Eve", "pin": "1234"}, "whole number"),
    ("/accounts/open/", {"account_id": "", "account_holder": "Eve", "pin": "1234"}, "new account's number"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "", "pin": "1234"}, "Enter the holder"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "   ", "pin": "1234"}, "needs a holder"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "x" * 101, "pin": "1234"}, "at most 100"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "E\x07ve", "pin": "1234"}, "control characters"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "E\x00ve", "pin": "1234"}, "ull characters"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "Eve", "pin": "123"}, "four digits"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "Eve", "pin": "12345"}, "four digits"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "Eve", "pin": "\u202e1234"}, "four digits"),
    ("/accounts/open/", {"account_id": "\u202e12", "account_holder": "Eve", "pin": "1234"}, "whole number"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "Eve", "pin": "\u2460\u2461\u2462\u2463"}, "four digits"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "Eve", "pin": "\uff11\uff12\uff13"}, "four digits"),
    ("/accounts/open/", {"account_id": "9", "account_holder": "Eve", "pin": ""}, "choose a PIN"),
    ("/accounts/1/deposit/", {"amount": "1.234"}, "at most 2 digits"),
    ("/accounts/1/deposit/", {"amount": "-5"}, "more than zero"),
    ("/accounts/1/deposit/", {"amount": "1e9"}, "such as"),
    ("/accounts/1/deposit/", {"amount": "50,00"}, "“,” is not understood here. Write 50.00 or 5,000.00."),
    ("/accounts/1/deposit/", {"amount": "0,500"}, "“,” is not understood here. Write 0.50 or 500.00."),
    ("/accounts/1/deposit/", {"amount": ""}, "Enter the amount"),
    ("/accounts/1/deposit/", {}, "Enter the amount"),
    ("/accounts/2/deposit/", {"amount": "5"}, "no account 2"),
    ("/accounts/0/deposit/", {"amount": "5"}, "from 1 to"),
    (f"/accounts/{2**63}/deposit/", {"amount": "5"}, "from 1 to"),
    ("/accounts/1/withdraw/", {"amount": "5", "pin": "abcd"}, "four digits"),
    ("/accounts/1/withdraw/", {"amount": "5"}, "enter the PIN"),
    ("/accounts/2/withdraw/", {"amount": "5", "pin": "1234"}, "no account 2"),
    ("/accounts/1/deposit/", {"amount": "5", "command_id": "nonsense"}, "was not complete"),
    ("/accounts/1/deposit/", {"amount": "5", "command_id": ""}, "was not complete"),
    ("/accounts/1/deposit/", {"amount": "5", "command_id": [str(uuid4()), str(uuid4())]}, "was not complete"),
]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(("url", "fields", "message"), REFUSED)
def test_an_invalid_entry_is_refused_at_the_form(
    teller: Client, url: str, fields: dict[str, Any], message: str, headers: dict[str, str]
) -> None:
    sent = {"command_id": str(uuid4()), **fields}
    response = teller.post(url, sent, headers=headers)

    page = response.content.decode()
    begins = re.search(r"<(\w+)[^>]* autofocus", page)
    assert begins
    assert begins[1] == ("input" if 'aria-invalid="true" ' in page.partition('class="field"')[2] else "div"), (
        "the focus"
    )
    assert response.status_code == 422
    assert message in text_of(response).replace("&#x27;", "'")
    assert 'role="alert"' in page
    assert command_id_in(response) != sent["command_id"]
    assert ("<html" in page) == (not headers), "htmx gets the form alone"
    if (pin := fields.get("pin", "")) and len(pin) > 3:
        assert pin not in page.replace(command_id_in(response), ""), "an id of 32 digits may have any four in it"
    if amount := fields.get("amount"):
        assert f'value="{amount}"' in page, "what was typed is kept"
    assert store.last_position() == 2, "nothing has happened"


@pytest.mark.parametrize("zero", ["0", "\uff10", "\u0660", "\u06f0", "\u0966"], ids=ascii)
@pytest.mark.parametrize("mark", ["", "\u200e", "\ufeff", "\u2060", "\u00ad", "\u2064", "\ufe0e", "\u3164"], ids=ascii)
def test_digits_of_a_script_are_digits(teller: Client, zero: str, mark: str) -> None:
    def typed(digits: str) -> str:
        return mark + "".join(chr(ord(zero) + int(digit)) for digit in digits) + mark

    response = send(teller, "/accounts/1/withdraw/", amount=typed("100"), pin=typed("0042"))
    assert "New balance 0.00" in text_of(teller.get(response["Location"]))
    opened = send(teller, "/accounts/open/", account_id=typed("7"), account_holder="Zoë", pin=typed("0007"))
    assert "7, Zoë" in text_of(teller.get(opened["Location"]))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("mode", ["inline", "worker"])
def test_a_taken_number_leads_to_its_account_and_to_a_free_number(
    teller: Client, settings: Any, headers: dict[str, str], mode: str
) -> None:
    open_account(2)
    settings.PROJECTION_MODE, settings.PROJECTION_WAIT = mode, 0
    open_account(3)  # in the mode "worker" the read side lacks it
    response = send(teller, "/accounts/open/", headers, account_id="3", account_holder="Eve", pin="1234")
    assert response.status_code == 422
    assert "Account 3 exists already." in text_of(response)
    assert '<a href="/accounts/3/">Show account 3</a>' in response.content.decode()
    assert "take the number 4, which is free" in text_of(response)
    assert 'value="Eve"' in response.content.decode()


def test_a_form_that_is_refused_for_another_reason_offers_no_number(teller: Client) -> None:
    response = send(teller, "/accounts/open/", account_id="9", account_holder="", pin="1234")
    assert "which is free" not in text_of(response)


def test_a_form_sent_twice_has_one_effect_and_one_receipt(teller: Client) -> None:
    command_id = command_id_in(teller.get("/accounts/1/deposit/"))
    first = send(teller, "/accounts/1/deposit/", amount="5", command_id=command_id)
    second = send(teller, "/accounts/1/deposit/", amount="5", command_id=command_id)
    assert first["Location"] == second["Location"]
    assert queries.check_balance(1) == 10_500


def test_a_form_sent_again_with_other_entries_is_shown_again(teller: Client) -> None:
    command_id = command_id_in(teller.get("/accounts/1/deposit/"))
    send(teller, "/accounts/1/deposit/", amount="5", command_id=command_id)
    response = send(teller, "/accounts/1/deposit/", amount="6", command_id=command_id)
    assert response.status_code == 422
    assert "sent before with other entries" in text_of(response)
    assert command_id_in(response) != command_id
    assert queries.check_balance(1) == 10_500


def test_each_form_has_a_new_command_id_and_is_not_cached(teller: Client) -> None:
    first, second = teller.get("/accounts/1/deposit/"), teller.get("/accounts/1/deposit/")
    assert command_id_in(first) != command_id_in(second)
    assert "no-store" in first["Cache-Control"]
