"""The language of a page: the user's choice, else the browser's, else the bank's. Amounts follow it."""

from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from bank.screens.dates import parse_day, respelled
from bank.screens.money import NotAnAmount, format_money, parse_money
from projections import queries
from tests.support.helpers import client_of, send, text_of
from tests.support.values import open_account

GERMAN = {"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"}


def test_the_browser_and_above_it_the_user_choose_the_language(bank: Any) -> None:
    client = Client()
    assert '<html lang="en">' in client.get("/login/").content.decode()
    german = client.get("/login/", headers=GERMAN)
    assert '<html lang="de">' in german.content.decode()
    assert german["Content-Language"] == "de"
    chosen = client.post("/language/", {"language": "en", "next": "/login/?next=/days/"}, headers=GERMAN)
    assert (chosen.status_code, chosen["Location"]) == (302, "/login/?next=/days/")
    assert client.cookies["language"]["httponly"]
    assert '<html lang="en">' in client.get("/login/", headers=GERMAN).content.decode()


@pytest.mark.parametrize("url", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_the_choice_leads_nowhere_else(bank: Any, url: str) -> None:
    assert Client().post("/language/", {"language": "de", "next": url})["Location"] == "/"


def test_a_language_that_the_screens_do_not_have_is_not_chosen(bank: Any) -> None:
    client = Client()
    client.post("/language/", {"language": "tlh", "next": "/login/"})
    assert '<html lang="en">' in client.get("/login/").content.decode()


def test_amounts_and_days_are_shown_and_read_in_the_language_of_the_words() -> None:
    assert (format_money(123_456), parse_money("1,234.56")) == ("1,234.56", 123_456)
    with translation.override("de"):
        assert (format_money(123_456), parse_money("1.234,56")) == ("1.234,56", 123_456)
        assert respelled("2026-11-27") == "27. Nov. 2026"
        assert respelled("gestern") == "gestern"
        assert parse_day("27. Nov. 2026") == parse_day("27.11.2026") == parse_day("27. November 2026")


@pytest.mark.parametrize(
    ("text", "english", "german"), [("1.234", None, 123_400), ("1,234", 123_400, None), ("1,5", None, 150)]
)
def test_an_amount_has_one_meaning_in_a_language(text: str, english: int | None, german: int | None) -> None:
    for code, meaning in (("en", english), ("de", german)):
        with translation.override(code):
            if meaning is None:
                with pytest.raises(NotAnAmount):
                    parse_money(text)
            else:
                assert parse_money(text) == meaning


def test_the_banks_own_language_has_the_banks_own_locale(settings: Any) -> None:
    settings.LANGUAGE_CODE, settings.BANK_LOCALE = "de", "de_CH"
    with translation.override("de"):
        assert format_money(123_456) == "1\u2019234.56"
    with translation.override("en"):
        assert format_money(123_456) == "1,234.56"


def test_a_form_of_another_language_is_refused_and_comes_back(bank: Any) -> None:
    client = client_of("teller", "Tellers")
    open_account(1, "Josh")
    refused = send(client, "/accounts/1/deposit/", amount="1,234", language="de")
    assert refused.status_code == 422
    assert "The language was changed meanwhile." in text_of(refused)
    assert queries.check_balance(1) == 0
    assert send(client, "/accounts/1/deposit/", amount="1,234", language="en").status_code == 303
    assert queries.check_balance(1) == 123_400
