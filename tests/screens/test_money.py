"""Parsing and formatting of amounts."""

import re
from collections.abc import Callable
from copy import copy
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from babel import Locale, localedata
from babel.numbers import format_currency, get_currency_precision, get_territory_currencies
from django import conf
from hypothesis import given, settings
from hypothesis import strategies as st

from bank.screens.money import NotAnAmount, format_money, parse_money


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
        ("007.50", 750),
        ("1 000", 100_000),
        ("1\u00a0234\u202f567.5", 123_456_750),
        ("$.50", 50),
        ("20 usd", 2_000),
        ("20 US dollars", 2_000),
        ("\ufeff1,250.00\u200e", 125_000),
        ("\u202a20.00\u202c", 2_000),
        ("\u2066$ 20\u2069", 2_000),
        ("1\u00ad2\u206350\ufe0e", 125_000),
        ("\u28001\u3164250.00\u2800", 125_000),
        ("\u202e1,250.00", 125_000),  # reversed, it is no amount
        ("\uff04\uff11\uff0c\uff12\uff13\uff14\uff0e\uff15", 123_450),
        ("٥", 500),
        ("١٬٢٣٤٫٥", 123_450),
    ],
)
def test_amounts_are_read_leniently(text: str, minor_units: int) -> None:
    assert parse_money(text) == minor_units


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.234", "at most 2 digits"),
        ("-5", "more than zero"),
        ("$ -5", "more than zero"),
        ("\u22125", "more than zero"),
        ("0", "more than zero"),
        ("0.00", "more than zero"),
        ("1e9", "“e” is not understood here. Enter an amount of money such as 1,250.00"),
        ("NaN", "“NaN” is not"),
        ("Infinity", "“Infinity” is not"),
        ("20 EUR", "“EUR” is not"),
        ("0,500", "“,” is not understood here. Write 0.50 or 500.00."),
        ("00,500", "“,” is not understood here. Write 0.50 or 500.00."),
        ("0,001", "“,” is not understood here. Enter"),
        ("50,00", "“,” is not understood here. Write 50.00 or 5,000.00."),
        ("1,25", "“,” is not understood here. Write 1.25 or 125.00."),
        ("1,23,456.50", "“,” is not understood here. Write 123,456.50."),
        ("1.234,50", "“.” is not understood here. Write 1,234.50."),
        ("12 50", "The space is not understood here. Write 12.50 or 1,250.00."),
        ("1  000", "The space is not"),
        ("12\u280050", "The space is not"),
        ("12\u316450", "The space is not"),
        ("12\uffa050", "The space is not"),
        ("12\ufff950", "The sign U\\+FFF9 is not"),
        ("1\u20e3", "is not understood"),
        ("1,000 000", "The space is not"),
        ("1.2.3", "“.” is not"),
        (".", "“.” is not"),
        ("USD.50", "“.” is not"),  # 50 dollars, or half a dollar
        ("", "such as"),
        ("$", "such as"),
        ("5\xb2", "“\xb2” is not"),
        ("\u2460", "“\u2460” is not"),
        ("1\n000", "The sign U\\+000A is not"),
        ("5\ud800", "The sign U\\+D800 is not"),
        ("1٥", "“1”, “٥” are of different scripts"),
        ("\u202e20.00", "With the sign U\\+202E"),  # is displayed as 00.02
        ("\u200f100 200", "With the sign U\\+200F"),  # is displayed as 200 100
        ("١٠٠ ٢٠٠", "With “١”"),
        ("0x10", "“x” is not"),
        ("5+5", "“\\+” is not"),
        ("10,000,000,000.01", "most that can be moved at once is 10,000,000,000.00"),
        ("9" * 5000, "most that can be moved"),
        ("1 " * 30_000 + "1", "The space is not"),
    ],
)
def test_a_text_that_is_no_amount_is_refused_clearly(text: str, message: str) -> None:
    with pytest.raises(NotAnAmount, match=message):
        parse_money(text)


@given(st.integers(1, 10**12))
def test_a_displayed_amount_can_be_typed(minor_units: int) -> None:
    assert parse_money(format_money(minor_units)) == minor_units


def test_a_loss_is_shown_with_a_minus_sign() -> None:
    assert format_money(-123_456) == "\u22121,234.56"


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return a function that moves the bank to another locale and currency, hundreds of times if need be."""

    def move(locale: str, currency: str) -> None:
        monkeypatch.setattr(conf.settings, "BANK_LOCALE", locale)
        monkeypatch.setattr(conf.settings, "BANK_CURRENCY", currency)

    return move


@pytest.mark.parametrize(
    ("locale", "currency", "text", "minor_units"),
    [
        ("de_DE", "EUR", "1.234,56 €", 123_456),
        ("de_DE", "EUR", "1 234,56", 123_456),
        ("fr_FR", "EUR", "1 234,5 €", 123_450),
        ("fr_FR", "EUR", "1\u00a0234,5", 123_450),
        ("fr_FR", "EUR", "1\u202f234,5", 123_450),
        ("de_CH", "CHF", "1'234.50", 123_450),
        ("de_CH", "CHF", "1\u2019234.50", 123_450),
        ("en_IN", "INR", "₹1,23,456.50", 12_345_650),
        ("en_IN", "INR", "₹123,456.50", 12_345_650),  # as in accounts
        ("ar_EG", "EGP", "1\u066c234\u066b50", 123_450),
        ("de_DE", "EUR", "1\u066c234\u066b50", 123_450),
        ("pl_PL", "PLN", "5 złotych polskich", 500),
        ("ru_RU", "RUB", "5 российских рублей", 500),
        ("ro_RO", "RON", "20 de lei românești", 2_000),
        ("ja_JP", "JPY", "¥500", 500),
        ("ja_JP", "JPY", "\uffe5500", 500),
        ("ja_JP", "JPY", "500円", 500),
        ("ja_JP", "JPY", "\uff11\uff12\uff13", 123),
        ("en_US", "JPY", "1,234", 1_234),
        ("ar_EG", "EGP", "١٬٢٣٤٫٥٠", 123_450),
        ("ar_EG", "EGP", "\u200f1,234.50", 123_450),
        ("ar_KW", "KWD", "د.ك.5", 5_000),
        ("fa_IR", "IRR", "۱۲۳٬۴۵۶", 123_456),
        ("bn_BD", "BDT", "১,২৩,৪৫৬.৫০", 12_345_650),
        ("km_KH", "KHR", "១.២៣៤,៥", 123_450),
        ("en_US", "KWD", "1.234", 1_234),
    ],
)
def test_amounts_are_read_as_the_locale_writes_them(
    elsewhere: Callable[[str, str], None], locale: str, currency: str, text: str, minor_units: int
) -> None:
    elsewhere(locale, currency)
    assert parse_money(text) == minor_units


@pytest.mark.parametrize(
    ("locale", "currency", "text", "message"),
    [
        ("de_DE", "EUR", "0.500", "“.” is not understood here. Write 0,50 or 500,00."),
        ("de_DE", "EUR", "1250.00", "Write 1.250,00 or 125.000,00."),
        ("fr_FR", "EUR", "12 34", "Write 12,34 or 1 234,00."),
        ("fr_FR", "EUR", "12.50", "“.” is not understood here. Write 12,50 or 1 250,00."),
        ("de_CH", "CHF", "1'23", "“'” is not understood here. Write 1.23 or 123.00."),
        ("en_IN", "INR", "12,3456.50", "“,” is not understood here. Write 1,23,456.50."),
        ("en_IN", "INR", "INR.50", "“.” is not"),
        ("ar_EG", "EGP", "١٢٣.٥٠", "“.” is not understood here. Write 123.50 or 12,350.00."),
        ("en_US", "JPY", "1.5", "An amount has no digits after the “.”."),
        ("en_US_POSIX", "USD", "1,00", "“,” is not understood here. Write 1.00 or 100.00."),
    ],
)
def test_amounts_that_the_locale_writes_otherwise_are_refused_clearly(
    elsewhere: Callable[[str, str], None], locale: str, currency: str, text: str, message: str
) -> None:
    elsewhere(locale, currency)
    with pytest.raises(NotAnAmount) as refusal:
        parse_money(text)
    assert message in " ".join(str(refusal.value).split())


def test_indian_amounts_are_grouped_as_in_india(elsewhere: Callable[[str, str], None]) -> None:
    elsewhere("en_IN", "INR")
    assert format_money(12_345_650) == "1,23,456.50"
    assert format_money(99_950) == "999.50"


MANY = 200
"""The number of locales that a test tries. All tests together try most of the thousand."""


@pytest.mark.parametrize("currency", ["JPY", "USD", "KWD"])
def test_every_displayed_amount_can_be_typed_in_any_locale(
    elsewhere: Callable[[str, str], None], currency: str
) -> None:
    random = Random(currency)
    for locale in random.sample(localedata.locale_identifiers(), MANY):
        elsewhere(locale, currency)
        digits = get_currency_precision(currency)
        for minor_units in (1, 10**12, *(random.randrange(1, 10 ** random.randint(1, 12)) for _ in range(5))):
            shown = format_money(minor_units)
            assert parse_money(shown) == minor_units, (locale, shown)
            assert shown == _by_babel(minor_units, digits, locale), locale


def _by_babel(minor_units: int, digits: int, locale: str) -> str:
    pattern = copy(Locale.parse(locale).decimal_formats[None])
    pattern.frac_prec = (digits, digits)
    return str(pattern.apply(Decimal(minor_units).scaleb(-digits), locale))


@pytest.mark.parametrize("numbers", ["latn", "default"])
@pytest.mark.parametrize("format_type", ["standard", "accounting", "name"])
def test_every_amount_of_babel_is_read_in_any_locale(
    elsewhere: Callable[[str, str], None], numbers: Any, format_type: Any
) -> None:
    random = Random(format_type + numbers)
    for locale in random.sample(localedata.locale_identifiers(), MANY):
        if numbers == "default" and locale.startswith("ff_Adlm"):
            continue  # babel writes Latin digits there with Adlam separators
        territory = Locale.parse(locale).territory
        currency = random.choice(["USD", "JPY", *(get_territory_currencies(territory) if territory else [])])
        elsewhere(locale, currency)
        for minor_units in (1, 10**12, random.randrange(10**6, 10**12), random.randrange(1, 10**6)):
            amount = Decimal(minor_units).scaleb(-get_currency_precision(currency))
            text = format_currency(amount, currency, locale=locale, format_type=format_type, numbering_system=numbers)
            assert parse_money(text) == minor_units, (locale, text)


# Possible readings of a text in any locale

SAME = str.maketrans(
    dict.fromkeys("\u00a0\u202f\u2009\u3000", " ")
    | {"\u2019": "'", "\uff0c": ",", "\uff0e": ".", "\uff04": "$", "\uff15": "5", "\u0665": "5"}
    | dict.fromkeys("\u200e\u200f\u202a\u202c\u2066\u2069\ufeff", "")
)
GROUPED = r"[1-9][0-9]{0,2}(?:G[0-9]{3})+|[1-9][0-9]?(?:G[0-9]{2})*G[0-9]{3}"  # the usual groups, and India's
WHOLE = "|".join(["[0-9]+", *(GROUPED.replace("G", f"[{group}]") for group in ",. '")])
NUMBER = [re.compile(rf"({WHOLE}|)(?:[{point}]([0-9]{{0,2}}))?") for point in ".,"]


def readings(text: str) -> set[Decimal]:
    """Return each amount that some locale may read in a text."""
    bare = text.translate(SAME).strip().removeprefix("$").removesuffix("$").strip()
    orders = [bare]
    if re.search("[\u200f\u0665]", text):  # the groups may be displayed from right to left
        orders.append(" ".join(bare.split(" ")[::-1]))
    found = [number.fullmatch(order) for number in NUMBER for order in orders]
    return {
        Decimal(f"{re.sub('[^0-9]', '', match[1]) or 0}.{match[2] or 0}")
        for match in found
        if match and any(match.groups())
    }


SIGNS = (
    "00012349,.' -$x\u00a0\u202f\u2009\u3000\u2019\uff0c\uff0e\uff15\u0665\u200e\u200f\u202a\u202c\u2066\u2069\ufeff"
)
TEXTS = st.one_of(
    st.text(SIGNS, max_size=12),
    st.from_regex(r"\$?[0-9]{1,3}([,. '\u2019\u202f][0-9]{2,3}){0,3}([.,][0-9]{0,3})?\u200f?", fullmatch=True),
    st.integers(1, 10**12).map(lambda number: f"{number / 100:,.2f}"),
)


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "fr_FR", "de_CH", "en_IN", "ar_EG"])
def test_an_amount_is_the_only_reading_of_its_text(elsewhere: Callable[[str, str], None], locale: str) -> None:
    elsewhere(locale, "USD")
    understood: set[str] = set()

    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(TEXTS)
    def only_reading(text: str) -> None:
        try:
            amount = parse_money(text)
        except NotAnAmount:
            return
        understood.add(text)
        assert readings(text) == {Decimal(amount).scaleb(-2)}

    only_reading()
    assert len(understood) > 5, "enough texts are amounts"
