"""Parsing of typed days. A text with two meanings in the bank's locale is refused."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from babel import Locale
from babel.dates import format_date
from django.conf import settings
from django.utils import timezone

from .money import latin_digits

YEARS = range(1900, 2200)
"""The accepted years. Nothing was recorded before them."""


class NotADay(ValueError):
    """A text that is no day. The message gives the reason to the user."""


def parse_day(text: str) -> date:
    """Return the typed day: "2026-11-27", "27 Nov 2026", or digits in the order of the bank's locale.

    Raises:
        NotADay: the message gives the reason.
    """
    months, order = _customs()
    parts = [part.casefold() for part in re.split(r"[\s.,/-]+", latin_digits(text).strip(" ."))]
    named = [place for place, part in enumerate(parts) if part in months]
    if (
        len(parts) != 3
        or len(named) > 1
        or not all(re.fullmatch("[0-9]{1,4}", part) or part in months for part in parts)
    ):
        raise NotADay(_example())
    if len(parts[0]) == 4 and parts[0].isdigit():
        order = "yMd"
    elif named:
        order = "Mdy" if named == [0] else "dMy"
    numbers = [months.get(part) or int(part) for part in parts]
    values = dict(zip(order, numbers, strict=True))
    if values["y"] not in YEARS:
        raise NotADay(f"Write the year with four digits, from {YEARS[0]} to {YEARS[-1]}.")
    try:
        return date(values["y"], values["M"], values["d"])
    except ValueError:
        raise NotADay(f"There is no such day. {_example()}") from None


@cache
def _customs() -> tuple[dict[str, int], str]:
    """Return the numbers of the months by name, and the order of "d", "M" and "y" in the bank's locale."""
    locale = Locale.parse(settings.BANK_LOCALE)
    months = {
        name.strip(".").casefold(): number
        for context in locale.months.values()
        for width in ("abbreviated", "wide")
        for number, name in context[width].items()
        if not name.isdigit()
    }
    letters = re.findall("[dMy]", locale.date_formats["short"].pattern)
    return months, "".join(dict.fromkeys(letters))


def _example() -> str:
    day = date(2026, 11, 27)
    return f"Enter a day such as {format_date(day, 'd MMM y', locale=settings.BANK_LOCALE)} or {day}."


def beginning_of(day: date) -> datetime:
    """Return the time at which a day begins in the bank's time zone."""
    return datetime.combine(day, time.min, timezone.get_default_timezone()).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the time at which a day ends in the bank's time zone."""
    return beginning_of(day + timedelta(days=1))
