"""The queries of the pages."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from eventstore import clock
from eventstore.events import START
from projections import freshness, queries
from projections.freshness import Freshness
from projections.models import DailyTotals
from projections.projectors import PROJECTORS
from tests.support.values import PIN, deposit, open_account, withdraw

pytestmark = pytest.mark.usefixtures("bank")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


# An empty bank


def test_an_empty_bank_answers_every_question() -> None:
    assert queries.get_account_list() == []
    assert queries.get_total_deposits() == queries.get_total_paid_in() == queries.get_total_paid_out() == 0
    assert queries.bank_figures() == (0, 0, 0, 0, 0)
    assert queries.find_accounts() == queries.find_accounts("Josh") == queries.find_accounts("1") == ([], None)
    assert queries.statement(1) == queries.refusals() == ([], None)
    assert queries.latest_activity() == []
    assert not DailyTotals.objects.exists()
    assert queries.receipt(uuid4()) is None
    assert queries.next_account_id() == 1
    assert freshness.look() == Freshness(START, 0, None, True, True)
    assert [(state.name, state.position, state.behind, state.error) for state in freshness.projection_states()] == [
        (name, 0, 0, "") for name in PROJECTORS
    ]


@pytest.mark.parametrize("account_id", [2, 0, -1, 2**63 - 1, 2**63, 10**30])
def test_an_unknown_account_has_no_balance(account_id: int) -> None:
    open_account(1)
    with pytest.raises(queries.UnknownAccount, match=f"no account {account_id}"):
        queries.check_balance(account_id)
    with pytest.raises(queries.UnknownAccount):
        queries.find_account(account_id)


# Accounts


def test_the_account_list_is_ordered_by_number() -> None:
    for account_id, holder in ((30, "Ann"), (4, "Zoë"), (2**63 - 1, "Bob")):
        open_account(account_id, holder)
    assert queries.get_account_list() == [(4, "Zoë"), (30, "Ann"), (2**63 - 1, "Bob")]
    assert queries.get_account_list()[0].account_holder == "Zoë"


def test_an_account_shows_when_it_was_opened_and_its_last_event() -> None:
    with clock.set_to(NOON):
        open_account(1, "Josh", balance=100)
    with clock.set_to(NOON + timedelta(hours=1)):
        withdraw(1, 5, PIN + 1)
    assert queries.find_account(1) == (1, "Josh", 100, 3, NOON, NOON + timedelta(hours=1), 1, False, None)


# Statements and receipts


def test_a_statement_lists_every_event_the_latest_first_with_the_running_balance() -> None:
    open_account(1, "Josh", balance=100)
    open_account(2, "Luke", balance=7)
    withdraw(1, 30)
    withdraw(1, 20, PIN + 1)
    withdraw(1, 71)
    deposit(1, 5)

    lines = [
        (line.version, line.kind, line.amount, line.balance, line.is_refusal) for line in queries.statement(1).rows
    ]
    assert lines == [
        (6, "deposit", 5, 75, False),
        (5, "account_overdrawn", 71, 70, True),
        (4, "invalid_pin", 20, None, True),
        (3, "withdrawal", 30, 70, False),
        (2, "deposit", 100, 100, False),
        (1, "opened", 0, 0, False),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 10, 25])
def test_the_pages_of_a_statement_join_without_gap_or_repetition(limit: int) -> None:
    open_account(balance=100)
    for number in range(4):
        deposit(1, 1)
        withdraw(1, 1, PIN + number % 2)
    versions, before, pages = list[int](), None, 0
    while True:
        page = queries.statement(1, before=before, limit=limit)
        versions += [line.version for line in page.rows]
        pages += 1
        if (before := page.next) is None:
            break
    assert versions == list(range(10, 0, -1))
    assert pages == -(-10 // limit)


def test_a_page_outside_the_statement_is_empty() -> None:
    open_account(balance=100)
    assert queries.statement(1, before=-1).rows == queries.statement(1, before=1).rows == []
    assert len(queries.statement(1, before=10**30).rows) == 2


def test_the_latest_activity_is_of_the_whole_bank_and_names_the_holders() -> None:
    open_account(1, "Josh", balance=100)
    open_account(2, "Luke")
    withdraw(1, 500)
    activity = [(entry.position, entry.account_holder, entry.kind) for entry in queries.latest_activity(3)]
    assert activity == [(4, "Josh", "account_overdrawn"), (3, "Luke", "opened"), (2, "Josh", "deposit")]


@pytest.mark.parametrize(
    ("amount", "pin", "kind", "balance"),
    [(30, PIN, "withdrawal", 70), (30, PIN + 1, "invalid_pin", None), (500, PIN, "account_overdrawn", 100)],
)
def test_a_receipt_shows_the_event_of_its_command(amount: int, pin: int, kind: str, balance: int | None) -> None:
    command_id = uuid4()
    with clock.set_to(NOON):
        open_account(1, "Josh", balance=100)
        withdraw(1, amount, pin, command_id=command_id, actor="tina")
    deposit(1, 1)

    entry = queries.Entry(3, 1, 3, kind, amount, balance, NOON, "tina", command_id, "Josh")
    assert queries.receipt(command_id) == entry
    assert queries.receipt(UUID(int=1)) is None


def test_the_refusals_of_the_whole_bank_come_in_pages() -> None:
    open_account(1, "Josh")
    open_account(2, "Luke")
    for number in range(1, 6):
        withdraw(1 + number % 2, number)
    first = queries.refusals(limit=3)
    rest = queries.refusals(before=first.next, limit=3)
    assert [(line.account_holder, line.amount) for line in first.rows] == [("Luke", 5), ("Josh", 4), ("Luke", 3)]
    assert [(line.account_holder, line.amount) for line in rest.rows] == [("Josh", 2), ("Luke", 1)]
    assert rest.next is None
    assert all(line.is_refusal for line in first.rows)


# Days


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", {date(2026, 3, 1): (1, 1, 100, 1, 10, 0), date(2026, 3, 2): (0, 1, 5, 0, 0, 2)}),
        ("America/New_York", {date(2026, 3, 1): (1, 2, 105, 1, 10, 2)}),
        ("Asia/Tokyo", {date(2026, 3, 1): (1, 1, 100, 0, 0, 0), date(2026, 3, 2): (0, 1, 5, 1, 10, 2)}),
    ],
)
def test_days_are_those_of_the_banks_time_zone(zone: str, expected: dict[date, tuple[int, ...]], settings: Any) -> None:
    settings.TIME_ZONE = zone
    with clock.set_to(NOON):
        open_account(balance=100)
    with clock.set_to(datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)):
        withdraw(1, 10)
    with clock.set_to(datetime(2026, 3, 2, 0, 0, tzinfo=UTC)):
        deposit(1, 5)
        withdraw(1, 10, PIN + 1)
        withdraw(1, 10_000)

    days = {
        row.day: (row.accounts_opened, row.deposits, row.paid_in, row.withdrawals, row.paid_out, row.refusals)
        for row in DailyTotals.objects.all()
    }
    assert days == expected


# Freshness
