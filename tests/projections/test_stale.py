"""Stale tables, built by another version or with another setting, are found and rebuilt."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from projections import engine, freshness, queries
from projections.projectors import PROJECTORS
from projections.workers.leases import Lease
from tests.support.values import open_account, query

SIDE = "projections"
OF_NAMES = ["accounts", "names"]

pytestmark = pytest.mark.usefixtures("bank")


def stale() -> list[str]:
    return [state.name for state in freshness.projection_states() if state.stale]


def warnings() -> str:
    out = StringIO()
    call_command("check", databases=[SIDE], stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def built_by_the_version_before(bank: object) -> None:
    """An account with the stored name and checkpoints of the version without a versioned search form."""
    open_account(1, "Łukasz O’Brien")
    query("UPDATE projections_accountsummary SET search_name = 'łukasz o’brien'", using=SIDE)
    query("UPDATE projections_checkpoint SET built_with = '' WHERE name IN ('accounts', 'names')", using=SIDE)


def found(text: str) -> list[int]:
    return [account.account_id for account in queries.find_accounts(text).rows]


def test_a_new_bank_is_not_stale() -> None:
    assert stale() == []
    open_account(1)
    assert stale() == []
    assert "W004" not in warnings()


def test_a_new_bank_whose_checkpoints_a_worker_makes_is_not_stale() -> None:
    Lease(list(PROJECTORS)).held()
    open_account(1)
    assert stale() == []


@pytest.mark.usefixtures("built_by_the_version_before")
def test_names_in_an_older_search_form_are_stale_until_a_replay(client: Client) -> None:
    assert found("lukasz") == []
    assert stale() == OF_NAMES
    assert "(bank.W004)" in warnings()
    assert "replay_projections accounts names" in warnings()
    ready = client.get("/readyz")
    assert ready.status_code == 200, "older figures are right, and only some searches find less"
    assert {name for name, state in ready.json()["projections"].items() if "stale" in state} == set(OF_NAMES)

    call_command("replay_projections", *OF_NAMES, stdout=StringIO())
    assert found("lukasz obrien") == [1]
    assert stale() == []
    assert "W004" not in warnings()
    assert "stale" not in str(client.get("/readyz").json())


@pytest.mark.usefixtures("built_by_the_version_before")
def test_catching_up_leaves_a_stale_table_stale() -> None:
    open_account(2, "Søren")
    assert found("soren") == [2]
    assert stale() == OF_NAMES


def test_a_bank_of_the_version_before_without_events_is_not_stale_after_the_upgrade() -> None:
    engine.catch_up()
    call_command("migrate", SIDE, "0004", database=SIDE, verbosity=0)
    at_zero = {name for (name,) in query("SELECT name FROM projections_checkpoint WHERE position = 0", using=SIDE)}
    assert at_zero >= {"accounts", "statements", "refusals", "totals", "daily", "names"}
    call_command("migrate", database=SIDE, verbosity=0)
    open_account(1)
    assert stale() == []
