"""The rules of transfers between accounts, as stories of both sides."""

from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from bank.domain.account import BankAccount
from bank.domain.account_state import Transfer
from bank.domain.commands import CompleteMoneyTransfer, ReceiveMoneyTransfer, ReturnMoneyTransfer
from bank.domain.errors import InvalidAccountId, InvalidAmount, InvalidTarget, NoSuchAccount, TransferNotOnItsWay
from bank.domain.events import (
    AccountEvent,
    AccountOverdrawn,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyTransferCompleted,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    PinLocked,
    WithdrawalBlocked,
)
from bank.domain.processes import PROCESS_MANAGERS, Step
from bank.domain.values import MAX_ACCOUNT_ID, MAX_AMOUNT, MAX_BALANCE
from tests.domain.story import (
    OPENED,
    Task,
    complete_transfer,
    deposit,
    given,
    receive_transfer,
    return_transfer,
    transfer,
    withdraw,
)

RICH = (OPENED, MoneyDepositedIntoBankAccount(1, 50))
WRONG = InvalidPin(1, 20)
SENT = MoneyTransferSent(1, 2, 20, "t")
RECEIVED = MoneyTransferReceived(1, 2, 20, "t")
COMPLETED = MoneyTransferCompleted(1, "t")
RETURNED = MoneyTransferReturned(1, 2, 20, "t", "no_such_account")


# Sending


def test_money_is_sent_and_is_on_its_way() -> None:
    account = given(*RICH).when(transfer(20)).then(SENT)
    assert account.balance == 30
    assert account.on_its_way == {"t": Transfer(2, 20)}


@pytest.mark.parametrize("amount", [1, 50, 51, MAX_AMOUNT])
@pytest.mark.parametrize("pin_matches", [True, False])
@pytest.mark.parametrize("wrong", range(4))
@pytest.mark.parametrize("locked", [True, False])
def test_a_transfer_is_refused_exactly_as_a_withdrawal_is(
    amount: int, pin_matches: bool, wrong: int, locked: bool
) -> None:
    account = given(*RICH, *[WRONG] * wrong, *[PinLocked(1, wrong)] * locked)
    withdrawn = account.when(withdraw(amount, pin_matches=pin_matches)).outcome
    sent = account.when(transfer(amount, pin_matches=pin_matches)).outcome
    if withdrawn == (MoneyWithdrawnFromBankAccount(1, amount),):
        assert sent == (MoneyTransferSent(1, 2, amount, "t"),)
    else:
        assert sent == withdrawn


def test_wrong_pins_of_withdrawals_and_transfers_count_together() -> None:
    account = given(*RICH).when(transfer(20, pin_matches=False)).then(WRONG)
    account = given(*RICH, WRONG).when(withdraw(20, pin_matches=False)).then(WRONG)
    account = given(*RICH, WRONG, WRONG).when(transfer(20, pin_matches=False)).then(WRONG, PinLocked(1, 3))
    assert account.pin_locked
    given(*RICH, WRONG, WRONG, WRONG, PinLocked(1, 3)).when(transfer(20, pin_matches=None)).then(
        WithdrawalBlocked(1, 20)
    )


def test_a_sent_transfer_sets_the_count_of_wrong_pins_to_0() -> None:
    assert given(*RICH, WRONG, WRONG).when(transfer(20)).then(SENT).wrong_pins == 0


def test_more_than_the_balance_is_not_sent() -> None:
    given(*RICH, SENT).when(transfer(31)).then(AccountOverdrawn(1, 30, 31))


@pytest.mark.parametrize("to_account_id", [0, -1, MAX_ACCOUNT_ID + 1, True, 2.0, "2", None])
def test_a_transfer_to_an_impossible_number_is_rejected(to_account_id: Any) -> None:
    tried = given(*RICH).when(transfer(20, to_account_id, pin_matches=None))
    tried.then_rejected(InvalidTarget, field="to_account_id", saying="whole number from 1")


def test_a_transfer_to_the_account_itself_is_rejected() -> None:
    tried = given(*RICH).when(transfer(20, 1, pin_matches=None))
    tried.then_rejected(InvalidTarget, field="to_account_id", saying="to itself")


@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT + 1, True, 1.5, None])
@pytest.mark.parametrize("task", [transfer, receive_transfer])
def test_an_impossible_amount_is_rejected(amount: Any, task: Any) -> None:
    given(*RICH).when(task(amount)).then_rejected(InvalidAmount, field="amount")


@pytest.mark.parametrize(
    "task", [transfer(5, pin_matches=None), receive_transfer(5), complete_transfer(), return_transfer()]
)
def test_every_step_wants_an_account(task: Task) -> None:
    given(account_id=3).when(task).then_rejected(NoSuchAccount, field="account_id", saying="no account 3")
    given(account_id=0).when(task).then_rejected(InvalidAccountId, field="account_id")


# Its end


def test_money_is_received() -> None:
    assert given(*RICH).when(receive_transfer(20)).then(RECEIVED).balance == 70


def test_a_completed_transfer_is_no_longer_on_its_way() -> None:
    account = given(*RICH, SENT).when(complete_transfer()).then(COMPLETED)
    assert (account.balance, account.on_its_way) == (30, {})


def test_a_returned_transfer_brings_its_money_back_and_says_why() -> None:
    account = given(*RICH, SENT).when(return_transfer()).then(RETURNED)
    assert (account.balance, account.on_its_way) == (50, {})


@pytest.mark.parametrize("task", [complete_transfer(), return_transfer()])
@pytest.mark.parametrize("history", [(), (SENT, COMPLETED), (SENT, RETURNED), (MoneyTransferSent(1, 2, 5, "other"),)])
def test_a_transfer_ends_once(history: tuple[AccountEvent, ...], task: Task) -> None:
    given(*RICH, *history).when(task).then_rejected(TransferNotOnItsWay, field="transfer_id", saying="No transfer t")


def test_two_transfers_are_on_their_way_side_by_side() -> None:
    second = MoneyTransferSent(1, 3, 5, "u")
    account = given(*RICH, SENT, second).when(return_transfer("t")).then(RETURNED)
    assert (account.balance, account.on_its_way) == (45, {"u": Transfer(3, 5)})


@pytest.mark.parametrize("task", [deposit, receive_transfer])
def test_what_comes_in_leaves_room_for_what_may_come_back(task: Any) -> None:
    full = BankAccount(1, "Josh", MAX_BALANCE - 30, on_its_way={"t": Transfer(2, 20)})
    with pytest.raises(InvalidAmount, match="cannot hold that much"):
        task(11)(full)
    filled = full.apply(task(10)(full))
    assert filled.apply(filled.return_transfer("t", "no_such_account")).balance == MAX_BALANCE


# State


def test_a_snapshot_holds_the_transfers_on_their_way() -> None:
    account = given(*RICH, SENT).account
    state = {**account.to_state(), "on_its_way": {"t": [2, 20]}}  # as JSON gives it back
    assert BankAccount.of_state(state) == account


@settings(deadline=None)
@for_any(st.lists(st.tuples(st.sampled_from(["send", "complete", "return", "receive"]), st.integers(0, 5))))
def test_balance_and_money_on_its_way_add_up_in_any_history(tried: list[tuple[str, int]]) -> None:
    account = given(*RICH).account
    paid = 50
    for what, number in tried:
        transfer_id = str(number)
        if what == "send" and transfer_id not in account.on_its_way:
            account = account.apply(MoneyTransferSent(1, 2, 1 + number, transfer_id))
        elif what == "receive":
            account, paid = account.apply(MoneyTransferReceived(1, 2, number, transfer_id)), paid + number
        elif transfer_id in account.on_its_way:
            if what == "complete":
                paid -= account.on_its_way[transfer_id].amount
                account = account.apply(account.complete_transfer(transfer_id))
            elif what == "return":
                account = account.apply(account.return_transfer(transfer_id, "no_such_account"))
    assert account.balance + sum(each.amount for each in account.on_its_way.values()) == paid


# The process manager


def steps(event: AccountEvent) -> list[Step]:
    manager = PROCESS_MANAGERS["transfers"]
    assert event.stored_type in manager.types
    return list(manager.steps(event, {}))


def test_money_that_was_sent_is_received_by_the_other_account() -> None:
    [step] = steps(SENT)
    assert (step.name, step.command) == ("receive", ReceiveMoneyTransfer(2, 1, 20, "t"))


@pytest.mark.parametrize("rejection", [NoSuchAccount("no"), InvalidAmount("full")])
def test_money_that_the_other_account_rejects_goes_back_and_says_why(rejection: Any) -> None:
    [step] = steps(SENT)
    assert step.if_rejected
    back = step.if_rejected(rejection)
    assert (back.name, back.command) == ("return", ReturnMoneyTransfer(1, "t", rejection.code))
    assert back.if_rejected is None


def test_a_received_transfer_is_completed_where_it_came_from() -> None:
    [step] = steps(MoneyTransferReceived(2, 1, 20, "t"))
    assert (step.name, step.command) == ("complete", CompleteMoneyTransfer(1, "t"))
    assert step.if_rejected is None


def test_nothing_follows_from_the_end_of_a_transfer() -> None:
    assert not {COMPLETED.stored_type, RETURNED.stored_type} & PROCESS_MANAGERS["transfers"].types
    assert list(PROCESS_MANAGERS["transfers"].steps(COMPLETED, {})) == []
