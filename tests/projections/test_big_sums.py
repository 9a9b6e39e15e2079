"""Sums of money are exact beyond 64 bits: totals, days, statements, a replay and the verification."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bank.domain import values
from bank.domain.values import MAX_BALANCE
from bank.screens.money import format_money
from projections import queries
from projections.big_sums import joined, split
from projections.models import DailyTotals
from projections.workers import replay
from tests.support.record import verify
from tests.support.values import deposit, open_account, query, withdraw

SIDE = "projections"


@pytest.fixture
def rich(bank: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five accounts, each filled to the limit, emptied, and filled again except for 1.

    The limit of one command is raised, because the deposits would otherwise take a day.
    """
    monkeypatch.setattr(values, "MAX_AMOUNT", MAX_BALANCE)
    for account_id in range(1, 6):
        open_account(account_id, balance=MAX_BALANCE)
        withdraw(account_id, MAX_BALANCE)
        deposit(account_id, MAX_BALANCE - 1)


PAID_IN, PAID_OUT = 5 * (2 * MAX_BALANCE - 1), 5 * MAX_BALANCE


def assert_exact() -> None:
    assert queries.bank_figures() == (5, PAID_IN - PAID_OUT, PAID_IN, PAID_OUT, 0)
    assert queries.get_total_deposits() == 5 * (MAX_BALANCE - 1)
    assert [(day.deposits, day.paid_in, day.withdrawals, day.paid_out) for day in DailyTotals.objects.all()] == [
        (10, PAID_IN, 5, PAID_OUT)
    ]
    assert [line.balance for line in queries.statement(5).rows] == [MAX_BALANCE - 1, 0, MAX_BALANCE, 0]
    assert replay.check() == []
    assert "exit" not in verify()


@pytest.mark.usefixtures("rich")
def test_the_sums_of_full_accounts_are_exact() -> None:
    assert_exact()
    call_command("replay_projections", stdout=StringIO())
    assert_exact()


@pytest.mark.usefixtures("rich")
def test_money_that_leaves_again_takes_the_sums_back_below_64_bits() -> None:
    for account_id in range(1, 6):
        withdraw(account_id, MAX_BALANCE - 1)
    assert queries.bank_figures() == (5, 0, PAID_IN, PAID_IN, 0)
    assert query("SELECT balance_high, balance FROM projections_banktotals", using=SIDE) == [(0, 0)]
    assert replay.check() == []


@pytest.mark.usefixtures("rich")
def test_screens_and_admin_show_the_whole_sums(admin_client: Client) -> None:
    assert "461,168,601,842,738,790.30" in admin_client.get("/bank/").content.decode()
    for sum_shown in ("922,337,203,685,477,580.65", "461,168,601,842,738,790.35"):
        assert sum_shown in admin_client.get("/days/").content.decode()
    for page in ("banktotals/", "banktotals/1/change/", "dailytotals/"):
        assert format_money(PAID_IN) in admin_client.get(f"/admin/projections/{page}").content.decode(), page


@pytest.mark.usefixtures("rich")
def test_the_version_before_may_add_to_the_low_part_alone() -> None:
    """During an upgrade the previous version runs beside this one. Its low part may exceed 62 bits, or be negative."""
    for change in (MAX_BALANCE, -100):
        query("UPDATE projections_banktotals SET balance = %s", change, using=SIDE)
        before = queries.get_total_deposits()
        withdraw(1, 50)
        deposit(1, 20)
        assert queries.get_total_deposits() == before - 30


@hypothesis_settings(deadline=None)
@given(st.lists(st.integers(-(2**64), 2**64), max_size=5))
def test_parts_of_a_sum_are_the_sum(amounts: list[int]) -> None:
    parts = [split(amount) for amount in amounts]
    assert joined(sum(high for high, _ in parts), sum(low for _, low in parts)) == sum(amounts)
    assert all(0 <= low < 2**62 for _, low in parts)


@pytest.mark.usefixtures("rich")
def test_a_changed_high_part_is_found_by_the_verification() -> None:
    query("UPDATE projections_banktotals SET paid_out_high = paid_out_high + 1", using=SIDE)
    assert "totals 1" in (output := verify())
    assert output.endswith("exit 1")
