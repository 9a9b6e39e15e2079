"""A log of first versions, and the events that today's version appends to it, read through every path."""

from dataclasses import asdict

import pytest
from django.test import Client

from bank.application import account_cache, repository
from bank.application.dispatch import handle
from bank.domain.account import BankAccount
from bank.domain.commands import UnlockPin
from bank.domain.events import EVENT_TYPES, PinLocked, decode
from bank.operations.audit import audit
from eventstore import snapshots
from eventstore.models import Event, Snapshot
from projections import queries
from projections.engine import catch_up
from projections.workers import replay
from tests.support import old_log
from tests.support.databases import Urls
from tests.support.values import PIN, broken_links, deposit, withdraw


@pytest.fixture(autouse=True)
def log(bank: object, urls: Urls) -> None:
    old_log.load_into(urls)


def locks() -> list[tuple[int, object]]:
    """Return the schema version and the number of wrong PINs of each lock."""
    found = [(row.schema_version, decode(row.type, row.schema_version, row.data)) for row in locked_rows()]
    return [(version, event.wrong_pins) for version, event in found if isinstance(event, PinLocked)]


def locked_rows() -> list[Event]:
    return list(Event.objects.filter(type="pin_locked").order_by("position"))


def test_the_log_has_each_type_in_its_first_version() -> None:
    assert set(Event.objects.values_list("type", "schema_version")) == {(name, 1) for name in FIRST}
    assert set(EVENT_TYPES) >= FIRST
    assert broken_links() == []


FIRST = {
    "bank_account_created",
    "money_deposited_into_bank_account",
    "money_withdrawn_from_bank_account",
    "invalid_pin",
    "account_overdrawn",
    "pin_locked",
    "withdrawal_blocked",
    "pin_unlocked",
    "pin_changed",
}


def test_accounts_load() -> None:
    assert asdict(repository.load(1).aggregate) | {"account_id": 1} == {
        "account_id": 1, "account_holder": "Josh", "balance": 7600, "wrong_pins": 0, "pin_locked": False,
        "closed": False, "reversed_commands": (), "on_its_way": {},
    }  # fmt: skip
    assert repository.load(2).aggregate == BankAccount(2, "Luke Ng", 700, wrong_pins=3, pin_locked=True)


def test_projections_are_built_and_replayed() -> None:
    catch_up()
    assert queries.get_total_deposits() == 8300
    assert queries.find_account(2).pin_locked
    assert [entry.kind for entry in queries.statement(2).rows][:2] == ["locked", "invalid_pin"]
    assert replay.check() == []
    replay.replay()
    assert queries.get_total_deposits() == 8300


@pytest.mark.parametrize("processes", [1, 2])
def test_verification_finds_nothing(processes: int) -> None:
    catch_up()
    assert audit(processes=processes).findings == []


def test_the_state_before_and_after_each_event_is_rebuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    states = [next(repository.states_of("bank_account-1", version, version)) for version in range(22)]
    monkeypatch.setattr(repository, "STEP", 5)
    monkeypatch.setattr(repository, "_past", {})
    for version in (21, *range(22)):  # from the states that the first one left in memory
        assert next(repository.states_of("bank_account-1", version, version)) == states[version]
    past = repository._past["bank_account-1"]
    assert [each.version for each in past] == [5, 10, 15, 20]
    past[-1] = past[-1]._replace(hash=b"of another record", aggregate=past[0].aggregate)
    assert next(repository.states_of("bank_account-1", 21, 21)) == states[21]
    assert [state["pin_locked"] for state in states[8:12]] == [False, True, True, False]
    assert [state["balance"] for state in (states[0], states[2], states[12], states[21])] == [0, 10_000, 7500, 7600]


def test_the_admin_shows_each_event_with_the_state_before_and_after_it(admin_client: Client) -> None:
    for position in Event.objects.values_list("position", flat=True):
        page = admin_client.get(f"/admin/eventstore/event/{position}/change/").content.decode()
        assert "Before and after" in page
        assert "cannot be rebuilt" not in page


def test_the_bank_goes_on_and_records_todays_version() -> None:
    assert locks() == [(1, None)] * 3
    handle(UnlockPin(2))
    for _ in range(3):
        withdraw(2, 5, PIN + 1)
    assert locks() == [(1, None)] * 3 + [(2, 3)]
    assert audit(processes=1).findings == []
    assert replay.check() == []


def test_a_snapshot_from_before_states_had_versions_is_dropped_and_replaced() -> None:
    assert "state_version" not in Snapshot.objects.get().state
    before = repository.load(1)
    assert not Snapshot.objects.exists()
    for _ in range(snapshots.EVERY):
        deposit(1, 1)
    assert "state_version" in Snapshot.objects.get().state
    account_cache.forget("bank_account-1")
    assert repository.load(1).aggregate.balance == before.aggregate.balance + snapshots.EVERY
