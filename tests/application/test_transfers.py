"""Transfers from end to end: commands, process manager, tables and verification, on a real database."""

from typing import Any
from uuid import uuid4

import pytest

from bank.application import dispatch
from bank.application.dispatch import Ack, handle
from bank.domain.commands import (
    CloseBankAccount,
    CompleteMoneyTransfer,
    ReceiveMoneyTransfer,
    ReturnMoneyTransfer,
    TransferMoneyBetweenBankAccounts,
    UnlockPin,
)
from bank.domain.errors import AccountNotEmpty, InvalidTarget, TransferNotOnItsWay
from bank.domain.events import InvalidPin, MoneyTransferSent, PinLocked, WithdrawalBlocked
from bank.domain.values import MAX_BALANCE
from bank.operations.audit import audit
from eventstore import store
from eventstore.backends import backend_of
from projections import engine, queries
from projections.models import DailyTotals, MoneyTransfer
from projections.replicas import READ_SIDE
from projections.workers import replay
from tests.support.values import PIN, at_once, count, open_account, query, whole_log, withdraw

pytestmark = pytest.mark.usefixtures("bank")


def transfer(amount: int, to_account_id: int = 2, pin: int = PIN, *, account_id: int = 1, **more: Any) -> Ack:
    return handle(TransferMoneyBetweenBankAccounts(account_id, to_account_id, amount, pin), **more)


@pytest.fixture
def two_accounts() -> None:
    open_account(1, "Josh", balance=100)
    open_account(2, "Luke", balance=5)


@pytest.fixture
def managers_off(settings: Any) -> Any:
    """Leave events to process managers that do not run, and the tables to `catch_up`."""
    settings.PROJECTION_MODE = "worker"
    return settings


def assert_sound() -> None:
    engine.catch_up()
    assert audit(processes=1).findings == []
    assert replay.check() == []
    figures = queries.bank_figures()
    assert figures.paid_in - figures.paid_out == figures.balance + figures.on_its_way


def types() -> list[str]:
    return [event.type.removeprefix("money_transfer_") for event in whole_log() if "transfer" in event.type]


def test_money_arrives_before_the_command_is_acknowledged(two_accounts: None) -> None:
    ack = transfer(30, actor="tina")
    assert ack.events == (MoneyTransferSent(1, 2, 30, str(ack.command_id)),)
    assert types() == ["sent", "received", "completed"]
    assert (queries.check_balance(1), queries.check_balance(2)) == (70, 35)
    assert queries.bank_figures() == (2, 105, 105, 0, 0)
    assert {event.actor for event in whole_log() if "transfer" in event.type} == {"tina"}
    assert_sound()


def test_money_for_no_account_comes_back(two_accounts: None) -> None:
    transfer(30, 99)
    assert types() == ["sent", "returned"]
    assert (queries.check_balance(1), queries.bank_figures().on_its_way) == (100, 0)
    assert MoneyTransfer.objects.get().reason == "no_such_account"
    assert_sound()


def test_money_for_a_closed_account_comes_back(two_accounts: None) -> None:
    open_account(3, "Ada")
    handle(CloseBankAccount(3, PIN))
    transfer(30, 3)
    assert types() == ["sent", "returned"]
    assert MoneyTransfer.objects.get().reason == "account_closed"
    assert_sound()


def test_money_that_does_not_fit_comes_back(two_accounts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bank.domain.values.MAX_AMOUNT", MAX_BALANCE)
    open_account(3, "Ada", balance=MAX_BALANCE - 29)
    transfer(30, 3)
    transfer(29, 3)
    assert types() == ["sent", "returned", "sent", "received", "completed"]
    assert MoneyTransfer.objects.get(reason="invalid_amount").amount == 30
    assert queries.check_balance(3) == MAX_BALANCE
    assert_sound()


def test_money_is_on_its_way_until_a_process_manager_goes_on(managers_off: Any, two_accounts: None) -> None:
    ack = transfer(30)
    assert types() == ["sent"]
    assert_sound()
    assert queries.bank_figures() == (2, 75, 105, 0, 30)
    withdraw(1, 70)
    with pytest.raises(AccountNotEmpty, match="may come back"):
        handle(CloseBankAccount(1, PIN))
    handle(ReceiveMoneyTransfer(2, 1, 30, str(ack.command_id)))
    assert_sound()
    assert queries.bank_figures() == (2, 35, 105, 70, 0)
    handle(CompleteMoneyTransfer(1, str(ack.command_id)))
    handle(CloseBankAccount(1, PIN))
    assert_sound()


def test_a_transfer_counts_once_and_compares_its_pin_once(two_accounts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    command_id = uuid4()
    first = transfer(30, command_id=command_id)
    monkeypatch.setattr("bank.application.pins.matches", lambda *pin: pytest.fail("a PIN is compared again"))
    again = transfer(30, pin=PIN + 1, command_id=command_id)
    assert (again.events, again.version, again.repeated) == (first.events, first.version, True)
    assert types() == ["sent", "received", "completed"]


def test_the_end_of_a_transfer_is_recorded_once(two_accounts: None) -> None:
    transfer_id = str(transfer(30).command_id)
    for command in (CompleteMoneyTransfer(1, transfer_id), ReturnMoneyTransfer(1, transfer_id, "no_such_account")):
        with pytest.raises(TransferNotOnItsWay):
            handle(command)
    assert types() == ["sent", "received", "completed"]


def test_a_transfer_to_itself_is_rejected_on_record(two_accounts: None) -> None:
    ack_id = uuid4()
    with pytest.raises(InvalidTarget):
        transfer(30, 1, command_id=ack_id)
    outcome = store.find_outcome(ack_id)
    assert outcome
    assert (outcome.accepted, outcome.reason) == (False, "invalid_target")


def test_wrong_pins_of_transfers_and_withdrawals_lock_both(two_accounts: None) -> None:
    assert transfer(30, pin=PIN + 1).events == (InvalidPin(1, 30),)
    assert withdraw(1, 20, PIN + 1).events == (InvalidPin(1, 20),)
    assert transfer(10, pin=PIN + 1).events == (InvalidPin(1, 10), PinLocked(1, 3))
    assert transfer(30).events == (WithdrawalBlocked(1, 30),)
    assert withdraw(1, 30).events == (WithdrawalBlocked(1, 30),)
    assert queries.receipt(transfer(1).command_id).kind == "withdrawal_blocked"  # type: ignore[union-attr]
    handle(UnlockPin(1))
    transfer(30)
    assert queries.check_balance(2) == 35
    assert_sound()


def test_a_pin_of_a_transfer_is_compared_under_the_stream_lock(
    two_accounts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = []
    carry_out = dispatch._carry_out

    def watch(*arguments: Any, locks: bool, **more: Any) -> Any:
        locked.append((type(arguments[0]).__name__, locks))
        return carry_out(*arguments, locks=locks, **more)

    monkeypatch.setattr(dispatch, "_carry_out", watch)
    transfer(30)
    assert locked[:2] == [("TransferMoneyBetweenBankAccounts", True), ("ReceiveMoneyTransfer", False)]


def test_two_who_send_at_once_send_no_more_than_there_is(two_accounts: None) -> None:
    at_once([lambda: transfer(60), lambda: transfer(60)])
    assert sorted(types()) == ["completed", "received", "sent"]
    assert count("projections_refusedwithdrawal", using="projections") == 1
    assert (queries.check_balance(1), queries.check_balance(2)) == (40, 65)
    assert_sound()


def test_money_sent_back_and_forth_at_once_arrives(two_accounts: None) -> None:
    open_account(3, "Ada", balance=100)
    at_once([lambda: transfer(10), lambda: transfer(10, 1, account_id=3), lambda: transfer(10, 3), lambda: transfer(1)])
    assert queries.check_balance(1) + queries.check_balance(2) + queries.check_balance(3) == 205
    assert queries.bank_figures().on_its_way == 0
    assert_sound()


def test_the_equation_holds_at_every_position_of_the_log(managers_off: Any, two_accounts: None) -> None:
    managers_off.PROJECTION_MODE = "inline"
    for amount, target in ((30, 2), (5, 99), (7, 2)):
        transfer(amount, target)
    managers_off.PROJECTION_MODE = "worker"
    query("DELETE FROM projections_checkpoint", using="projections")
    for table in ("accountsummary", "statementline", "banktotals", "dailytotals", "namepart", "moneytransfer"):
        query(f"DELETE FROM projections_{table}", using="projections")
    on_its_way = []
    for _ in whole_log():
        engine._advance(engine.projectors(), 1)
        figures = queries.bank_figures()
        balances = sum(account.balance for account in queries.find_accounts().rows)
        assert figures.balance == balances
        assert figures.paid_in - figures.paid_out == balances + figures.on_its_way
        on_its_way.append(figures.on_its_way)
    assert set(on_its_way) == {0, 30, 5, 7}


# The tables


def test_the_lines_of_both_sides_belong_to_the_transfer(two_accounts: None) -> None:
    ack = transfer(30)
    receipt = queries.receipt(ack.command_id)
    assert receipt
    assert (receipt.words, receipt.sign, receipt.balance) == ("Transfer to 2 Luke", -1, 70)
    [received] = receipt.related
    assert (received.words, received.sign, received.balance) == ("Transfer from 1 Josh", 1, 35)
    assert received.about_command_id == ack.command_id
    assert received.account_holder == "Luke"
    assert queries.receipt(received.command_id) == received


def test_a_returned_transfer_says_why(two_accounts: None) -> None:
    ack = transfer(30, 99)
    returned, sent, *_ = queries.statement(1).rows
    assert (returned.words, returned.sign) == ("Transfer returned: there is no such account", 1)
    assert sent.words == "Transfer to 99"
    assert (returned.about_command_id, sent.about_command_id) == (ack.command_id, ack.command_id)


def test_transfers_are_neither_paid_in_nor_out_of_the_bank(two_accounts: None) -> None:
    transfer(30)
    transfer(1, 99)
    day = DailyTotals.objects.get()
    assert (day.deposits, day.paid_in, day.withdrawals, day.paid_out) == (2, 105, 0, 0)


@pytest.mark.parametrize("first", [1, 2])
def test_a_parked_account_makes_no_difference_to_the_other_side(two_accounts: None, first: int) -> None:
    """The events of a transfer are applied in any order of the two streams."""
    transfer(30)
    query("DELETE FROM projections_moneytransfer", using="projections")
    [transfers] = engine.projectors(["transfers"])
    events = whole_log()
    mine = [event for event in events if event.stream == f"bank_account-{first}"]
    for some in (mine, [event for event in events if event not in mine]):
        with backend_of(READ_SIDE).transaction() as cursor:
            engine.apply(cursor, [transfers], some, {})
    assert replay.check() == []
