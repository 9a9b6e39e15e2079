"""A projector that raises at one event, for each of the projections: who notices, who does not, and what mends it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper
from django.test import Client

from eventstore import store
from eventstore.signals import events_appended
from projections.models import Checkpoint
from projections.projectors import PROJECTORS
from projections.projectors.base import Batch, Projector
from projections.workers import replay
from tests.support.helpers import client_of, text_of
from tests.support.values import PIN, deposit, open_account, whole_log, withdraw
from tests.system.simulator.tables import TABLES, fold, live_rows

POISONED = 3
WHY = "no such thing as a second deposit"

pytestmark = pytest.mark.usefixtures("bank")


class Poisoned(Exception):
    """What the broken projector raises."""


@pytest.fixture(params=PROJECTORS)
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Callable[[], None]]:
    """The name of a projection that cannot digest the third event, and what mends it."""
    kind = PROJECTORS[request.param]
    healthy = kind.apply

    def apply(self: Projector, cursor: CursorWrapper, batch: Batch) -> None:
        healthy(self, cursor, batch)  # what it has written by then must not stay
        if POISONED in {recorded.position for _, recorded in batch}:
            raise Poisoned(WHY)

    monkeypatch.setattr(kind, "apply", apply)
    return request.param, lambda: monkeypatch.setattr(kind, "apply", healthy)


def business() -> None:
    """Seven events of every kind, the third of which is poison."""
    open_account(balance=100)
    assert deposit(1, 20).position == POISONED
    for amount, pin in ((30, PIN), (30, PIN + 1), (500, PIN)):
        withdraw(1, amount, pin)
    assert open_account(2, "Ada").position == store.last_position() == 7, "commands go on"


def positions() -> dict[str, int]:
    return dict(Checkpoint.objects.values_list("name", "position"))


def assert_tables_at(reached: dict[str, int]) -> None:
    log = whole_log()
    for name in TABLES:
        assert live_rows(name) == fold(log[: reached[name]]).rows(name), name


def test_the_others_go_on_and_what_it_had_written_of_the_event_is_undone(
    broken: tuple[str, Callable[[], None]],
) -> None:
    name, _ = broken
    business()
    assert positions() == {**dict.fromkeys(PROJECTORS, 7), name: POISONED - 1}
    assert_tables_at(positions())


def test_readyz_and_the_admin_say_which_event_and_why(broken: tuple[str, Callable[[], None]]) -> None:
    name, mend = broken
    business()

    answer: Any = Client().get("/readyz")
    assert answer.status_code == 503
    state = answer.json()["projections"].pop(name)
    log_position = {"position": 2, "behind": 5, "failed_position": POISONED}
    assert state == {**log_position, "error": "Poisoned", "has_worker": False}
    assert {other["error"] for other in answer.json()["projections"].values() if other["position"] == 7} == {""}

    auditor = client_of("otto", "Auditors", is_staff=True)
    page = text_of(auditor.get(f"/admin/projections/checkpoint/{name}/change/"))
    assert f"Poisoned: {WHY}" in page
    assert f"Failed position: {POISONED}" in page
    assert f"Poisoned: {WHY}" in text_of(auditor.get("/admin/projections/checkpoint/"))

    mend()
    events_appended.send(sender=store.append, events=())
    assert Client().get("/readyz").status_code == 200
    assert WHY not in text_of(auditor.get("/admin/projections/checkpoint/"))


def test_after_the_fix_the_next_wake_up_goes_on(broken: tuple[str, Callable[[], None]]) -> None:
    _, mend = broken
    business()
    mend()
    deposit(1, 1)
    assert positions() == dict.fromkeys(PROJECTORS, 8)
    assert_tables_at(positions())
    assert replay.check() == []


def test_a_replay_with_the_fault_in_it_fails_and_leaves_the_figures(broken: tuple[str, Callable[[], None]]) -> None:
    business()
    before = positions()
    with pytest.raises(Poisoned):
        replay.replay()
    assert positions() == before
    assert_tables_at(before)
