"""Amounts as people write them, and back. Everywhere else an amount is an integer of minor units.

How the locale writes numbers comes from babel, once; formatting is by hand, because a page shows a hundred amounts.
"""

import re
from decimal import Decimal
from functools import cache

from babel.numbers import get_currency_precision, get_currency_symbol, get_decimal_symbol, get_group_symbol
from django.conf import settings

from .domain.account import MAX_AMOUNT


class NotAnAmount(ValueError):
    """A text that is no amount of money; the message says to a person why."""


@cache
def _symbols() -> tuple[int, str, str, str]:
    locale, currency = settings.BANK_LOCALE, settings.BANK_CURRENCY
    symbol = get_currency_symbol(currency, locale)
    return get_currency_precision(currency), get_decimal_symbol(locale), get_group_symbol(locale), symbol


def format_money(minor_units: int) -> str:
    """Return an amount as the bank's locale writes it, without the currency: 123456 is "1,234.56"."""
    digits, point, group, _ = _symbols()
    sign = "\u2212" if minor_units < 0 else ""  # U+2212 is the minus sign
    whole, cents = divmod(abs(minor_units), 10**digits)
    text = sign + f"{whole:,}".replace(",", group)
    return f"{text}{point}{cents:0{digits}}" if digits else text


def parse_money(text: str) -> int:
    """Return the minor units of an amount as a person writes it: "1,250.5", "1250", "$ 20".

    Raises:
        NotAnAmount: with what is wrong in the message.
    """
    digits, point, group, symbol = _symbols()
    example = format_money(125_000)
    bare = re.sub(r"\s", " ", text).strip()
    for sign in (settings.BANK_CURRENCY, symbol):
        bare = bare.removeprefix(sign).removesuffix(sign).strip()
    if bare.startswith(("-", "\u2212")):
        raise NotAnAmount("The amount must be more than zero.")
    group = re.escape(re.sub(r"\s", " ", group)) or r"(?!)"  # some locales group by one kind of space or another
    match = re.fullmatch(rf"([0-9]+|[0-9]{{1,3}}(?:{group}[0-9]{{3}})+)?(?:{re.escape(point)}([0-9]*))?", bare)
    if not match or not (match[1] or match[2]):
        raise NotAnAmount(f"Enter an amount of money such as {example}.")
    if len(match[2] or "") > digits:
        raise NotAnAmount(f"An amount has at most {digits} digits after the \u201c{point}\u201d.")
    whole = re.sub(r"\D", "", match[1] or "0")
    if len(whole) > 30:
        raise NotAnAmount(f"The most that can be moved at once is {format_money(MAX_AMOUNT)}.")
    amount = int(Decimal(f"{whole}.{match[2] or 0}").scaleb(digits))
    if amount == 0:
        raise NotAnAmount("The amount must be more than zero.")
    if amount > MAX_AMOUNT:
        raise NotAnAmount(f"The most that can be moved at once is {format_money(MAX_AMOUNT)}.")
    return amount
