"""The points of charts: balances in stretches of a statement, and totals of days, weeks, months and years."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from eventstore import clock
from projections import queries
from projections.balances import STRETCHES
from projections.days import MOST
from projections.models import DailyTotals
from tests.support.long_statement import NOON, add_lines
from tests.support.values import deposit, open_account, withdraw

pytestmark = pytest.mark.usefixtures("bank")


# Balances


@pytest.mark.parametrize("moves", [0, 1, STRETCHES - 1, 3 * STRETCHES + 7])
def test_a_line_in_stretches_has_the_ends_the_least_and_the_most_of_all_balances(moves: int) -> None:
    chance = random.Random(moves)
    with clock.set_to(NOON):
        open_account(1)
        open_account(2, balance=1)
    balances = [(NOON, 0)]
    for number in range(moves):
        with clock.set_to(NOON + timedelta(minutes=number + 1)):
            amount = chance.randint(1, 100)
            (deposit if chance.random() < 0.6 or balances[-1][1] < amount else withdraw)(1, amount)
            withdraw(1, 10**9)  # a refusal has a version and no line
        balances.append((clock.now(), queries.check_balance(1)))
    balances = [(entry.recorded_at, entry.balance or 0) for entry in queries.in_order(1, queries.part_of(1, None, None))
                if not entry.is_refusal]  # fmt: skip
    found = queries.stretches(1, queries.part_of(1, None, None))
    points = [point for stretch in found for point in stretch.points]
    assert len(found) <= STRETCHES
    assert sum(stretch.lines for stretch in found) == len(balances) == moves + 1
    assert points == sorted(points, key=lambda point: point[0])
    assert set(points) <= set(balances)
    assert [points[0], points[-1]] == [balances[0], balances[-1]]
    for stretch in found:
        of_stretch = [each for at, each in balances if stretch.points[0][0] <= at <= stretch.last_at]
        assert (stretch.lines, stretch.balance) == (len(of_stretch), of_stretch[-1])
        assert (stretch.least, stretch.most) == (min(of_stretch), max(of_stretch))

    middle = queries.part_of(1, NOON + timedelta(minutes=moves // 2, seconds=1), None)
    assert queries.balance_before(1, middle.first) == balances[moves // 2][1]


def test_a_balance_of_many_lines_is_two_queries_and_few_points() -> None:
    with clock.set_to(NOON):
        open_account(1)
    add_lines(1, 5000, first=2)
    with CaptureQueriesContext(connections["projections"]) as captured:
        found = queries.stretches(1, queries.Part(0, 5002))
    assert len(captured) == 2
    assert sum(len(stretch.points) for stretch in found) <= 4 * STRETCHES
    assert (found[0].points[0], found[-1].balance) == ((NOON, 0), 5 * 5001)


def test_a_part_without_lines_has_no_stretch() -> None:
    open_account(1, balance=5)
    assert queries.stretches(1, queries.Part(3, 3)) == queries.stretches(2, queries.WHOLE) == []
    assert queries.balance_before(1, 1) == queries.balance_before(2, 9) == 0


# Days


FIRST = date(2019, 12, 30)


@pytest.fixture
def seven_years(bank: object) -> None:
    """A bank with totals on every third day, some of them beyond 64 bits."""
    DailyTotals.objects.bulk_create(
        DailyTotals(
            day=FIRST + timedelta(days=day),
            accounts_opened=1,
            deposits=2,
            withdrawals=3,
            corrections=4,
            refusals=5,
            paid_in_low=day,
            paid_in_high=day,
            paid_out_low=1,
        )
        for day in range(0, 7 * 365, 3)
    )


UNITS: list[tuple[int, Callable[[date], object]]] = [
    (1, lambda day: day),
    (MOST, lambda day: day),
    (MOST + 1, lambda day: day.isocalendar()[:2]),
    (7 * MOST, lambda day: day.isocalendar()[:2]),
    (7 * MOST + 1, lambda day: (day.year, day.month)),
    (28 * MOST, lambda day: (day.year, day.month)),
    (28 * MOST + 1, lambda day: day.year),
]
"""Lengths of periods, and what the days of a span have in common."""


@pytest.mark.usefixtures("seven_years")
def test_a_period_is_shown_in_few_spans_without_gaps() -> None:
    for days, unit in UNITS:
        first, last = FIRST + timedelta(days=50), FIRST + timedelta(days=49 + days)
        found = queries.spans(first, last)
        assert len(found) <= MOST + 1
        assert [found[0].first, found[-1].last] == [first, last]
        for span in found:
            assert unit(span.first) == unit(span.last)
            inside = [day for day in range(0, 7 * 365, 3) if span.first <= FIRST + timedelta(days=day) <= span.last]
            assert span[2:] == (*(each * len(inside) for each in range(1, 6)), sum(inside) * (2**62 + 1), len(inside))
            assert span.is_empty == (not inside)
            assert span.net == span.paid_in - span.paid_out
        for span, following in pairwise(found):
            assert span.last + timedelta(days=1) == following.first
            assert unit(span.first) != unit(following.first)
        total = queries.total(found)
        assert (total.first, total.last) == (first, last)
        assert total.paid_in == sum(span.paid_in for span in found)


def test_an_empty_bank_has_days_without_totals() -> None:
    assert queries.first_day() is None
    [day] = queries.spans(FIRST, FIRST)
    assert day.is_empty
    assert queries.total([day]) == day
