"""The projections of tills: each shift with its figures, and its movements."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import BringCashFromVault, CloseTill, OpenTill, RecordCashIn, RecordCashOut, TakeCashToVault
from bank.operations.audit import audit
from eventstore import clock
from projections import engine, queries, tills
from projections.workers import replay
from tests.support.values import query

pytestmark = pytest.mark.usefixtures("bank")

PAYMENT = uuid4()


@pytest.fixture
def day(bank: Path) -> None:
    """Tina's shift at till 7, 5.00 short, with a late payment; tom's at the same till, open; and tilda's at till 8."""
    handle(OpenTill(7, "tina", 500_00), actor="tina")
    handle(RecordCashIn(7, 1, 100_00, str(PAYMENT)), actor="tina")
    handle(RecordCashOut(7, 1, 700_00, str(PAYMENT)), actor="tina")
    handle(BringCashFromVault(7, 1, 200_00), actor="tina")
    handle(TakeCashToVault(7, 1, 50_00), actor="tina")
    handle(CloseTill(7, 1, ((5_00, 9),)), actor="sue")
    handle(OpenTill(7, "tom", 10_00), actor="tom")
    handle(RecordCashIn(7, 1, 1_00, str(PAYMENT)), actor="tina")
    handle(RecordCashOut(7, 1, 3_00, str(PAYMENT)), actor="tina")
    handle(OpenTill(8, "tilda", 0), actor="tilda")


@pytest.mark.usefixtures("day")
def test_a_shift_has_its_figures() -> None:
    shift = tills.find_shift(7, 1)
    assert shift is not None
    assert shift[:3] == (7, 1, "tina")
    assert shift.opening_cash == 500_00
    assert (shift.expected, shift.counted, shift.difference) == (50_00, 45_00, -5_00)
    assert (shift.late, shift.real_difference) == (-2_00, -3_00)
    assert shift.closed_by == "sue"
    assert not shift.is_open
    other = tills.find_shift(7, 2)
    assert other is not None
    assert (other.teller, other.expected, other.late, other.counted, other.real_difference) == (
        "tom",
        10_00,
        0,
        None,
        None,
    )
    assert tills.find_shift(7, 3) is tills.find_shift(10**30, 1) is None


@pytest.mark.usefixtures("day")
def test_the_movements_of_a_shift_come_in_pages_the_latest_first() -> None:
    found = queries.till_movements(7, 1, limit=4)
    assert [(each.kind, each.amount, each.expected) for each in found.rows] == [
        ("late_out", -3_00, 50_00), ("late_in", 1_00, 50_00), ("closed", 0, 50_00), ("to_vault", -50_00, 50_00),
    ]  # fmt: skip
    rest = queries.till_movements(7, 1, before=found.next, limit=4)
    assert [(each.kind, each.amount, each.expected) for each in rest.rows] == [
        ("from_vault", 200_00, 100_00), ("paid_out", -700_00, -100_00), ("paid_in", 100_00, 600_00),
        ("opened", 500_00, 500_00),
    ]  # fmt: skip
    assert rest.next is None
    assert [each.about_command_id for each in rest.rows] == [None, PAYMENT, PAYMENT, None]


@pytest.mark.usefixtures("day")
def test_the_open_till_of_a_teller_and_a_free_number_are_found() -> None:
    assert tills.open_shift_of("tina") is None
    tom = tills.open_shift_of("tom")
    assert tom is not None
    assert (tom.till_id, tom.shift) == (7, 2)
    assert tills.free_till() == 1
    handle(OpenTill(1, "a", 0))
    handle(OpenTill(3, "b", 0))
    assert tills.free_till() == 2


def test_the_shifts_of_a_day_are_those_that_were_open_in_it() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for at, command in (
        (noon, OpenTill(1, "before", 0)),
        (noon + timedelta(hours=1), CloseTill(1, 1, ())),
        (noon + timedelta(hours=2), OpenTill(2, "over night", 0)),
        (noon + timedelta(hours=3), OpenTill(3, "left open", 0)),
        (noon + timedelta(days=1), CloseTill(2, 1, ())),
        (noon + timedelta(days=1, hours=1), OpenTill(1, "in the day", 0)),
        (noon + timedelta(days=1, hours=2), CloseTill(1, 2, ())),
        (noon + timedelta(days=2), OpenTill(1, "after", 0)),
    ):
        with clock.set_to(at):
            handle(command)
    midnight = noon.replace(hour=0) + timedelta(days=1)
    found = tills.shifts_between(midnight, midnight + timedelta(days=1))
    assert [each.teller for each in found] == ["in the day", "over night", "left open"]


@pytest.mark.usefixtures("day")
def test_a_replay_rebuilds_the_same_and_verification_compares_the_figures() -> None:
    assert replay.check() == []
    before = query("SELECT * FROM projections_tillshift ORDER BY key", using="projections")
    replay.replay(["tills", "till_movements"])
    assert query("SELECT * FROM projections_tillshift ORDER BY key", using="projections") == before
    assert replay.check() == []
    assert audit(processes=1).findings == []
    assert audit(processes=2).findings == []
    query("UPDATE projections_tillshift SET counted = 50 WHERE key = 10007", using="projections")
    query("UPDATE projections_tillmovement SET amount = 0 WHERE kind = 'late_in'", using="projections")
    assert sorted(str(each).split(":")[0] for each in audit(processes=1).findings) == [
        "the read side's till_movements 7-1", "the read side's tills 7-1",
    ]  # fmt: skip
    assert len(replay.check()) == 2


@pytest.mark.usefixtures("day")
def test_events_in_one_batch_and_one_by_one_give_the_same_rows() -> None:
    """The fixture's events were projected one by one."""
    tables = ("projections_tillshift", "projections_tillmovement")
    before = [query(f"SELECT * FROM {table} ORDER BY 1", using="projections") for table in tables]
    for table in tables:
        query(f"DELETE FROM {table}", using="projections")
    query("DELETE FROM projections_checkpoint WHERE name LIKE 'till%%'", using="projections")
    engine.catch_up()
    assert [query(f"SELECT * FROM {table} ORDER BY 1", using="projections") for table in tables] == before


@pytest.mark.usefixtures("day")
def test_the_admin_shows_shifts_and_movements(admin_client: Client) -> None:
    for page, words in (
        ("tillshift/", ">tina<"),
        ("tillshift/?q=8", ">tilda<"),
        ("tillshift/10007/change/", "tina"),
        ("tillmovement/", "Paid in, recorded after the closing"),
        (f"tillmovement/?q={PAYMENT}", "Paid out, recorded after the closing"),
        ("tillmovement/?q=8", "Till opened"),
    ):
        response = admin_client.get(f"/admin/projections/{page}", follow=True)
        assert response.status_code == 200, page
        assert words in response.content.decode(), page
