"""The account number that a form suggests."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from projections import free_numbers, queries
from tests.support.values import open_account

LAST = 2**63 - 1


@pytest.mark.parametrize(
    ("numbers", "suggested"),
    [
        ([], 1),
        ([1], 2),
        ([41], 42),
        (range(1, 11), 11),
        ([*range(1, 11), 1000], 11),
        ([*range(1, 11), 12], 11),
        ([*range(1, 13), 1000], 13),
        ([1, 1000], 2),
        ([1, 2, LAST], 3),
        ([1, LAST], 2),
        ([LAST], 1),
        ([LAST - 1, LAST], 1),
        ([1, 2, 4, LAST - 1, LAST], 3),
        ([1, LAST - 2, LAST - 1, LAST], 2),
        ([*range(1, 4), *range(1000, 1003)], 1003),
        ([10, 20, 30], 11),
    ],
)
def test_the_suggested_number_follows_the_highest_run(bank: object, numbers: list[int], suggested: int) -> None:
    for number in numbers:
        open_account(number)
    assert queries.next_account_id() == suggested
    with pytest.raises(queries.UnknownAccount):
        queries.find_account(suggested)


def test_a_slip_shifts_no_later_suggestion(bank: object) -> None:
    opened = []
    for slip in (0, 0, 0, 7000, 0, 6, LAST, 0, 0, 0):
        opened.append(slip or queries.next_account_id())
        open_account(opened[-1])
    assert opened == [1, 2, 3, 7000, 4, 6, LAST, 5, 7, 8]


def test_the_number_that_was_just_taken_is_not_suggested(bank: object, settings: object) -> None:
    open_account(1)
    assert queries.next_account_id(taken=2) == 3, "the read side does not show account 2 yet"
    assert queries.next_account_id(taken=1) == 2


@pytest.mark.parametrize("looked_at", [1, 2, 3])
def test_a_suggestion_is_free_however_few_numbers_are_looked_at(
    bank: object, looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_numbers, "LOOKED_AT", looked_at)
    for number in (1, 2, 3, 50, 60, LAST - 2, LAST - 1, LAST):
        open_account(number)
        with pytest.raises(queries.UnknownAccount):
            queries.find_account(queries.next_account_id())


def test_a_suggestion_is_one_query(bank: object) -> None:
    open_account(1)
    with CaptureQueriesContext(connections["projections"]) as statements:
        queries.next_account_id()
    assert len(statements) == 1
