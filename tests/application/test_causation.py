"""The causation and correlation of commands, in the metadata of their events and in their records."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from bank.application.dispatch import Cause, handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from bank.domain.errors import NoSuchAccount
from eventstore.backends import backend_of
from eventstore.chain import GENESIS, canonical, command_text, event_hash
from eventstore.events import Envelope, RecordedEvent
from eventstore.models import CommandRecord, Event
from eventstore.seals import seal
from eventstore.store import read_all
from tests.support.values import query

pytestmark = pytest.mark.usefixtures("bank")

FIRST = uuid4()


@pytest.fixture(autouse=True)
def created(bank: Any) -> RecordedEvent:
    """Return the event that created account 1."""
    handle(CreateBankAccount(1, "Josh", 1234), command_id=FIRST, actor="tina")
    return read_all()[0]


def test_a_users_command_is_stored_as_before_there_was_causation(created: RecordedEvent) -> None:
    command_id = uuid4()
    handle(DepositMoneyIntoBankAccount(1, 5), command_id=command_id, actor="tina")
    event, record = Event.objects.get(position=2), CommandRecord.objects.get(id=command_id)
    metadata = f'{{"actor":"tina","correlation_id":"{command_id}"}}'
    [(stored,)] = query("SELECT metadata FROM eventstore_event WHERE position = 2")
    assert stored == (metadata if backend_of().stores_text else metadata.replace('":', '": ').replace(",", ", "))
    data = canonical({"accountId": 1, "amount": 5})
    row = ("bank_account-1", 2, "money_deposited_into_bank_account", 1, data, metadata)
    assert bytes(event.hash) == event_hash(created.hash, *row, command_id, event.recorded_at)
    head = record.id, record.name, record.actor, record.received_at, bytes(record.fingerprint)
    outcome = ("accepted", "", "", "bank_account-1", 2, 1)
    assert bytes(record.seal) == seal(command_text(Envelope(*head), outcome, bytes(event.hash)))
    assert record.causation == ""


def test_a_command_that_an_event_led_to_names_it_and_the_first_command(created: RecordedEvent) -> None:
    cause = Cause(UUID(created.metadata["correlation_id"]), created.name)
    ack = handle(DepositMoneyIntoBankAccount(1, 5), actor="tina", cause=cause, metadata={"till": 3})
    event, record = Event.objects.get(position=2), CommandRecord.objects.get(id=ack.command_id)
    assert event.metadata == {
        "actor": "tina",
        "correlation_id": str(FIRST),
        "causation_id": "bank_account-1@1",
        "till": 3,
    }
    assert record.causation == "bank_account-1@1"


def test_a_rejected_command_names_the_event_that_led_to_it_under_its_seal(created: RecordedEvent) -> None:
    with pytest.raises(NoSuchAccount):
        handle(DepositMoneyIntoBankAccount(2, 5), cause=Cause(FIRST, created.name))
    record = CommandRecord.objects.get(causation=created.name)
    head = record.id, record.name, record.actor, record.received_at, bytes(record.fingerprint)
    outcome = ("rejected", "no_such_account", record.message, "bank_account-2", None, 0)
    sealed = command_text(Envelope(*head, causation=created.name), outcome, GENESIS)
    assert bytes(record.seal) == seal(sealed)


def test_a_record_of_the_version_before_has_no_causation() -> None:
    columns = "name, actor, received_at, outcome, reason, message, stream, event_count, fingerprint, seal"
    query(
        f"INSERT INTO eventstore_commandrecord (id, {columns}) SELECT %s, {columns} FROM eventstore_commandrecord",
        backend_of().adapt(command_id := uuid4()),
    )
    assert CommandRecord.objects.get(id=command_id).causation == ""
