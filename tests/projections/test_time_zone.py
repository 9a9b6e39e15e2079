"""The daily totals keep one time zone after a change of the setting."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from bank.operations.audit import audit
from eventstore import clock
from projections import freshness
from tests.support.record import verify
from tests.support.values import deposit, open_account, query

SIDE = "projections"
BERLIN = "Europe/Berlin"
LATE = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
"""Half an hour before midnight in UTC, and after midnight in Berlin."""

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def in_another_zone(bank: object, settings: Settings) -> None:
    """A bank in UTC whose settings now say Berlin."""
    with clock.set_to(LATE):
        open_account(1)
        deposit(1, 100)
    settings.TIME_ZONE = BERLIN


def days() -> list[tuple[str, int]]:
    return [
        (str(day), paid_in) for day, paid_in in query("SELECT day, paid_in FROM projections_dailytotals", using=SIDE)
    ]


def check() -> str:
    out = StringIO()
    call_command("replay_projections", "--check", stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.usefixtures("in_another_zone")
def test_a_change_of_the_time_zone_is_no_finding_and_is_named_everywhere() -> None:
    assert audit().findings == []
    assert "Compared as built by another version of the program or with another setting: daily." in verify()
    assert "Not compared: daily. Another version of the program or another setting has built" in check()
    assert freshness.stale() == ["daily"]
    out = StringIO()
    call_command("check", databases=[SIDE], stdout=out, stderr=out)
    assert "manage.py replay_projections daily" in out.getvalue()
    ready = Client().get("/readyz")
    assert ready.status_code == 200
    assert "another setting" in ready.json()["projections"]["daily"]["stale"]


@pytest.mark.usefixtures("in_another_zone")
def test_the_table_keeps_to_its_zone_until_it_is_rebuilt() -> None:
    with clock.set_to(LATE):
        deposit(1, 20)
    assert days() == [("2026-03-01", 120)]
    assert audit().findings == []
    call_command("replay_projections", "daily", stdout=StringIO())
    assert days() == [("2026-03-02", 120)]
    with clock.set_to(LATE):
        deposit(1, 3)
    assert days() == [("2026-03-02", 123)]
    assert freshness.stale() == []
    assert audit().findings == []
    assert "No difference in accounts, statements, refusals, totals, daily, names" in check()
    assert "Compared as built" not in verify()


@pytest.mark.usefixtures("in_another_zone")
def test_a_changed_row_is_still_a_finding() -> None:
    query("UPDATE projections_dailytotals SET paid_in = 99", using=SIDE)
    [finding] = audit().findings
    assert "the read side's daily 2026-03-01: it shows" in str(finding)


@pytest.mark.usefixtures("in_another_zone")
def test_a_zone_that_is_changed_and_changed_back_leaves_no_trace(settings: Settings) -> None:
    with clock.set_to(LATE):
        deposit(1, 20)
    settings.TIME_ZONE = "UTC"
    assert freshness.stale() == []
    assert audit().findings == []
    assert "No difference in" in check()


def test_totals_of_the_version_before_are_in_the_zone_of_the_settings() -> None:
    open_account(1)
    call_command("migrate", SIDE, "0008", database=SIDE, verbosity=0)
    query("UPDATE projections_checkpoint SET built_with = '' WHERE name = 'daily'", using=SIDE)
    call_command("migrate", database=SIDE, verbosity=0)
    assert query("SELECT built_with FROM projections_checkpoint WHERE name = 'daily'", using=SIDE) == [("UTC",)]
    assert freshness.stale() == []
