"""The geometry of charts: whole coordinates in the view box, and amounts from the least to the most."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bank.domain.values import MAX_BALANCE
from bank.screens.charts import HEIGHT, STEPS, WIDTH, Chart, Flow, Point, axis, balance_chart, flow_chart

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HUGE = 10**24
"""More than a sum of many amounts needs."""


def corners(path: str) -> Iterator[tuple[int, int]]:
    """Yield the corners of a path."""
    x = y = 0
    for letter, words in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        numbers = [int(number) for number in words.split()]  # fails at a NaN or a fraction
        match letter:
            case "M" | "L":
                x, y = numbers
            case "H":
                [x] = numbers
            case "V":
                [y] = numbers
            case "h":
                x += numbers[0]
            case "Z":
                continue
            case _:
                raise AssertionError(letter)
        yield x, y


def shape(chart: Chart, name: str) -> list[tuple[int, int]]:
    return [corner for each in chart.shapes if each.name == name for corner in corners(each.path)]


def check(chart: Chart) -> None:
    """Check that all of a chart is within its view box, and that there is a label for each line across it."""
    for each in chart.shapes:
        for x, y in corners(each.path):
            assert 0 <= x <= WIDTH, each
            assert 0 <= y <= HEIGHT, each
    assert len(chart.amounts) == len(set(chart.amounts)) == len(shape(chart, "grid") + shape(chart, "zero")) // 2
    assert 1 <= len(chart.times) <= 4


amounts = st.integers(-HUGE, HUGE) | st.integers(-5, 5)


@given(st.lists(amounts))
@example([])
@example([0])
@example([1])
@example([HUGE, -HUGE])
def test_an_axis_has_few_round_lines_and_room_for_every_amount_and_zero(amounts: list[int]) -> None:
    found = axis(amounts)
    assert found.bottom <= min([0, *amounts])
    assert max([0, *amounts]) <= found.top
    assert 2 <= len(found.ticks) <= STEPS + 2
    assert (found.ticks[0], found.ticks[-1]) == (found.top, found.bottom)
    assert 0 in found.ticks
    assert re.fullmatch("[125]0*", str(found.step))
    assert [found.y(found.top), found.y(found.bottom)] == [0, HEIGHT]


balances = st.integers(0, MAX_BALANCE) | st.integers(0, 5)
points = st.lists(st.tuples(st.integers(-10, 10**13), balances).map(lambda each: (each[0], each[1])), min_size=1)


@given(points, st.integers(1, 10**13))
@example([(0, 0)], 1)
@example([(0, MAX_BALANCE)], 1)
def test_a_balance_reaches_its_least_and_its_most_from_edge_to_edge(found: list[tuple[int, int]], length: int) -> None:
    times = sorted(moment for moment, _ in found)
    steps = [Point(BEGIN + timedelta(microseconds=at), each[1]) for at, each in zip(times, found, strict=True)]
    chart = balance_chart(steps, BEGIN, BEGIN + timedelta(microseconds=length), "")
    check(chart)
    line = shape(chart, "trace")
    levels, chosen = [y for _, y in line], axis(point.balance for point in steps)
    assert min(levels) == chosen.y(max(point.balance for point in steps))
    assert max(levels) == chosen.y(min(point.balance for point in steps))
    assert [line[0][0], line[-1][0]] == [0, WIDTH]
    assert [x for x, _ in line] == sorted(x for x, _ in line)


sums = st.integers(0, HUGE) | st.integers(0, 3)


@given(st.lists(st.tuples(sums, sums), min_size=1, max_size=400))
@example([(0, 0)])
@example([(0, HUGE)])
@example([(1, 1)] * 300)
def test_bars_begin_at_zero_and_reach_their_sums_and_the_line_passes_their_differences(
    found: list[tuple[int, int]],
) -> None:
    flows = [Flow(date(2026, 1, 1) + timedelta(days=at), *each) for at, each in enumerate(found)]
    chart = flow_chart(flows, "")
    check(chart)
    chosen = axis(amount for paid_in, paid_out in found for amount in (paid_in, paid_out, paid_in - paid_out))
    for name, sums in (("bar-in", [each for each, _ in found]), ("bar-out", [each for _, each in found])):
        bars = shape(chart, name)
        corners_of = [bars[at : at + 4] for at in range(0, len(bars), 4)]
        assert [bar[1][1] for bar in corners_of] == [chosen.y(each) for each in sums if each]
        assert all(bar[0][1] == bar[3][1] == chosen.y(0) and bar[0][0] < bar[2][0] for bar in corners_of)
    line = shape(chart, "net")
    assert [y for _, y in line] == [chosen.y(paid_in - paid_out) for paid_in, paid_out in found]
    assert len({x for x, _ in line}) == len(found)


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (0, ["1", "0"]),
        (5, ["0.06", "0.04", "0.02", "0.00"]),
        (1_250_00, ["1,500", "1,000", "500", "0"]),
        (3_000_000_00, ["3M", "2M", "1M", "0"]),
        (MAX_BALANCE, ["100000T", "50000T", "0"]),
    ],
)
def test_the_labels_of_amounts_are_short(most: int, labels: list[str]) -> None:
    assert flow_chart([Flow(date(2026, 1, 1), most, 0)], "").amounts == labels


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (timedelta(hours=24), ["00:00", "08:00", "16:00", "00:00"]),
        (timedelta(days=30), ["1 Mar", "11 Mar", "21 Mar", "31 Mar"]),
        (timedelta(days=3 * 365), ["Mar 2026", "Mar 2027", "Feb 2028", "Feb 2029"]),
    ],
)
def test_the_labels_of_times_fit_their_length(length: timedelta, labels: list[str]) -> None:
    assert balance_chart([Point(BEGIN, 1)], BEGIN, BEGIN + length, "").times == labels
