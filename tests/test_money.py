"""Amounts as people write them."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank.money import NotAnAmount, _symbols, format_money, parse_money


@pytest.mark.parametrize(
    ("text", "minor_units"),
    [
        ("1250", 125_000),
        ("1,250.5", 125_050),
        ("$ 20", 2_000),
        ("$20.00", 2_000),
        ("20 USD", 2_000),
        ("USD 1,234,567.89", 123_456_789),
        (" 7 ", 700),
        (".5", 50),
        ("7.", 700),
        ("10,000,000,000", 10**12),
        ("0.01", 1),
    ],
)
def test_amounts_are_read_leniently(text: str, minor_units: int) -> None:
    assert parse_money(text) == minor_units


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.234", "at most 2 digits"),
        ("-5", "more than zero"),
        ("\u22125", "more than zero"),
        ("0", "more than zero"),
        ("0.00", "more than zero"),
        ("1e9", "such as 1,250.00"),
        ("NaN", "such as"),
        ("Infinity", "such as"),
        ("1,25", "such as"),
        ("12,50.00", "such as"),
        ("12 50", "such as"),
        ("1 000", "such as"),
        ("1.2.3", "such as"),
        (".", "such as"),
        ("", "such as"),
        ("٥", "such as"),
        ("0x10", "such as"),
        ("5+5", "such as"),
        ("10,000,000,000.01", "most that can be moved at once is 10,000,000,000.00"),
        ("9" * 5000, "most that can be moved"),
    ],
)
def test_what_is_no_amount_is_refused_clearly(text: str, said: str) -> None:
    with pytest.raises(NotAnAmount, match=said):
        parse_money(text)


@given(st.integers(1, 10**12))
def test_what_is_shown_can_be_typed_again(minor_units: int) -> None:
    assert parse_money(format_money(minor_units)) == minor_units


def test_a_loss_is_shown_with_a_minus_sign() -> None:
    assert format_money(-123_456) == "\u22121,234.56"


@pytest.fixture
def elsewhere(settings: Any) -> Iterator[Any]:
    """The settings of a bank in another place."""
    _symbols.cache_clear()
    yield settings
    _symbols.cache_clear()


def test_other_places_write_amounts_otherwise(elsewhere: Any) -> None:
    elsewhere.BANK_LOCALE, elsewhere.BANK_CURRENCY = "de_DE", "EUR"
    assert format_money(123_456) == "1.234,56"
    assert parse_money("1.234,56 €") == 123_456


def test_any_space_groups_digits_where_spaces_do(elsewhere: Any) -> None:
    elsewhere.BANK_LOCALE, elsewhere.BANK_CURRENCY = "fr_FR", "EUR"
    assert parse_money("1 234,5 €") == parse_money(format_money(123_450)) == 123_450
    with pytest.raises(NotAnAmount):
        parse_money("12 34")


def test_a_currency_without_minor_units_has_none_on_screens(elsewhere: Any) -> None:
    elsewhere.BANK_LOCALE, elsewhere.BANK_CURRENCY = "en_US", "JPY"
    assert format_money(1234) == "1,234"
    assert parse_money("1,234") == 1234
    with pytest.raises(NotAnAmount):
        parse_money("1.5")
