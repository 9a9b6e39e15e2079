"""Subscriptions as operators see them: the health page, the admin and `manage.py subscriptions`."""

import builtins
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from bank.application import process_managers
from bank.management.commands import subscriptions as command
from bank.operations import health
from eventstore.models import Subscription
from eventstore.store import last_position
from tests.support.newer import freeze
from tests.support.relay import RELAY
from tests.support.values import count, deposit, open_account

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture(autouse=True)
def managers(bank: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open accounts 1 to 4. Return the process managers: that of tests alone."""
    managers = {RELAY.name: RELAY}
    for module in (process_managers, health, command):
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
        "relay": {"position": 7, "behind": 0, "error": "", "failed_position": None, "has_worker": False, "parked": 0}
    }


def test_a_bank_with_a_stopped_subscription_is_not_ready(client: Client, managers: Any) -> None:
    managers[RELAY.name] = RELAY._replace(steps=fail)
    deposit(1, 50)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (503, False)
    stopped = response.json()["subscriptions"]["relay"]
    assert (stopped["error"], stopped["failed_position"], stopped["position"]) == ("ZeroDivisionError", 5, 0)
    assert b"secret" not in response.content


def test_a_bank_that_waits_for_a_newer_version_is_ready_and_shows_what_waits(
    client: Client, admin_client: Client
) -> None:
    freeze(4)
    deposit(1, 50)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (200, True)
    relay = response.json()["subscriptions"]["relay"]
    assert (relay["error"], relay["parked"], relay["position"]) == ("", 1, 8)
    assert "up to date; 1 parked for a newer version" in run()
    page = admin_client.get("/admin/eventstore/subscription/").content.decode()
    assert "relay@5" in page
    assert "this program knows no event account_frozen" in page


def test_the_admin_shows_event_and_error_of_a_stopped_subscription(admin_client: Client, managers: Any) -> None:
    managers[RELAY.name] = RELAY._replace(steps=fail)
    deposit(1, 50)
    page = admin_client.get("/admin/eventstore/subscription/").content.decode()
    assert "ZeroDivisionError: the secret of account 1" in page
    assert '<a href="/admin/eventstore/event/5/change/">event 5</a>' in page
    assert admin_client.get("/admin/eventstore/subscription/relay/change/").status_code == 200
    assert admin_client.post("/admin/eventstore/subscription/relay/delete/").status_code == 403


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("subscriptions", *arguments, stdout=output)
    return output.getvalue()


def position() -> int:
    return Subscription.objects.get(name="relay").position


def written() -> tuple[int, int]:
    return count("eventstore_event"), count("eventstore_commandrecord")


def test_the_command_lists_subscriptions(managers: Any) -> None:
    assert run().splitlines()[1].split() == ["relay", "0", "4", "behind"]
    deposit(1, 50)
    assert run().splitlines()[1].split() == ["relay", "7", "0", "up", "to", "date"]
    managers[RELAY.name] = RELAY._replace(steps=fail)
    deposit(1, 50)
    assert "stopped at event 8: ZeroDivisionError: the secret of account 1" in run()


@pytest.mark.parametrize(("arguments", "reached"), [([], 0), (["0"], 0), (["5"], 5), (["6"], 6)])
def test_a_subscription_that_is_set_back_adds_nothing(arguments: list[str], reached: int) -> None:
    deposit(1, 50)
    before = written()
    assert f"relay is set back to position {reached}." in run("--set-back", "relay", *arguments, "--yes")
    assert position() == reached
    deposit(2, 1)
    deposit(1, 50)
    assert position() == last_position()
    assert written() == (before[0] + 4, before[1] + 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "There is no subscription nobody; there are relay."),
        (["relay", "7"], "relay is at position 7. It can only be set back."),
        (["relay", "99"], "It can only be set back."),
        (["relay", "-1"], "A position is a whole number from 0 to"),
        (["relay", "9" * 5000], "A position is a whole number from 0 to"),
        (["relay", "x"], "not 'x'"),
        (["relay", "1", "2"], "a name and at most one position"),
    ],
)
def test_nonsense_sets_nothing_back(arguments: list[str], message: str) -> None:
    deposit(1, 50)
    with pytest.raises(CommandError, match=message.replace(".", r"\.")):
        run("--set-back", *arguments, "--yes")
    assert position() == 7


def test_a_subscription_is_set_back_only_after_a_warning_and_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    deposit(1, 50)
    for answer in ("no", "", "y"):
        monkeypatch.setattr(builtins, "input", lambda prompt, answer=answer: answer)
        with pytest.raises(CommandError, match="Nothing was changed"):
            run("--set-back", "relay")

    def closed(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(builtins, "input", closed)
    with pytest.raises(CommandError, match="use --yes"):
        run("--set-back", "relay")
    assert position() == 7
    monkeypatch.setattr(builtins, "input", lambda prompt: "yes")
    output = run("--set-back", "relay")
    assert "No command that is on record is carried out again" in output
    assert position() == 0
