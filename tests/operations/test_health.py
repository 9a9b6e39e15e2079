"""The answers to load balancers and operators."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from bank.application.dispatch import Ack, handle
from bank.domain.commands import CreateBankAccount
from bank.operations import health
from projections.workers.leases import Lease
from tests.support.databases import Urls, out_of_reach
from tests.support.statements import watched
from tests.support.values import at_once, deposit, open_account, query


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    """Forget that the databases are migrated."""
    health._check_migrated.cache_clear()


def test_healthz_asks_no_database(client: Client) -> None:
    """The test has no database fixture, so a query would fail it."""
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.content == b"ok\n"
    assert "no-store" in response["Cache-Control"]


def test_readyz_of_a_healthy_bank(client: Client, bank: Path) -> None:
    handle(CreateBankAccount(1, "Josh", 1234))
    response = client.get("/readyz")
    body = response.json()
    assert response.status_code == 200
    assert body["ready"] is True
    assert body["lag"] == 0
    assert body["databases"] == {"default": "ok", "projections": "ok"}
    assert {(state["position"], state["behind"], state["error"]) for state in body["projections"].values()} == {
        (1, 0, "")
    }
    assert "no-store" in response["Cache-Control"]


def test_readyz_reports_how_far_the_read_side_is_behind(client: Client, bank: Path, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    handle(CreateBankAccount(1, "Josh", 1234))
    response = client.get("/readyz")
    assert response.status_code == 200, "behind is not ill"
    assert response.json()["lag"] == 1


def test_a_bank_that_appends_and_projects_while_it_is_looked_at_is_ready(client: Client, bank: Path) -> None:
    """An event between the two reads must not look like one that the log lacks."""
    open_account()
    appended: list[Ack] = []

    def append(connection: BaseDatabaseWrapper, statement: str) -> None:
        appended.extend(at_once([lambda: deposit(1, 1)]))

    with watched(after=append):
        response = client.get("/readyz")
    assert len(appended) > 10, "after each statement"
    assert response.status_code == 200, response.content
    assert not [state for state in response.json()["projections"].values() if "ahead" in state]


def test_readyz_reports_that_the_log_is_an_older_copy(client: Client, bank: Path) -> None:
    open_account()
    query("UPDATE projections_checkpoint SET position = position + 1 WHERE name = 'totals'", using="projections")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert [name for name, state in response.json()["projections"].items() if "ahead" in state] == ["totals"]


def test_readyz_reports_a_failed_projection_without_its_events(client: Client, bank: Path) -> None:
    handle(CreateBankAccount(1, "Josh", 1234))
    with connections["projections"].cursor() as cursor:
        cursor.execute(
            "UPDATE projections_checkpoint SET error = %s, failed_position = 7 WHERE name = 'accounts'",
            ["ValueError: the holder is Josh"],
        )
    response = client.get("/readyz")
    assert response.status_code == 503
    body = response.json()
    assert body["ready"] is False
    assert body["projections"]["accounts"]["error"] == "ValueError"
    assert body["projections"]["accounts"]["failed_position"] == 7
    assert "Josh" not in response.content.decode()


def test_readyz_reports_that_a_worker_has_a_projection_but_not_which_worker(client: Client, bank: Path) -> None:
    lease = Lease(["accounts"])
    lease.held()
    response = client.get("/readyz")
    has_worker = {name: state["has_worker"] for name, state in response.json()["projections"].items()}
    assert [name for name in has_worker if has_worker[name]] == ["accounts"]
    assert lease.worker not in response.content.decode()


def test_readyz_reports_missing_migrations(client: Client, bank: Path) -> None:
    with connections["projections"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'projections'")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["databases"] == {"default": "ok", "projections": "migrations are missing"}


@pytest.mark.parametrize("alias", ["default", "projections"])
def test_readyz_names_the_database_that_does_not_answer(client: Client, urls: Urls, alias: str) -> None:
    with out_of_reach(urls, alias):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["databases"][alias] == "does not answer"
    assert "/gone" not in response.content.decode()


def test_readyz_survives_the_loss_of_a_table(client: Client, bank: Path) -> None:
    assert client.get("/readyz").status_code == 200
    with connections["projections"].cursor() as cursor:
        cursor.execute("DROP TABLE projections_checkpoint")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["ready"] is False
