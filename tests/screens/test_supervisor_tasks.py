"""Unlocking and changing a PIN, down to the verifier."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bank.application import pins
from bank.application.dispatch import handle
from bank.domain.commands import ChangePin, UnlockPin
from bank.domain.errors import CommandIdReused, CommandRejected, MalformedPin, NoSuchAccount, PinNotLocked
from bank.domain.events import InvalidPin, MoneyWithdrawnFromBankAccount, PinChanged, PinUnlocked
from bank.models import PinVerifier
from eventstore.models import AppendOnly, CommandRecord, Event
from tests.support.values import PIN, open_account, withdraw

WRONG = PIN + 1


@pytest.fixture(autouse=True)
def _josh(bank: Path) -> None:
    """Account 1 of Josh, with a balance of 50."""
    open_account(1, "Josh", PIN, balance=50)


def lock() -> None:
    for _ in range(3):
        withdraw(1, 5, WRONG)


def test_an_unlocked_account_pays_out_again() -> None:
    lock()
    ack = handle(UnlockPin(1), actor="sue")
    assert ack.events == (PinUnlocked(1),)
    event = Event.objects.get(position=ack.position)
    assert (event.type, event.data, event.metadata["actor"]) == ("pin_unlocked", {"accountId": 1}, "sue")
    assert CommandRecord.objects.get(id=ack.command_id).name == "unlock_pin"
    assert withdraw(1, 5, WRONG).events == (InvalidPin(1, 5),)
    assert withdraw(1, 5, PIN).events == (MoneyWithdrawnFromBankAccount(1, 5),)


def test_unlocking_an_unlocked_account_is_rejected_and_recorded() -> None:
    command_id = uuid4()
    for _ in range(2):
        with pytest.raises(PinNotLocked):
            handle(UnlockPin(1), command_id=command_id)
        lock()  # now it would be accepted
    assert CommandRecord.objects.get(id=command_id).reason == "pin_not_locked"


def test_a_new_pin_is_the_right_one_from_then_on() -> None:
    before = PinVerifier.objects.get(account_id=1)
    ack = handle(ChangePin(1, 7), actor="sue")
    assert ack.events == (PinChanged(1),)
    event = Event.objects.get(position=ack.position)
    assert (event.type, event.data, event.metadata["actor"]) == ("pin_changed", {"accountId": 1}, "sue")
    assert CommandRecord.objects.get(id=ack.command_id).name == "change_pin"
    after = PinVerifier.objects.get(account_id=1)
    assert bytes(after.salt) != bytes(before.salt)
    assert bytes(after.digest) != bytes(before.digest)
    assert withdraw(1, 5, PIN).events == (InvalidPin(1, 5),)
    assert withdraw(1, 5, 7).events == (MoneyWithdrawnFromBankAccount(1, 5),)


def test_a_new_pin_unlocks_a_locked_account_and_shows_it() -> None:
    lock()
    assert handle(ChangePin(1, 7)).events == (PinChanged(1), PinUnlocked(1))
    assert withdraw(1, 5, 7).events == (MoneyWithdrawnFromBankAccount(1, 5),)


def test_a_new_pin_of_other_keys_counts_under_the_first_of_them(settings: Any) -> None:
    settings.PIN_KEYS = ["a new key", *settings.PIN_KEYS]
    handle(ChangePin(1, 7))
    settings.PIN_KEYS = ["a new key"]
    assert pins.matches(1, 7)


def test_a_verifier_that_is_not_replaced_undoes_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    really = pins.replace_verifier

    def fail(account_id: int, verifier: pins.Verifier) -> None:
        really(account_id, verifier)
        raise RuntimeError("in the middle of the transaction")

    monkeypatch.setattr(pins, "replace_verifier", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        handle(ChangePin(1, 7))
    assert Event.objects.count() == CommandRecord.objects.count() == 2
    assert pins.matches(1, PIN)
    assert not pins.matches(1, 7)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (ChangePin(2, 7), NoSuchAccount),
        (UnlockPin(2), NoSuchAccount),
        (ChangePin(1, 10_000), MalformedPin),
    ],
)
def test_a_rejected_task_leaves_the_pin_as_it_is(command: ChangePin | UnlockPin, kind: type[CommandRejected]) -> None:
    with pytest.raises(kind):
        handle(command)
    assert PinVerifier.objects.count() == 1
    assert pins.matches(1, PIN)


def test_a_new_pin_sent_again_changes_nothing() -> None:
    command_id = uuid4()
    first = handle(ChangePin(1, 7), command_id=command_id)
    handle(ChangePin(1, 8))
    verifier = bytes(PinVerifier.objects.get(account_id=1).digest)
    assert handle(ChangePin(1, 7), command_id=command_id) == first._replace(repeated=True)
    assert bytes(PinVerifier.objects.get(account_id=1).digest) == verifier
    with pytest.raises(CommandIdReused):
        handle(UnlockPin(1), command_id=command_id)


def test_nobody_changes_a_verifier_through_the_model() -> None:
    row = PinVerifier.objects.get(account_id=1)
    row.digest = secrets.token_bytes(32)
    attempts: list[Callable[[], object]] = [
        row.save,
        row.delete,
        lambda: PinVerifier.objects.update(digest=b""),
        lambda: PinVerifier.objects.all().delete(),
        lambda: PinVerifier.objects.create(account_id=2, key_id="", salt=b"", digest=b""),
    ]
    for attempt in attempts:
        with pytest.raises(AppendOnly):
            attempt()
    assert pins.matches(1, PIN)
