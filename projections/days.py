"""The totals of a period: those of each day, or of each week, month or year where the days would be too many."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from .big_sums import columns_of, joined
from .sql import rows

MOST = 62
"""The largest number of rows: the days of two months."""
_COUNTS = ("accounts_opened", "deposits", "withdrawals", "corrections", "refusals")


class Span(NamedTuple):
    """The totals of the days from `first` to `last`."""

    first: date
    last: date
    accounts_opened: int = 0
    deposits: int = 0
    withdrawals: int = 0
    corrections: int = 0
    refusals: int = 0
    paid_in: int = 0
    paid_out: int = 0

    @property
    def net(self) -> int:
        return self.paid_in - self.paid_out

    @property
    def is_empty(self) -> bool:
        """Whether nothing was recorded."""
        return not any(self[2:])

    def plus(self, other: "Span") -> "Span":
        """Return this span with the totals of another one added."""
        sums = (mine + more for mine, more in zip(self[2:], other[2:], strict=True))
        return Span(self.first, self.last, *sums)


class Unit(NamedTuple):
    """A unit of time: the first day of the unit that has a day, and a number of days that always leads to the next one.

    A period of more than `most` days is shown in a longer unit.
    """

    most: int
    beginning: Callable[[date], date]
    length: int

    def next(self, begin: date) -> date:
        return self.beginning(begin + timedelta(days=self.length))


_YEARS = Unit(10**6, lambda day: day.replace(month=1, day=1), 366)
_UNITS = (
    Unit(MOST, lambda day: day, 1),
    Unit(7 * MOST, lambda day: day - timedelta(days=day.weekday()), 7),
    Unit(28 * MOST, lambda day: day.replace(day=1), 31),
    _YEARS,
)
_TOTALS = f"""
    SELECT day, {", ".join(_COUNTS)}, {", ".join(columns_of(["paid_in", "paid_out"]))}
    FROM projections_dailytotals WHERE day >= %s AND day <= %s ORDER BY day
"""


def spans(first: date, last: date) -> list[Span]:
    """Return the totals from `first` to `last`, by day or by a longer unit, in order and without gaps."""
    unit = next(each for each in _UNITS if (last - first).days < each.most)
    found = {}
    begin = unit.beginning(first)
    while begin <= last:
        after = unit.next(begin)
        found[begin] = Span(max(begin, first), min(after - timedelta(days=1), last))
        begin = after
    for day, *counts, in_high, in_low, out_high, out_low in rows(_TOTALS, first.isoformat(), last.isoformat()):
        begin = unit.beginning(day)
        sums = joined(in_high, in_low), joined(out_high, out_low)
        found[begin] = found[begin].plus(Span._make((day, day, *counts, *sums)))
    return [*found.values()]


def total(found: list[Span]) -> Span:
    """Return the totals of all these spans."""
    whole = Span(found[0].first, found[-1].last)
    for each in found:
        whole = whole.plus(each)
    return whole


def first_day() -> date | None:
    """Return the first day with totals, or None."""
    found = rows("SELECT day FROM projections_dailytotals ORDER BY day LIMIT 1")
    return found[0][0] if found else None
