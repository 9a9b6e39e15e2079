"""Holders' names: the accepted ones, and their normal form."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from bank.domain.errors import InvalidAccountHolder
from bank.domain.events import BankAccountCreated
from bank.domain.texts import normal_holder
from tests.domain.story import create, given


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("  Josh  ", "Josh"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("J", "J"),
        ("x" * 100, "x" * 100),
        ("e\u0301" * 100, "\u00e9" * 100),
        ("\u2003Josh\u00a0\n", "Josh"),
        ("O'Brien-Łukasz, Jr.", "O'Brien-Łukasz, Jr."),
        ("山田 太郎", "山田 太郎"),
        ("محمد بن سلمان", "محمد بن سلمان"),
        ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),  # joined by characters that are no control characters
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("\u200b Josh \ufeff", "Josh"),
        ("\ufeff\u2003\u200eJosh\u200f", "Josh"),
        ("\u200dJosh\u200d", "Josh"),
        ("\u3164Josh\u2800", "Josh"),
        ("نام\u200cها", "نام\u200cها"),  # Persian
        ("ശ്രീ രാജന്\u200d", "ശ്രീ രാജന്\u200d"),  # Malayalam, as it was written before Unicode 5.1
        ("ශ්\u200dරී", "ශ්\u200dරී"),  # Sinhala
        ("র\u200d্যান্ডি", "র\u200d্যান্ডি"),  # Bengali
        ("क्\u200cष", "क्\u200cष"),  # Devanagari
        ("辻\U000e0100", "辻\U000e0100"),  # a variant of an ideograph, in which some families write their name
        ("<b>Robert'); DROP TABLE", "<b>Robert'); DROP TABLE"),
        ("0", "0"),
    ],
)
def test_a_name_is_trimmed_and_composed(written: str, normal: str) -> None:
    given().when(create(written)).then(BankAccountCreated(1, normal))


BLANK = [
    "",
    " ",
    "\t\n",
    "\u2003\u00a0",
    "\u200b",
    "\u2060\ufeff",
    "\u3164",
    "\u2800",
    "\ufffc",
    "\u200d \u200c",
    "\u00ad",
]


@pytest.mark.parametrize("name", BLANK)
def test_an_account_needs_a_holders_name(name: str) -> None:
    given().when(create(name)).then_rejected(InvalidAccountHolder, field="account_holder", saying="needs")


def test_a_name_of_101_characters_is_rejected() -> None:
    given().when(create("x" * 101)).then_rejected(InvalidAccountHolder, field="account_holder", saying="at most 100")


@pytest.mark.parametrize("character", ["\0", "\n", "\t", "\r", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"])
def test_control_characters_in_a_name_are_rejected(character: str) -> None:
    given().when(create(f"Jo{character}sh")).then_rejected(
        InvalidAccountHolder, field="account_holder", saying="control characters"
    )


OF_NO_USE = (
    "\u202a\u202e\u2066\u2069\u200e\u200f\u061c\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u115f\u1160\u3164\uffa0\u180e"
    "\ufe0f\u2800\ufff9\ufffc\ufdd0\uffff\U0001fffe\U0010ffff\U0001d173\U000e0041\U000e0100"
)


@pytest.mark.parametrize(
    "name",
    [
        "\u202eJosh",
        "Josh\u202e",
        "\u202a\u2067Josh",
        *(f"Jo{character}sh" for character in OF_NO_USE),
        "نام \u200cها",
        "J\u200d🔥",
        "🔥\u200d sh",
    ],
)
def test_a_name_that_may_look_like_another_is_rejected(name: str) -> None:
    given().when(create(name)).then_rejected(
        InvalidAccountHolder, field="account_holder", saying="cannot have the invisible character U+"
    )


def test_a_name_that_begins_with_an_accent_is_rejected() -> None:
    given().when(create("\u0301Josh")).then_rejected(InvalidAccountHolder, field="account_holder", saying="accent")


@pytest.mark.parametrize("name", [None, 7, b"Josh", ["Josh"], True])
def test_a_name_that_is_not_text_is_rejected(name: Any) -> None:
    given().when(create(name)).then_rejected(InvalidAccountHolder, field="account_holder", saying="text")


@settings(deadline=None)
@for_any(st.text())
def test_any_text_is_a_normal_name_or_rejected(text: str) -> None:
    try:
        name = normal_holder(text)
    except InvalidAccountHolder:
        return
    assert 1 <= len(name) <= 100
    assert name == name.strip() == unicodedata.normalize("NFC", name) == normal_holder(name)
    name.encode()
