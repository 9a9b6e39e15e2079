"""The statement of an account in a period and of some kinds, and its totals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from bank.domain import values
from bank.domain.values import MAX_BALANCE
from eventstore import clock
from projections import queries, statements
from projections.queries import Part, Totals
from tests.support.long_statement import NOON, add_lines
from tests.support.values import PIN, deposit, open_account, query, withdraw

pytestmark = pytest.mark.usefixtures("bank")

DAY = timedelta(days=1)


@pytest.fixture
def business(bank: object) -> None:
    """An account that opens with 100, and on each of the next five days takes in 10 and pays out 5.

    A withdrawal is refused on the second and the fourth of these days. Account 2 has events in between.
    """
    with clock.set_to(NOON):
        open_account(1, balance=100)
        open_account(2, balance=7)
    for day in range(1, 6):
        with clock.set_to(NOON + day * DAY):
            deposit(1, 10)
            withdraw(1, 5)
            withdraw(2, 1)
            if day in (2, 4):
                withdraw(1, 5, PIN + 1)


def versions(part: Part, account_id: int = 1) -> list[int]:
    """Return the versions of a part, which are the same in either order."""
    found = [entry.version for entry in queries.in_order(account_id, part)]
    assert [entry.version for entry in queries.statement(account_id, part=part, limit=100).rows] == found[::-1]
    assert queries.totals(account_id, part).lines == len(found)
    return found


@pytest.mark.usefixtures("business")
@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, range(1, 15)),
        (NOON, None, range(1, 15)),
        (NOON + timedelta(microseconds=1), None, range(3, 15)),
        (None, NOON, []),
        (None, NOON + timedelta(microseconds=1), [1, 2]),
        (NOON + DAY, NOON + 2 * DAY, [3, 4]),
        (NOON + 2 * DAY, NOON + 3 * DAY, [5, 6, 7]),
        (NOON + 1.5 * DAY, NOON + 1.6 * DAY, []),
        (NOON - 9 * DAY, NOON - 8 * DAY, []),
        (NOON + 9 * DAY, NOON + 10 * DAY, []),
        (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), range(1, 15)),
    ],
)
def test_a_part_has_the_entries_of_a_half_open_period(
    since: datetime | None, until: datetime | None, expected: Any
) -> None:
    assert versions(queries.part_of(1, since, until)) == list(expected)


@pytest.mark.usefixtures("business")
@pytest.mark.parametrize(
    ("group", "expected", "paid_in", "paid_out"),
    [
        ("", [5, 6, 7, 8, 9], 20, 10),
        ("money", [5, 6, 8, 9], 20, 10),
        ("in", [5, 8], 20, 0),
        ("out", [6, 9], 0, 10),
        ("refused", [7], 0, 0),
        ("other", [], 0, 0),
    ],
)
def test_a_part_may_be_of_some_kinds_and_the_balances_are_those_of_the_period(
    group: str, expected: list[int], paid_in: int, paid_out: int
) -> None:
    part = queries.part_of(1, NOON + 2 * DAY, NOON + 4 * DAY, group)
    assert versions(part) == expected
    assert queries.totals(1, part) == Totals(len(expected), paid_in, paid_out, 105, 115)


@pytest.mark.usefixtures("business")
def test_every_entry_is_in_a_group() -> None:
    assert versions(Part(group="other")) == [1]
    parts = [versions(Part(group=group)) for group in ("money", "refused", "other")]
    assert sorted(version for part in parts for version in part) == versions(queries.WHOLE)
    assert sorted(versions(Part(group="in")) + versions(Part(group="out"))) == parts[0]


@pytest.mark.usefixtures("business")
def test_before_the_first_entry_and_of_an_unknown_account_every_balance_is_0() -> None:
    assert queries.totals(1, queries.part_of(1, None, NOON)) == Totals(0, 0, 0, 0, 0)
    assert queries.totals(1, queries.part_of(1, NOON + 99 * DAY, None)) == Totals(0, 0, 0, 125, 125)
    assert queries.totals(9, queries.part_of(9, NOON, NOON + DAY)) == Totals(0, 0, 0, 0, 0)


@pytest.mark.usefixtures("business")
@pytest.mark.parametrize("limit", [1, 2, 3, 8])
@pytest.mark.parametrize("group", queries.GROUPS)
def test_the_pages_of_a_part_join_without_gap_or_repetition(limit: int, group: str) -> None:
    part = queries.part_of(1, NOON + DAY, NOON + 5 * DAY, group)
    seen, before = list[int](), None
    while True:
        page = queries.statement(1, before=before, limit=limit, part=part)
        seen += [entry.version for entry in page.rows]
        if (before := page.next) is None:
            break
    assert seen == versions(part)[::-1]


@pytest.mark.usefixtures("business")
def test_entries_in_order_come_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = versions(queries.WHOLE)
    monkeypatch.setattr(statements, "AT_ONCE", 3)
    with CaptureQueriesContext(connections["projections"]) as sent:
        assert versions(queries.WHOLE) == whole
    assert len([each for each in sent if "ASC" in each["sql"]]) == 6


@pytest.mark.usefixtures("business")
def test_a_part_does_not_grow_with_later_entries() -> None:
    parts = queries.part_of(1, None, None), queries.part_of(1, NOON, NOON + 99 * DAY)
    with clock.set_to(NOON + 6 * DAY):
        deposit(1, 10)
    assert [versions(part)[-1] for part in parts] == [14, 14]


def test_totals_are_exact_beyond_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MAX_AMOUNT", MAX_BALANCE)
    open_account(1)
    for _ in range(3):
        deposit(1, MAX_BALANCE)
        withdraw(1, MAX_BALANCE)
    deposit(1, MAX_BALANCE - 1)
    whole = queries.totals(1, queries.WHOLE)
    assert whole == Totals(8, 4 * MAX_BALANCE - 1, 3 * MAX_BALANCE, 0, MAX_BALANCE - 1)


# Rows that the database reads


@pytest.fixture
def long_statement(bank: object) -> None:
    """An account with 5,000 lines, one a minute, and as many refusals. 20 other accounts have 500 of each."""
    for account_id in range(1, 22):
        lines = 5000 if account_id == 1 else 500
        add_lines(account_id, lines, refused=lines)
    query("ANALYZE", using="projections")


@pytest.mark.usefixtures("long_statement")
def test_every_query_of_a_statement_goes_by_the_index_of_account_and_version() -> None:
    """A page of 25 lines and the search for a day read no other line; the totals read their own lines."""
    side = connections["projections"]
    with CaptureQueriesContext(side) as sent:
        part = queries.part_of(1, NOON + timedelta(minutes=2000), NOON + timedelta(minutes=2100))
        assert part == Part(2000, 2100)
        queries.statement(1, part=part)
        queries.totals(1, part)
        list(queries.in_order(1, part))
    assert len(sent) == 7
    for each in sent.captured_queries:
        explain = "EXPLAIN QUERY PLAN " if side.vendor == "sqlite" else "EXPLAIN (ANALYZE, COSTS OFF) "
        plan = "\n".join(str(row[-1]) for row in query(explain + each["sql"].replace("%", "%%"), using="projections"))
        assert "line_account_version" in plan, plan
        assert "refusal_account_version" in plan, plan
        assert "SCAN projections_" not in plan, plan
        for table in ("statementline", "refusedwithdrawal"):
            assert f"Seq Scan on projections_{table}" not in plan, plan
