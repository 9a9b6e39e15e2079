"""The forms of tills: opening, and the count with which a till is closed."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from bank.application import tills
from bank.application.dispatch import handle
from bank.domain.commands import OpenTill
from eventstore.models import Event
from tests.support.helpers import HTMX, open_till, send, text_of

# The count


def test_the_server_adds_up_the_count_without_recording_anything(teller: Client) -> None:
    open_till(teller)
    response = send(teller, "/tills/7/1/close/", add_up="1", pieces_10000="4", pieces_500="19", pieces_25="2")
    assert response.status_code == 200
    page = text_of(response)
    for words in ("Expected 500.00", "Counted 495.50", "Short by 4.50"):
        assert words in page
    assert 'value="19"' in response.content.decode()
    assert tills.till_of("tina") == (7, 1)


def test_with_htmx_only_the_sums_are_answered(teller: Client) -> None:
    open_till(teller)
    headers = {**HTMX, "HX-Target": "sums"}
    response = send(teller, "/tills/7/1/close/", headers, add_up="1", pieces_10000="6")
    assert response.content.decode().strip().startswith("<dl")
    assert "Over by 100.00" in text_of(response)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Enter the count"),
        ({"pieces_100": " "}, "Enter the count"),
        ({"pieces_100": "a few"}, "Enter how many pieces there are"),
        ({"pieces_100": "-1"}, "Enter how many pieces there are"),
        ({"pieces_100": "1.5"}, "Enter how many pieces there are"),
        ({"pieces_100": "9999999999"}, "Enter how many pieces there are"),
        ({"pieces_10000": "999999999", "pieces_5000": "999999999"}, ""),
    ],
)
def test_an_impossible_count_is_shown_again(teller: Client, fields: dict[str, Any], message: str) -> None:
    open_till(teller)
    response = send(teller, "/tills/7/1/close/", **fields)
    if not message:
        assert response.status_code == 303
        return
    assert response.status_code == 422
    assert message in text_of(response)
    assert tills.till_of("tina") == (7, 1)


def test_an_empty_till_is_counted_with_a_0(teller: Client) -> None:
    open_till(teller, amount="0")
    assert send(teller, "/tills/7/1/close/", pieces_100="0").status_code == 303
    assert "Difference (USD) 0.00" in text_of(teller.get("/tills/7/1/"))


def test_a_currency_whose_denominations_are_not_listed_is_counted_as_one_amount(
    teller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_till(teller)
    monkeypatch.setattr("bank.screens.till_forms.denominations", lambda: ())
    assert 'name="amount"' in teller.get("/tills/7/1/close/").content.decode()
    response = send(teller, "/tills/7/1/close/", amount="much")
    assert response.status_code == 422
    assert 'value="much"' in response.content.decode()
    send(teller, "/tills/7/1/close/", amount="499.50")
    assert "Short by (USD) 0.50" in text_of(teller.get("/tills/7/1/"))
    assert Event.objects.latest("position").metadata["till_counts"] == {"1": 499_50}


# Opening


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"till_id": "", "amount": "5"}, "Enter the till&#x27;s number."),
        ({"till_id": "seven", "amount": "5"}, "A till&#x27;s number is a whole number."),
        ({"till_id": "0", "amount": "5"}, "A till&#x27;s number is a whole number from 1 to 9999."),
        ({"till_id": "10000", "amount": "5"}, "A till&#x27;s number is a whole number from 1 to 9999."),
        ({"till_id": "9" * 30, "amount": "5"}, "A till&#x27;s number is a whole number from 1 to 9999."),
        ({"till_id": "7", "amount": ""}, "Enter the cash in the till, or 0."),
        ({"till_id": "7", "amount": "lots"}, "is not understood here"),
        ({"till_id": "7", "amount": "-5"}, "The amount must be more than zero."),
    ],
)
def test_a_till_that_cannot_be_opened_is_asked_for_again(teller: Client, fields: dict[str, Any], message: str) -> None:
    response = send(teller, "/tills/open/", **fields)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert tills.till_of("tina") is None


def test_a_free_number_is_suggested(teller: Client) -> None:
    assert 'value="1"' in teller.get("/tills/open/").content.decode()
    handle(OpenTill(1, "tom", 0))
    assert 'value="2"' in teller.get("/tills/open/").content.decode()


def test_the_receipt_of_a_tills_command_is_the_shift(teller: Client) -> None:
    command_id = uuid4()
    send(teller, "/tills/open/", till_id="7", amount="5", command_id=str(command_id))
    assert teller.get(f"/receipts/{command_id}/")["Location"] == "/tills/7/1/"


@pytest.mark.parametrize("path", ["/tills/7/1/", "/tills/7/1/close/", "/tills/99999999999999999999/1/"])
def test_a_shift_that_is_not_there_is_not_found(teller: Client, path: str) -> None:
    assert teller.get(path).status_code == 404
