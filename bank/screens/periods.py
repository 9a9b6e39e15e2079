"""The periods of the pages with charts: the days that a request asks for, and those that a page offers."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext

from .filters import PeriodFilter


class Period(NamedTuple):
    """The days from `first` to `last`, and the form in which they were typed."""

    form: PeriodFilter
    first: date
    last: date


class Choice(NamedTuple):
    """A period that a page offers: its words, its query string, and whether the page shows it."""

    words: str
    query: str
    is_shown: bool


def period_of(data: Mapping[str, Any], *, days: int, earliest: date) -> Period:
    """Return the days that query parameters ask for: by default the latest ones.

    If only one end is given, the other is the earliest day or today. If the form has errors, the days are the default.

    Args:
        days: the number of days of the default.
        earliest: the first day with anything to show.
    """
    today = timezone.localdate()
    since = today - timedelta(days=days - 1)
    is_limited = PeriodFilter.FIELDS & data.keys()
    form = PeriodFilter(data if is_limited else {"from": str(since), "to": str(today)})
    if not form.is_valid():
        return Period(form, since, today)
    first, last = form.days
    first = first or min(earliest, last or today)
    return Period(form, first, last or max(first, today))


def choices(shown: Period, earliest: date) -> list[Choice]:
    """Return periods up to today that a page offers."""
    today = timezone.localdate()
    lengths = {gettext("7 days"): 7, gettext("30 days"): 30, gettext("90 days"): 90, gettext("A year"): 365}
    offered = {words: today - timedelta(days=days - 1) for words, days in lengths.items()} | {gettext("All"): earliest}
    return [
        Choice(words, urlencode({"from": first, "to": today}), (first, today) == shown[1:])
        for words, first in offered.items()
    ]
