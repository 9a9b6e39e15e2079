"""Version 2 of `pin_unlocked`, used beside a log of old events. The tests of the recipe run this in a copy with it."""

import pytest

from bank.application import account_cache, repository
from bank.application.dispatch import handle
from bank.domain.commands import ChangePin, UnlockPin
from bank.operations.audit import audit
from eventstore.models import Event
from projections.engine import catch_up
from projections.workers import replay
from tests.support import old_log
from tests.support.databases import Urls
from tests.support.values import PIN, withdraw


@pytest.mark.usefixtures("bank")
def test_old_and_new_events_are_read_side_by_side(urls: Urls) -> None:
    old_log.load_into(urls)
    catch_up()
    for unlock in (UnlockPin(2), ChangePin(2, PIN)):
        handle(unlock)
        for _ in range(3):
            withdraw(2, 5, PIN + 1)
    unlocked = Event.objects.filter(type="pin_unlocked").order_by("position")
    assert [(event.schema_version, event.data.get("wrong_pins")) for event in unlocked] == [
        (1, None), (1, None), (2, 3), (2, 3),
    ]  # fmt: skip
    account = repository.load(2).aggregate
    account_cache.forget("bank_account-2")
    assert repository.load(2).aggregate == account
    assert audit(processes=1).findings == []
    assert replay.check() == []
