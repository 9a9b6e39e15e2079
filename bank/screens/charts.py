"""Charts, drawn as SVG: the balance of an account over time, and the money paid in and out by period.

The geometry is in whole units of the view box and computed with integers, so an amount of any size stays exact, and no
coordinate leaves the box. The template `bank/chart.html` writes the figure, and style sheets colour it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_decimal, format_decimal, get_currency_precision
from django.conf import settings
from django.utils import timezone
from django.utils.translation import pgettext

from .languages import current_locale
from .money import format_money

WIDTH, HEIGHT = 9000, 3000
"""The size of the view box. A unit is less than a pixel on any screen."""
STEPS = 4
"""The largest number of steps between the ends of an amount axis, of which each end adds one at most."""
LABELS = 4
"""The largest number of labels of the time axis."""
COMPACT = 1_000_000
"""From this amount on, in units of the currency, the labels of an axis are short: "1.5M"."""


class Shape(NamedTuple):
    """A path of a chart: its class in the style sheet, and its data."""

    name: str
    path: str


class Chart(NamedTuple):
    """A chart: its accessible name, its shapes from back to front, and the labels of its axes from the top and left."""

    summary: str
    shapes: list[Shape]
    amounts: list[str]
    times: list[str]
    view_box: str = f"0 0 {WIDTH} {HEIGHT}"


class Axis(NamedTuple):
    """An axis of amounts from `bottom` to `top`, with a line at each multiple of `step`."""

    bottom: int
    top: int
    step: int

    @property
    def ticks(self) -> list[int]:
        """The amounts of the lines, from the top."""
        return list(range(self.top, self.bottom - 1, -self.step))

    def y(self, amount: int) -> int:
        """Return the vertical coordinate of an amount."""
        return int(HEIGHT * (self.top - amount) // (self.top - self.bottom))


def axis(amounts: Iterable[int]) -> Axis:
    """Return an axis with round numbers that has room for these amounts and zero."""
    amounts = [0, *amounts]
    least, most = min(amounts), max(amounts)
    step = _round_up(-(-(most - least) // STEPS)) if most > least else 10 ** _decimals()
    bottom, top = least // step * step, -(-most // step) * step
    return Axis(bottom, top if top > bottom else bottom + step, step)


def _round_up(amount: int) -> int:
    """Return the smallest number that is not below a positive one and is 1, 2 or 5 times a power of ten."""
    power = 10 ** (len(str(amount)) - 1)
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= amount))


# The balance over time


class Point(NamedTuple):
    """A balance, and the time from which on the account had it."""

    at: datetime
    balance: int


def balance_chart(points: Sequence[Point], begin: datetime, end: datetime, summary: str) -> Chart:
    """Return the chart of a balance, as a line in steps from one time to a later one.

    Args:
        points: the balances in the order of time, the first one not after the beginning.
    """
    amounts = axis(point.balance for point in points)
    span = _length(end - begin)

    def x(at: datetime) -> int:
        return min(max(WIDTH * _length(at - begin) // span, 0), WIDTH)

    steps = "".join(f"H{x(point.at)}V{amounts.y(point.balance)}" for point in points)
    line = f"M0 {amounts.y(points[0].balance)}{steps}H{WIDTH}"
    shapes = [Shape("area", f"{line}V{amounts.y(0)}H0Z"), *_grid(amounts), Shape("trace", line)]
    return Chart(summary, shapes, _labels(amounts), _time_labels(begin, end))


def _length(duration: timedelta) -> int:
    """Return a duration in microseconds."""
    return int(duration // timedelta.resolution)


def _time_labels(begin: datetime, end: datetime) -> list[str]:
    """Return labels of times from the beginning to the end, at equal distances."""
    length = end - begin
    pattern = pgettext("CLDR pattern of a time of day", "HH:mm") if length < timedelta(days=3) else _day_pattern(length)
    moments = [timezone.localtime(begin + length * step // (LABELS - 1)) for step in range(LABELS)]
    return [format_datetime(moment, pattern, locale=current_locale()) for moment in moments]


# Paid in and paid out


class Flow(NamedTuple):
    """The money paid in and paid out in a period that begins on a day."""

    begin: date
    paid_in: int
    paid_out: int


def flow_chart(flows: Sequence[Flow], summary: str) -> Chart:
    """Return the chart of one or more periods: two bars each, and a line through the differences."""
    nets = [flow.paid_in - flow.paid_out for flow in flows]
    amounts = axis([*nets, *(flow.paid_in for flow in flows), *(flow.paid_out for flow in flows)])
    edges = [WIDTH * number // len(flows) for number in range(len(flows) + 1)]
    slots = [(left, (right - left) // 10, right - left) for left, right in pairwise(edges)]

    def bars(paid: Callable[[Flow], int], half: int) -> str:
        return "".join(
            f"M{left + gap + half * (width // 2 - gap)} {amounts.y(0)}"
            f"V{amounts.y(paid(flow))}h{width // 2 - gap}V{amounts.y(0)}Z"
            for flow, (left, gap, width) in zip(flows, slots, strict=True)
            if paid(flow)
        )

    middles = [f"{left + width // 2} {amounts.y(net)}" for net, (left, _, width) in zip(nets, slots, strict=True)]
    shapes = [
        *_grid(amounts),
        Shape("bar-in", bars(lambda flow: flow.paid_in, 0)),
        Shape("bar-out", bars(lambda flow: flow.paid_out, 1)),
        Shape("net-halo", "M" + "L".join(middles)),
        Shape("net", "M" + "L".join(middles)),
    ]
    return Chart(summary, shapes, _labels(amounts), _day_labels([flow.begin for flow in flows]))


def _day_labels(days: Sequence[date]) -> list[str]:
    """Return labels of some of these days, at distances that are as equal as possible, the first and last included."""
    count = min(len(days), LABELS)
    chosen = [days[step * (len(days) - 1) // max(count - 1, 1)] for step in range(count)]
    pattern = _day_pattern(days[-1] - days[0])
    return [format_date(day, pattern, locale=current_locale()) for day in chosen]


# Common to all


def _day_pattern(length: timedelta) -> str:
    """Return CLDR's pattern for the days of a period: with the year where it may be unclear."""
    if length < timedelta(days=300):
        return pgettext("CLDR pattern of a day without its year", "d MMM")
    return pgettext("CLDR pattern of a month", "MMM y")


def _grid(amounts: Axis) -> list[Shape]:
    """Return the lines across the chart, that of zero apart."""
    others = "".join(f"M0 {amounts.y(tick)}H{WIDTH}" for tick in amounts.ticks if tick)
    return [Shape("grid", others), Shape("zero", f"M0 {amounts.y(0)}H{WIDTH}")]


def _labels(amounts: Axis) -> list[str]:
    """Return the labels of an axis of amounts, short ones where the amounts are long."""
    unit, locale = 10 ** _decimals(), current_locale()
    if amounts.step % unit:
        return [format_money(tick) for tick in amounts.ticks]
    whole = [tick // unit for tick in amounts.ticks]
    if max(map(abs, whole)) >= COMPACT:
        return [str(format_compact_decimal(each, locale=locale, fraction_digits=1)) for each in whole]
    return [str(format_decimal(each, locale=locale)) for each in whole]


def _decimals() -> int:
    return get_currency_precision(settings.BANK_CURRENCY)
