"""Conversion between displayed amounts and integers of minor units. All other code uses the integers.

babel provides the number format of the locale. Its `parse_decimal`, strict or not, also reads "1e3", "1_000" and mixed
scripts, so this module parses itself. It also formats itself, because a page shows a hundred amounts.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from babel import Locale
from babel.numbers import (
    get_currency_name,
    get_currency_precision,
    get_currency_symbol,
    get_currency_unit_pattern,
    get_decimal_symbol,
    get_group_symbol,
)
from django.conf import settings
from django.utils.translation import gettext

from ..domain.values import MAX_AMOUNT
from .languages import current_locale

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_BLANKS = dict.fromkeys(map(ord, "\u115f\u1160\u2800\u3164\uffa0"), " ")
"""Characters that look like spaces but are no spaces in Unicode."""
_TURNS_AROUND = "\u202e"
_APOSTROPHES = "'\u2019"
_SEPARATORS = rf" .,{_APOSTROPHES}\u060c\u066b\u066c"
"""The signs that separate digits in any locale."""
_LONGEST = 40
"""The largest number of characters of an amount with separators. The largest has 17 digits before the decimal sign."""
_RIGHT_TO_LEFT = {"R", "AL", "AN", "RLE", "RLO", "RLI"}
_ARABIC = {"\u0660": "arab", "\u06f0": "arabext"}
"""The zeros of CLDR's numbering systems that have separators of their own in every locale."""


_COUNTS = (0, 1, 2, 3, 4, 5, 11, 100, 1_000_000, Decimal("0.5"), Decimal("0.01"))
"""Numbers that cover every plural form of any language."""


class NotAnAmount(ValueError):
    """A text that is no amount of money. The message gives the reason to the user."""


class _Symbols(NamedTuple):
    """The number format of a locale and a currency."""

    digits: int
    point: str
    group: str
    sizes: list[tuple[int, int]]
    """The number of digits in the last group, and in each other group. Pages use the first; all are read."""
    currency: str
    """A regular expression for the currency's code, symbol and names."""


def _symbols(zero: str = "0") -> _Symbols:
    """Return the number format of the reader's locale for the digits that begin with this zero."""
    return _symbols_of(current_locale(), settings.BANK_CURRENCY, zero)


@cache
def _symbols_of(locale_name: str, currency: str, zero: str) -> _Symbols:
    locale = Locale.parse(locale_name)
    point, group = get_decimal_symbol(locale), get_group_symbol(locale)
    if zero != "0":
        systems = (locale.default_numbering_system, locale.other_numbering_systems.get("native"))
        own = next((system for system in systems if system not in ("latn", None)), "arab")
        signs = locale.number_symbols.get(_ARABIC.get(zero, own), {})
        point, group = signs.get("decimal") or point, signs.get("group") or group
    names = {currency, get_currency_symbol(currency, locale)}
    for count in _COUNTS:
        name = get_currency_name(currency, count, locale)
        unit = get_currency_unit_pattern(currency, count, locale).replace("{0}", "").replace("{1}", name)
        names |= {name, unit}
    longest_first = sorted({_plain(name) for name in names}, key=len, reverse=True)
    pattern = "|".join(map(re.escape, longest_first))
    formats = [locale.decimal_formats[None], *map(locale.currency_formats.get, ("standard", "accounting"))]
    sizes = list(dict.fromkeys(each.grouping for each in formats if each))
    return _Symbols(get_currency_precision(currency), point, group, sizes, pattern)


def format_money(minor_units: int) -> str:
    """Return an amount in the format of the reader's locale, without the currency: 123456 is "1,234.56"."""
    digits, point, group, (sizes, *_), _ = _symbols()
    sign = "\u2212" if minor_units < 0 else ""  # U+2212 is the minus sign
    whole, cents = divmod(abs(minor_units), 10**digits)
    text = sign + (f"{whole:,}".replace(",", group) if sizes == (3, 3) else _grouped(str(whole), group, sizes))
    return f"{text}{point}{cents:0{digits}}" if digits else text


def plain_decimal(minor_units: int) -> str:
    """Return an amount as programs write it, in the bank's currency: -123456 is "-1234.56"."""
    digits = _symbols().digits
    whole, cents = divmod(abs(minor_units), 10**digits)
    return f"{'-' if minor_units < 0 else ''}{whole}{f'.{cents:0{digits}}' if digits else ''}"


def _grouped(whole: str, group: str, sizes: tuple[int, int]) -> str:
    """Insert a separator between the groups of digits."""
    size, others = sizes
    rest, text = whole[:-size], whole[-size:]
    while rest:
        rest, text = rest[:-others], rest[-others:] + group + text
    return text


def parse_money(text: str) -> int:
    """Return the minor units of a typed amount: "1,250.5", "1250", "$ 20".

    A group separator is accepted only where the locale puts one; a space groups in every locale. An ambiguous text is
    refused.

    Raises:
        NotAnAmount: the message gives the reason.
    """
    bare, zero = _in_latin_digits(_plain(text))
    symbols = _symbols(zero)
    bare = bare.translate({0x66B: symbols.point, 0x66C: symbols.group})  # these two signs are unambiguous
    rest = re.sub(rf"\A(?:{symbols.currency}) *", "", bare, flags=re.IGNORECASE)
    before = bare.removesuffix(rest)
    number = re.sub(rf"(?:{symbols.currency})\Z", "", rest, flags=re.IGNORECASE).rstrip()
    if number.startswith(("-", "\u2212")):
        raise NotAnAmount(gettext("The amount must be more than zero."))
    amount = _read(number, symbols)
    if amount is None:
        raise NotAnAmount(_not_understood(number, symbols))
    if number.startswith(symbols.point) and before and unicodedata.category(before[-1]) not in ("Sc", "Zs"):
        raise NotAnAmount(f"{_unclear(symbols.point)} {_example()}")  # "USD.50" may mean 50
    if any(_read(order, symbols) not in (None, amount) for order in _as_shown(number, text)):
        turned = next(c for c in text if unicodedata.bidirectional(c) in _RIGHT_TO_LEFT)
        refusal = gettext("With {sign} in it this may be shown as another amount.").format(sign=_named(turned))
        raise NotAnAmount(f"{refusal} {_example()}")
    return _minor_units(amount, symbols)


def latin_digits(text: str) -> str:
    """Return a text with its digits as 0 to 9, without invisible marks unless they reverse digits."""
    if _TURNS_AROUND in text:
        return text
    return "".join(str(unicodedata.decimal(c, c)) for c in _plain(text))


def _narrow(text: str) -> str:
    """Return a text with full-width characters in their normal width. It applies no other part of NFKC."""
    return "".join(unicodedata.normalize("NFKC", c) if unicodedata.east_asian_width(c) == "F" else c for c in text)


def _plain(text: str) -> str:
    """Return a text without invisible marks, with characters in their normal width and plain spaces."""
    visible = _INVISIBLE.sub("", _narrow(text.translate(_BLANKS)))
    return "".join(" " if unicodedata.category(c) == "Zs" else c for c in visible).strip()


def _in_latin_digits(text: str) -> tuple[str, str]:
    """Return a text in Latin digits, and the zero of its own digits."""
    zeros = {chr(ord(c) - unicodedata.decimal(c)): c for c in text if c.isdecimal()}
    if len(zeros) > 1:  # https://www.unicode.org/reports/tr39/#Mixed_Number_Detection
        digits = ", ".join(map(_named, zeros.values()))
        refusal = gettext("The digits {digits} are of different scripts.").format(digits=digits)
        raise NotAnAmount(f"{refusal} {_example()}")
    return "".join(str(unicodedata.decimal(c, c)) for c in text), min(zeros, default="0")


def _read(number: str, symbols: _Symbols) -> Decimal | None:
    """Return the number that the locale writes like this, leading zeros allowed, or None."""
    groups = _APOSTROPHES if symbols.group in _APOSTROPHES else re.escape(symbols.group)
    match = re.fullmatch(rf"([0-9]+(?:[ {groups}][0-9]+)*)?(?:{re.escape(symbols.point)}([0-9]*))?", number)
    if not match or not (match[1] or match[2]):
        return None
    whole = match[1] or "0"
    digits = re.sub("[^0-9]", "", whole)
    if digits != whole:
        separator = whole.lstrip("0123456789")[0]
        known = {_grouped(digits.lstrip("0"), separator, sizes) for sizes in symbols.sizes}
        if len(whole) > _LONGEST or whole not in known:
            return None
    return Decimal(f"{digits}.{match[2] or ''}")


def _as_shown(number: str, text: str) -> Iterator[str]:
    """Yield the other orders in which a screen may display a number that was typed or pasted in a text.

    An override reverses everything. Other right-to-left text reverses only groups separated by a space or an
    apostrophe: "." and "," belong to the number (https://www.unicode.org/reports/tr9/, W4 and N1).
    """
    directions = {unicodedata.bidirectional(c) for c in text}
    if "RLO" in directions:
        yield number[::-1]
    if directions & _RIGHT_TO_LEFT:
        yield "".join(reversed(re.split(rf"([ {_APOSTROPHES}])", number)))


def _minor_units(amount: Decimal, symbols: _Symbols) -> int:
    """Return an amount in minor units.

    Raises:
        NotAnAmount: one command cannot move it.
    """
    if -int(amount.as_tuple().exponent) > symbols.digits:
        wanted = gettext("An amount has at most {count} digits after the \u201c{point}\u201d.")
        if not symbols.digits:
            wanted = gettext("An amount has no digits after the \u201c{point}\u201d.")
        raise NotAnAmount(wanted.format(count=symbols.digits, point=symbols.point))
    if amount == 0:
        raise NotAnAmount(gettext("The amount must be more than zero."))
    if amount > Decimal(MAX_AMOUNT).scaleb(-symbols.digits):
        wanted = gettext("The most that can be moved at once is {amount}.")
        raise NotAnAmount(wanted.format(amount=format_money(MAX_AMOUNT)))
    return int(amount.scaleb(symbols.digits))


# Refusals


def _not_understood(number: str, symbols: _Symbols) -> str:
    """Return the refusal of a number: the first bad sign, and the amounts that may be meant."""
    if not number:
        return _example()
    foreign = re.search(rf"[^\W\d_]+|[^0-9{_SEPARATORS}]", number)
    sign = foreign[0] if foreign else _first_bad_separator(number, symbols)
    meant = [] if foreign else _meant(number, symbols)
    if not meant:
        return f"{_unclear(sign)} {_example()}"
    wanted = gettext("Write {one}.") if len(meant) == 1 else gettext("Write {one} or {other}.")
    return f"{_unclear(sign)} {wanted.format(one=meant[0], other=meant[-1])}"


def _unclear(sign: str) -> str:
    """Return the sentence that names a sign that cannot be read."""
    refusal = gettext("{sign} is not understood here.").format(sign=_named(sign))
    return refusal[0].upper() + refusal[1:]


def _first_bad_separator(number: str, symbols: _Symbols) -> str:
    """Return the sign that follows the longest beginning of a number that can be read."""
    places = [place for place, sign in enumerate(number) if not sign.isdigit()]
    readable = [place for place in places if place <= _LONGEST and _read(number[:place], symbols) is not None]
    return number[readable[-1] if readable else places[0]]


def _meant(number: str, symbols: _Symbols) -> list[str]:
    """Return the possible readings of a number in the format of the locale, or none if one of them cannot be moved."""
    if len(number) > _LONGEST or number.count(symbols.point) > 1:
        return []
    *head, tail = re.split("[^0-9]", number)
    readings = ["".join(head) + "." + tail]
    if symbols.point not in number:
        readings.append("".join(head) + tail)
    try:
        amounts = [_minor_units(Decimal(reading).normalize(), symbols) for reading in readings]
    except (ArithmeticError, NotAnAmount):
        return []
    return [format_money(amount) for amount in dict.fromkeys(amounts)]


def _named(sign: str) -> str:
    """Return a sign in a visible form."""
    if sign == " ":
        return gettext("the space")
    if not sign.isprintable():
        return gettext("the sign U+{code}").format(code=f"{ord(sign[0]):04X}")
    return f"\u201c{sign[:20]}\u201d"


def _example() -> str:
    return gettext("Enter an amount of money such as {amount}.").format(amount=format_money(125_000))
