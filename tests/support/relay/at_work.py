"""A bank in which the process manager of tests is the only one; see `tests.support.relay`."""

from typing import Any

import pytest

from bank.application import process_managers
from bank.domain.processes import ProcessManager
from eventstore.bell import Bell
from eventstore.models import Subscription
from eventstore.subscription_worker import SubscriptionWorker
from projections import queries
from tests.support.values import open_account

from . import OTHER, RELAY, SECOND, SOURCE, THIRD


@pytest.fixture(autouse=True)
def managers(bank: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, ProcessManager]:
    """Open accounts 1 to 4. Return the process managers: that of tests alone."""
    managers = {RELAY.name: RELAY}
    monkeypatch.setattr(process_managers, "PROCESS_MANAGERS", managers)
    for account_id in (SOURCE, SECOND, THIRD, OTHER):
        open_account(account_id)
    return managers


def balances() -> list[int]:
    return [queries.check_balance(account_id) for account_id in (SOURCE, SECOND, THIRD, OTHER)]


def the_subscription() -> Subscription:
    return Subscription.objects.get(name=RELAY.name)


def poll() -> None:
    """Poll as the background thread does, which goes on at once if a subscription had to give its turn away."""
    worker = SubscriptionWorker(process_managers.subscribers, Bell(listens=False))
    while worker.poll() == 0:
        pass
