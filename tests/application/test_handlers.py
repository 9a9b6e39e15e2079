"""`handle`: each command counts once, whatever its outcome."""

import logging
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bank.application import account_cache, pins, repository
from bank.application.dispatch import InstallationFault, handle
from bank.application.handlers import HANDLERS
from bank.domain.commands import (
    COMMANDS,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import (
    AccountAlreadyExists,
    CommandIdReused,
    CommandRejected,
    InvalidAccountId,
    MalformedPin,
    NoSuchAccount,
)
from bank.domain.events import AccountOverdrawn, InvalidPin, MoneyDepositedIntoBankAccount
from eventstore import rows, snapshots
from eventstore.models import CommandRecord, Event, Snapshot
from projections import queries
from tests.support.values import everything_in, query

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture(autouse=True)
def _josh(bank: Path) -> None:
    """Account 1 of Josh, PIN 1234, with a balance of 50."""
    handle(CreateBankAccount(1, "Josh", 1234))
    handle(DepositMoneyIntoBankAccount(1, 50))


def test_an_acknowledgement_holds_the_recorded_events() -> None:
    command_id = uuid4()
    ack = handle(DepositMoneyIntoBankAccount(1, 5), command_id=command_id, actor="tina")
    assert ack[:-1] == ("bank_account-1", 3, 3, (MoneyDepositedIntoBankAccount(1, 5),), False, command_id)
    event = Event.objects.get(position=3)
    assert (event.type, event.data) == ("money_deposited_into_bank_account", {"accountId": 1, "amount": 5})
    assert event.metadata == {"actor": "tina", "correlation_id": str(command_id)}
    record = CommandRecord.objects.get(id=command_id)
    assert (record.name, record.actor, record.outcome) == ("deposit_money_into_bank_account", "tina", "accepted")
    assert (record.stream, record.version, record.position, record.event_count) == ("bank_account-1", 3, 3, 1)


@pytest.mark.parametrize(
    "command",
    [
        CreateBankAccount(2, "Luke", 1),
        DepositMoneyIntoBankAccount(1, 5),
        WithdrawMoneyFromBankAccount(1, 50, 1234),
        WithdrawMoneyFromBankAccount(1, 5, 4321),
        WithdrawMoneyFromBankAccount(1, 500, 1234),
    ],
)
def test_an_accepted_command_sent_again_has_the_first_outcome(command: Command) -> None:
    command_id = uuid4()
    first = handle(command, command_id=command_id)
    again = handle(command, command_id=command_id)
    assert again == first._replace(repeated=True)
    assert Event.objects.count() == 3


@pytest.mark.parametrize(
    ("command", "kind", "stream"),
    [
        (CreateBankAccount(1, "Luke", 1), AccountAlreadyExists, "bank_account-1"),
        (DepositMoneyIntoBankAccount(2, 5), NoSuchAccount, "bank_account-2"),
        (WithdrawMoneyFromBankAccount(2, 5, 1234), NoSuchAccount, "bank_account-2"),
        (WithdrawMoneyFromBankAccount(1, 5, 12345), MalformedPin, "bank_account-1"),
        (DepositMoneyIntoBankAccount(0, 5), InvalidAccountId, ""),
        (DepositMoneyIntoBankAccount("x" * 500, 5), InvalidAccountId, ""),  # type: ignore[arg-type]
    ],
)
def test_a_rejection_is_on_record_records_no_event_and_is_repeated(
    command: Command, kind: type[CommandRejected], stream: str
) -> None:
    command_id = uuid4()
    with pytest.raises(kind) as first:
        handle(command, command_id=command_id)
    if kind is NoSuchAccount:
        handle(CreateBankAccount(2, "Luke", 1234))  # today it would be accepted
    with pytest.raises(kind) as again:
        handle(command, command_id=command_id)
    assert str(again.value) == str(first.value)
    record = CommandRecord.objects.get(id=command_id)
    assert (record.outcome, record.reason, record.stream) == ("rejected", kind.code, stream)
    assert not Event.objects.filter(command_id=command_id).exists()


@pytest.mark.parametrize(
    "other", [DepositMoneyIntoBankAccount(1, 6), WithdrawMoneyFromBankAccount(1, 5, 1234), CreateBankAccount(9, "x", 1)]
)
def test_an_id_with_other_content_is_refused_and_the_first_outcome_stands(other: Command) -> None:
    command_id = uuid4()
    handle(DepositMoneyIntoBankAccount(1, 5), command_id=command_id)
    with pytest.raises(CommandIdReused):
        handle(other, command_id=command_id)
    assert queries.check_balance(1) == 55
    assert CommandRecord.objects.count() == 3


def test_with_another_pin_it_is_the_same_command_and_the_first_outcome_stands() -> None:
    command_id = uuid4()
    first = handle(WithdrawMoneyFromBankAccount(1, 5, 4321), command_id=command_id)
    assert first.events == (InvalidPin(1, 5),)
    assert handle(WithdrawMoneyFromBankAccount(1, 5, 1234), command_id=command_id) == first._replace(repeated=True)


def test_a_rotated_key_still_verifies_and_the_new_one_signs(settings: Any) -> None:
    old = list(settings.PIN_KEYS)
    command_id = uuid4()
    first = handle(DepositMoneyIntoBankAccount(1, 5), command_id=command_id)

    settings.PIN_KEYS = ["a new key", *old]
    assert handle(DepositMoneyIntoBankAccount(1, 5), command_id=command_id) == first._replace(repeated=True)
    assert handle(WithdrawMoneyFromBankAccount(1, 5, 1234)).events != (InvalidPin(1, 5),)
    handle(CreateBankAccount(2, "Luke", 7))

    settings.PIN_KEYS = ["a new key"]
    assert pins.matches(2, 7)
    with pytest.raises(InstallationFault, match="PIN_KEYS lacks the key"):
        pins.matches(1, 1234)


def test_the_pin_is_nowhere(bank: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    canary = 7391
    for command in (
        CreateBankAccount(7, "Canary", canary),
        WithdrawMoneyFromBankAccount(7, 5, canary),
        WithdrawMoneyFromBankAccount(1, 5, canary),
    ):
        handle(command)
        assert str(canary) not in repr(command)
    assert str(canary) not in caplog.text
    for alias in ("default", "projections"):
        values = everything_in(alias)
        assert "bank_account-7" in values or "Canary" in values
        assert canary not in values
        texts = [value.replace(" ", "") for value in values if isinstance(value, str)]
        assert not any(f":{canary}" in text or f'"{canary}"' in text for text in texts)


def test_a_pin_verifier_that_cannot_be_stored_undoes_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("in the middle of the transaction")

    monkeypatch.setattr(pins, "store_verifier", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        handle(CreateBankAccount(2, "Luke", 1))
    assert Event.objects.count() == CommandRecord.objects.count() == 2
    assert queries.get_account_list() == [(1, "Josh")]


class TestSnapshots:
    @pytest.fixture(autouse=True)
    def _long(self, _josh: None) -> None:
        for _ in range(3 * snapshots.EVERY):
            handle(DepositMoneyIntoBankAccount(1, 1))
        account_cache.forget("bank_account-1")  # as in another process

    def test_a_long_account_is_read_from_its_snapshot_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[int] = []
        events_of = rows.recorded_events

        def counted(found: Any) -> Any:
            read.append(len(found))
            return events_of(found)

        monkeypatch.setattr("eventstore.store.recorded_events", counted)
        assert repository.load(1).aggregate.balance == 50 + 3 * snapshots.EVERY
        assert 0 < sum(read) <= snapshots.EVERY

    def test_without_its_snapshot_it_is_the_same(self) -> None:
        before = repository.load(1)
        Snapshot.objects.all().delete()
        assert repository.load(1) == before

    def test_an_older_snapshot_replaces_no_newer_one(self) -> None:
        """A slow writer may write its snapshot late."""
        [newest] = Snapshot.objects.values()
        query(snapshots.UPSERT, *snapshots.values("bank_account-1", snapshots.EVERY, {}, b"\0" * 32))
        assert list(Snapshot.objects.values()) == [newest]

    def test_a_snapshot_of_another_history_is_not_used(self) -> None:
        before = repository.load(1)
        Snapshot.objects.update(hash=b"\0" * 32, state={"account_id": 1, "account_holder": "Eve", "balance": 10**9})
        assert repository.load(1) == before
        assert handle(WithdrawMoneyFromBankAccount(1, 1000, 1234)).events == (AccountOverdrawn(1, 110, 1000),)


def test_every_command_has_a_handler() -> None:
    assert [each.__name__ for each in COMMANDS if each not in HANDLERS] == [], "bank/application/handlers.py: HANDLERS"
