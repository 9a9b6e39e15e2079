"""A projector that raises at single events, for each projection: its reports, the others, and the recovery."""

from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper
from django.test import Client

from projections.models import Checkpoint
from projections.projectors import PROJECTORS
from projections.projectors.base import Batch, Projector
from projections.workers import replay, resume
from tests.support.helpers import client_of, text_of
from tests.support.parked import assert_is_whole, parked
from tests.support.values import PIN, deposit, open_account, query, whole_log, withdraw
from tests.system.simulator.tables import TABLES, fold, live_rows

pytestmark = pytest.mark.usefixtures("bank")

type Poison = tuple[str, set[int]]
"""The name of a projection, and the positions of the events at which its projector raises."""


class Poisoned(Exception):
    """The error of the broken projector."""


@pytest.fixture(params=PROJECTORS)
def poisoned(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Poison:
    """A projection that fails at the positions that a test adds."""
    kind, positions = PROJECTORS[request.param], set[int]()
    healthy = kind.apply

    def apply(self: Projector, cursor: CursorWrapper, batch: Batch) -> None:
        healthy(self, cursor, batch)  # these writes must be rolled back
        if bad := positions.intersection(recorded.position for _, recorded in batch):
            raise Poisoned(f"cannot digest {bad}")

    monkeypatch.setattr(kind, "apply", apply)
    return request.param, positions


def test_an_event_at_which_a_projector_raises_parks_its_account_there(poisoned: Poison) -> None:
    name, positions = poisoned
    positions |= {3, 7}
    open_account(1, balance=100)
    deposit(1, 20)
    open_account(2, "Luke Ng", balance=7)
    withdraw(1, 30)
    withdraw(1, 30, PIN + 1)
    assert deposit(2, 5).position == 8, "commands go on"
    assert parked() == {(name, "bank_account-1", 3)}
    assert dict(Checkpoint.objects.values_list("name", "position")) == dict.fromkeys(PROJECTORS, 8)
    log = whole_log()
    for table in TABLES:
        seen = [each for each in log if table != name or each.stream != "bank_account-1" or each.version < 3]
        assert live_rows(table) == fold(seen).rows(table), table
    assert replay.check() == []
    replay.replay()
    assert parked() == {(name, "bank_account-1", 3)}
    assert replay.check() == []

    assert resume.resume() == 0
    positions.remove(3)
    resume.resume()
    assert parked() == {(name, "bank_account-1", 5)}
    positions.clear()
    deposit(1, 1)
    assert resume.resume() == 1
    assert_is_whole()
    assert replay.check() == []


def test_readyz_and_the_admin_name_the_event_and_the_error(poisoned: Poison) -> None:
    name, positions = poisoned
    positions.add(3)
    open_account(1, balance=100)
    deposit(1, 20)
    open_account(2, "Ada")

    answer: Any = Client().get("/readyz")
    assert answer.status_code == 200, "the others are served"
    reported = answer.json()["parked"]
    assert (reported["accounts"], reported["projections"]) == (1, [name])
    assert "cannot digest" not in answer.content.decode()

    auditor = client_of("otto", "Auditors", is_staff=True)
    page = text_of(auditor.get("/admin/projections/parkedstream/"))
    assert f"{name} bank_account-1 3 3 money_deposited_into_bank_account" in page
    assert "Poisoned: cannot digest {3}" in page

    positions.clear()
    resume.resume()
    assert "parked" not in Client().get("/readyz").json()
    assert "cannot digest" not in text_of(auditor.get("/admin/projections/parkedstream/"))


def test_two_adjacent_faulty_accounts_are_parked_once_a_third_one_can_be_applied(poisoned: Poison) -> None:
    name, positions = poisoned
    open_account(1)
    open_account(2, "Luke Ng")
    positions |= {3, 4}
    deposit(1, 1)
    deposit(2, 2)
    open_account(3, "Ada")
    assert parked() == {(name, "bank_account-1", 2), (name, "bank_account-2", 2)}
    assert {each.error for each in Checkpoint.objects.all()} == {""}
    positions.clear()
    resume.resume()
    assert_is_whole()


def test_a_replay_that_meets_the_fault_first_fails_and_leaves_the_figures(poisoned: Poison, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    poisoned[1].add(1)
    open_account(1)
    deposit(1, 20)
    with pytest.raises(Poisoned):
        replay.replay()
    assert not Checkpoint.objects.exists()


@pytest.mark.parametrize("name", PROJECTORS)
def test_a_table_that_is_missing_parks_no_account(name: str, settings: Any) -> None:
    open_account(1)
    open_account(2, "Luke Ng")
    query(f"DROP TABLE {PROJECTORS[name].model._meta.db_table}", using="projections")
    for account_id in (1, 2):
        deposit(account_id, 5)
        withdraw(account_id, 1, PIN + 1)
        open_account(account_id + 5)
    assert parked() == set()
