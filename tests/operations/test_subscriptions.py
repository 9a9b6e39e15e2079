"""Subscriptions as operators see them: the health page, the admin and `manage.py subscriptions`."""

from typing import Any

import pytest
from django.test import Client

from bank.application import process_managers
from bank.operations import health
from tests.support.newer import freeze
from tests.support.relay import RELAY
from tests.support.values import deposit, open_account

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture(autouse=True)
def managers(bank: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open accounts 1 to 4. Return the process managers: that of tests alone."""
    managers = {RELAY.name: RELAY}
    for module in (process_managers, health):
        monkeypatch.setattr(module, "PROCESS_MANAGERS", managers)
    for account_id in (1, 2, 3, 4):
        open_account(account_id)
    return managers


def fail(event: Any, metadata: Any) -> Any:
    raise ZeroDivisionError("the secret of account 1")


def test_readyz_reports_subscriptions(client: Client) -> None:
    deposit(1, 50)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (200, True)
    assert response.json()["subscriptions"] == {
        "relay": {"position": 7, "behind": 0, "error": "", "failed_position": None, "has_worker": False}
    }


def test_a_bank_with_a_stopped_subscription_is_not_ready(client: Client, managers: Any) -> None:
    managers[RELAY.name] = RELAY._replace(steps=fail)
    deposit(1, 50)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (503, False)
    stopped = response.json()["subscriptions"]["relay"]
    assert (stopped["error"], stopped["failed_position"], stopped["position"]) == ("ZeroDivisionError", 5, 0)
    assert b"secret" not in response.content


def test_a_bank_that_waits_for_a_newer_version_is_ready(client: Client) -> None:
    freeze(4)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (200, True)
    assert response.json()["subscriptions"]["relay"]["error"] == "UnknownEvent"


def test_the_admin_shows_event_and_error_of_a_stopped_subscription(admin_client: Client, managers: Any) -> None:
    managers[RELAY.name] = RELAY._replace(steps=fail)
    deposit(1, 50)
    page = admin_client.get("/admin/eventstore/subscription/").content.decode()
    assert "ZeroDivisionError: the secret of account 1" in page
    assert '<a href="/admin/eventstore/event/5/change/">event 5</a>' in page
    assert admin_client.get("/admin/eventstore/subscription/relay/change/").status_code == 200
    assert admin_client.post("/admin/eventstore/subscription/relay/delete/").status_code == 403
