"""Closing an account on real databases: once, against the PIN, and for good."""

from pathlib import Path
from uuid import uuid4

import pytest

from bank.application import pins
from bank.application.dispatch import Ack, handle
from bank.domain.commands import (
    ChangePin,
    CloseBankAccount,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    ReverseDeposit,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import AccountAlreadyExists, AccountClosed, AccountNotEmpty, CommandRejected, MalformedPin
from bank.domain.events import BankAccountClosed, InvalidPin, PinLocked, WithdrawalBlocked
from bank.operations.audit import audit
from eventstore.models import CommandRecord, Event
from projections import queries
from projections.workers import replay
from tests.support.values import PIN, at_once, deposit, open_account, withdraw

WRONG = PIN + 1


@pytest.fixture(autouse=True)
def _josh(bank: Path) -> None:
    """Account 1 of Josh, which is empty."""
    open_account(1, "Josh", PIN)


def close(pin: int = PIN) -> Ack:
    return handle(CloseBankAccount(1, pin), actor="tina")


def test_an_account_is_closed_in_the_words_of_the_log() -> None:
    ack = close()
    assert ack.events == (BankAccountClosed(1),)
    event = Event.objects.latest("position")
    assert (event.type, event.data) == ("bank_account_closed", {"accountId": 1})
    assert CommandRecord.objects.get(id=ack.command_id).name == "close_bank_account"
    account = queries.find_account(1)
    assert account.closed_at == event.recorded_at
    assert audit(processes=1).findings == []
    assert replay.check() == []


def test_every_task_at_a_closed_account_is_rejected_and_changes_nothing() -> None:
    first = deposit(1, 50)
    withdraw(1, 50)
    close()
    tasks: list[Command] = [
        DepositMoneyIntoBankAccount(1, 5),
        WithdrawMoneyFromBankAccount(1, 5, PIN),
        WithdrawMoneyFromBankAccount(1, 5, WRONG),
        UnlockPin(1),
        ChangePin(1, PIN),
        CloseBankAccount(1, PIN),
        ReverseDeposit(1, first.command_id, "Typed twice"),
    ]
    for task in tasks:
        with pytest.raises(AccountClosed, match=r"Account 1 is closed\."):
            handle(task)
    assert set(CommandRecord.objects.filter(outcome="rejected").values_list("reason", flat=True)) == {"account_closed"}
    with pytest.raises(AccountAlreadyExists, match="its number is never given again"):
        handle(CreateBankAccount(1, "Luke", PIN))
    assert Event.objects.latest("position").type == "bank_account_closed"
    assert queries.next_account_id() == 2


def test_the_state_is_checked_before_the_pin_and_the_pin_as_for_a_withdrawal(monkeypatch: pytest.MonkeyPatch) -> None:
    deposit(1, 50)
    with monkeypatch.context() as patch:
        patch.setattr(pins, "matches", lambda *_: pytest.fail("the PIN was compared"))
        for pin in (PIN, WRONG):
            with pytest.raises(AccountNotEmpty):
                close(pin)
        with pytest.raises(MalformedPin):
            close(10_000)
    withdraw(1, 50)
    assert close(WRONG).events == (InvalidPin(1, 0),)
    assert withdraw(1, 5, WRONG).events == (InvalidPin(1, 5),)
    assert close(WRONG).events == (InvalidPin(1, 0), PinLocked(1, 3))
    assert close(PIN).events == (WithdrawalBlocked(1, 0),)
    handle(ChangePin(1, 42))
    assert close(42).events == (BankAccountClosed(1),)
    assert audit(processes=1).findings == []
    assert replay.check() == []


def test_a_repeated_closing_compares_no_pin_and_has_its_first_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    refused, closed = uuid4(), uuid4()
    handle(CloseBankAccount(1, WRONG), command_id=refused)
    handle(CloseBankAccount(1, PIN), command_id=closed)
    monkeypatch.setattr(pins, "matches", lambda *_: pytest.fail("the PIN was compared"))
    for command_id, event in ((refused, InvalidPin(1, 0)), (closed, BankAccountClosed(1))):
        for pin in (PIN, WRONG):
            again = handle(CloseBankAccount(1, pin), command_id=command_id)
            assert again.repeated
            assert again.events == (event,)


def test_simultaneous_guesses_get_no_more_attempts_than_guesses_one_by_one() -> None:
    compared: list[int] = []
    really = pins.matches

    def matches(account_id: int, pin: int) -> bool:
        compared.append(pin)
        return really(account_id, pin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pins, "matches", matches)
        at_once([lambda: close(WRONG)] * 6)
    assert len(compared) == 3
    assert queries.find_account(1).pin_locked


def test_a_deposit_and_a_closing_at_once_leave_no_money_in_a_closed_account() -> None:
    def tried(command: Command) -> CommandRejected | None:
        try:
            handle(command)
        except CommandRejected as rejection:
            return rejection
        return None

    for account_id in range(2, 8):
        open_account(account_id)
        commands = [CloseBankAccount(account_id, PIN), DepositMoneyIntoBankAccount(account_id, 5)]
        rejections = at_once([lambda command=command: tried(command) for command in commands])  # type: ignore[misc]
        account = queries.find_account(account_id)
        assert [type(each) for each in rejections].count(type(None)) == 1
        assert account.balance == (0 if account.closed_at else 5)
