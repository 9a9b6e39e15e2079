"""A projector that raises at one event, for each projection: its reports, the others, and the recovery."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper
from django.test import Client

from eventstore import store
from projections.models import Checkpoint
from projections.projectors import PROJECTORS
from projections.projectors.base import Batch, Projector
from projections.workers import replay, resume
from tests.support.helpers import client_of, text_of
from tests.support.values import PIN, deposit, open_account, whole_log, withdraw
from tests.system.simulator.tables import TABLES, fold, live_rows

POISONED = 3
WHY = "no such thing as a second deposit"

pytestmark = pytest.mark.usefixtures("bank")


class Poisoned(Exception):
    """The error of the broken projector."""


@pytest.fixture(params=PROJECTORS)
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Callable[[], None]]:
    """The name of a projection that fails at the third event, and a function that repairs it."""
    kind = PROJECTORS[request.param]
    healthy = kind.apply

    def apply(self: Projector, cursor: CursorWrapper, batch: Batch) -> None:
        healthy(self, cursor, batch)  # these writes must be rolled back
        if POISONED in {recorded.position for _, recorded in batch}:
            raise Poisoned(WHY)

    monkeypatch.setattr(kind, "apply", apply)
    return request.param, lambda: monkeypatch.setattr(kind, "apply", healthy)


def business() -> None:
    """Record seven events of every kind; the projector fails at the third."""
    open_account(balance=100)
    assert deposit(1, 20).position == POISONED
    for amount, pin in ((30, PIN), (30, PIN + 1), (500, PIN)):
        withdraw(1, amount, pin)
    assert open_account(2, "Ada").position == store.last_position() == 7, "commands go on"


def positions() -> dict[str, int]:
    return dict(Checkpoint.objects.values_list("name", "position"))


def test_the_others_continue_and_its_writes_of_the_event_are_rolled_back(
    broken: tuple[str, Callable[[], None]],
) -> None:
    name, _ = broken
    business()
    assert positions() == dict.fromkeys(PROJECTORS, 7)
    log = whole_log()
    for table in TABLES:
        seen = [each for each in log if table != name or each.stream != "bank_account-1" or each.version < POISONED]
        assert live_rows(table) == fold(seen).rows(table), table


def test_readyz_and_the_admin_name_the_event_and_the_error(broken: tuple[str, Callable[[], None]]) -> None:
    name, mend = broken
    business()

    answer: Any = Client().get("/readyz")
    assert answer.status_code == 200, "the others are served"
    parked = answer.json()["parked"]
    assert (parked["accounts"], parked["projections"]) == (1, [name])
    assert WHY not in answer.content.decode()

    auditor = client_of("otto", "Auditors", is_staff=True)
    page = text_of(auditor.get("/admin/projections/parkedstream/"))
    assert f"{name} bank_account-1 {POISONED} {POISONED} money_deposited_into_bank_account" in page
    assert f"Poisoned: {WHY}" in page

    mend()
    resume.resume()
    assert "parked" not in Client().get("/readyz").json()
    assert WHY not in text_of(auditor.get("/admin/projections/parkedstream/"))


def test_after_the_fix_it_is_resumed(broken: tuple[str, Callable[[], None]]) -> None:
    _, mend = broken
    business()
    mend()
    deposit(1, 1)
    assert resume.resume() == 1
    assert positions() == dict.fromkeys(PROJECTORS, 8)
    for table in TABLES:
        assert live_rows(table) == fold(whole_log()).rows(table), table
    assert replay.check() == []


def test_a_replay_that_meets_the_fault_first_fails_and_leaves_the_figures(
    broken: tuple[str, Callable[[], None]], settings: Any
) -> None:
    settings.PROJECTION_MODE = "worker"
    business()
    with pytest.raises(Poisoned):
        replay.replay()
    assert positions() == {}
