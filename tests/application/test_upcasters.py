"""A log whose events have several schema versions, read through every path."""

from typing import Any

import pytest

from bank.application import account_cache, repository
from bank.application.dispatch import handle
from bank.domain import upcasters
from bank.domain.commands import ChangePin, UnlockPin
from bank.operations.audit import audit
from eventstore.models import Event
from projections import queries
from projections.workers import replay
from tests.support.values import PIN, deposit, open_account, withdraw

pytestmark = pytest.mark.usefixtures("bank")


def business() -> None:
    """Record an event of each type but one."""
    open_account(1, "Josh", balance=100)
    withdraw(1, 30)
    withdraw(1, 500)
    for _ in range(3):
        withdraw(1, 5, PIN + 1)
    withdraw(1, 5)
    handle(UnlockPin(1))
    handle(ChangePin(1, PIN))


def test_an_upcaster_of_one_type_reads_old_logs_of_all_types(monkeypatch: pytest.MonkeyPatch) -> None:
    business()
    account = repository.load(1).account
    account_cache.forget(1)
    seen: list[Any] = []

    def upcast_pin_changed(data: upcasters.Payload) -> upcasters.Payload:
        seen.append(dict(data))
        return data

    monkeypatch.setitem(upcasters.UPCASTERS, "pin_changed", [upcast_pin_changed])
    assert repository.load(1).account == account
    assert replay.check() == []
    replay.replay()
    assert queries.check_balance(1) == 70
    assert audit(processes=1).findings == []
    assert len(seen) >= 3, "loading, projecting and verifying upcast it"

    handle(ChangePin(1, PIN))
    deposit(1, 5)
    versions = dict(Event.objects.order_by("position").values_list("type", "schema_version"))
    assert versions.pop("pin_changed") == 2
    assert versions == {name: upcasters.current_version(name) for name in versions}
    assert audit(processes=1).findings == []
    assert replay.check() == []
