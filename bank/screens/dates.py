"""Parsing of typed days. A text with two meanings in the reader's locale is refused."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from django.utils import timezone
from django.utils.translation import gettext, pgettext

from .languages import current_locale
from .money import latin_digits

YEARS = range(1900, 2200)
"""The accepted years. Nothing was recorded before them."""


class NotADay(ValueError):
    """A text that is no day. The message gives the reason to the user."""


def parse_day(text: str) -> date:
    """Return the typed day: "2026-11-27", "27 Nov 2026", or digits in the order of the reader's locale.

    Raises:
        NotADay: the message gives the reason.
    """
    months, order = _customs(current_locale())
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
        wanted = gettext("Write the year with four digits, from {first} to {last}.")
        raise NotADay(wanted.format(first=YEARS[0], last=YEARS[-1]))
    try:
        return date(values["y"], values["M"], values["d"])
    except ValueError:
        raise NotADay(f"{gettext('There is no such day.')} {_example()}") from None


@cache
def _customs(locale_name: str) -> tuple[dict[str, int], str]:
    """Return the numbers of the months by name, and the order of "d", "M" and "y" in a locale."""
    locale = Locale.parse(locale_name)
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
    shown = shown_day(day)
    return gettext("Enter a day such as {day} or {same_day}.").format(day=shown, same_day=day)


def chosen_day(text: str) -> dict[str, Any]:
    """Return the context of `bank/day_form.html`: the typed day or today, and the error of a text that is no day."""
    today = timezone.localdate()
    day, error = today, ""
    try:
        day = parse_day(text) if text.strip() else today
    except NotADay as reason:
        error = str(reason)
    return {
        "day": day,
        "typed": respelled(text),
        "error": error,
        "earlier": str(day - timedelta(days=1)),
        "later": str(day + timedelta(days=1)) if day < today else "",
    }


def respelled(text: str) -> str:
    """Return a typed day as the reader's locale writes it, or the text if it is no day.

    Some locales join a day and its month by a word, which `parse_day` does not read. There the text stays too.
    """
    try:
        shown = shown_day(parse_day(text))
        return shown if parse_day(shown) == parse_day(text) else text
    except NotADay:
        return text


def shown_day(day: date) -> str:
    """Return a day in the reader's locale."""
    return format_date(day, pgettext("CLDR pattern of a day", "d MMM y"), locale=current_locale())


def beginning_of(day: date) -> datetime:
    """Return the time at which a day begins in the bank's time zone."""
    return datetime.combine(day, time.min, timezone.get_default_timezone()).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the time at which a day ends in the bank's time zone."""
    return beginning_of(day + timedelta(days=1))
