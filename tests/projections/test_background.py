"""A projection that is far behind: no request waits for it, and the background thread of a web process finishes it."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from projections import engine, queries
from projections.models import Checkpoint
from projections.projectors import PROJECTORS
from projections.workers import background
from tests.benchmarks import data
from tests.support.helpers import client_of, text_of
from tests.support.newer import freeze, newer_version
from tests.support.values import at_once, deposit, query

pytestmark = pytest.mark.usefixtures("bank")


def positions() -> dict[str, int]:
    return dict(Checkpoint.objects.values_list("name", "position"))


def wipe(name: str) -> None:
    query(f"DELETE FROM {PROJECTORS[name].model._meta.db_table}", using="projections")
    query("DELETE FROM projections_checkpoint WHERE name = %s", name, using="projections")


def look_once() -> None:
    """Let the background thread poll the log once."""
    looks = [True, False]
    at_once([lambda: background.run(lambda: looks.pop(0))])


@pytest.fixture
def log() -> int:
    """A projected log of more than one batch. Return its last position."""
    data.write(data.business(range(1, 601), 2))
    engine.catch_up()
    return 1200


@pytest.mark.parametrize("name", PROJECTORS)
def test_a_projection_that_is_wiped_is_left_alone_by_requests_and_finished_in_the_background(
    name: str, log: int
) -> None:
    wipe(name)
    teller = client_of("tina", "Tellers")
    response = teller.post("/accounts/1/deposit/", {"command_id": str(uuid4()), "amount": "5"})
    assert response.status_code == 303
    assert positions() == {**dict.fromkeys(PROJECTORS, log + 1), name: 0}
    assert "Recorded" in (page := text_of(teller.get(response["Location"]))) or "Deposit" in page
    readyz = Client().get("/readyz")
    assert (readyz.status_code, readyz.json()["catching_up"]) == (200, [name])
    look_once()
    assert positions() == dict.fromkeys(PROJECTORS, log + 1)
    assert "catching_up" not in Client().get("/readyz").json()
    assert queries.bank_figures().accounts == 600


@pytest.mark.only_on("sqlite", reason="PostgreSQL's inline mode reads what was appended in any case")
def test_a_request_reads_no_event_for_a_projection_that_is_far_behind(log: int) -> None:
    wipe("totals")
    with CaptureQueriesContext(connections["default"]) as captured:
        deposit(1, 5)
    read = [
        each["sql"] for each in captured if "FROM eventstore_event WHERE" in each["sql"] and "position >" in each["sql"]
    ]
    assert all("COUNT" in statement for statement in read if "position > 0" in statement), read


def test_a_projection_that_is_a_little_behind_is_caught_up_by_the_next_request(log: int, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    for _ in range(3):
        deposit(1, 5)
    settings.PROJECTION_MODE = "inline"
    deposit(1, 5)
    assert positions() == dict.fromkeys(PROJECTORS, log + 4)


def test_the_background_thread_resumes_parked_streams_and_survives_an_error(
    monkeypatch: pytest.MonkeyPatch, log: int
) -> None:
    freeze(1)
    monkeypatch.setattr(background, "REST", 0)
    monkeypatch.setattr(background, "POLL", 0)
    monkeypatch.setattr(background, "standing_of", lambda alias: 1 / 0)
    look_once()
    monkeypatch.undo()
    monkeypatch.setattr(background, "POLL", 0)
    with newer_version("account_frozen"):
        look_once()
    assert "parked" not in Client().get("/readyz").json()
