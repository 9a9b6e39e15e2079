"""A deposit or a withdrawal is reversed once, for a reason, by an event of its own."""

from typing import Any

import pytest

from bank.domain.account import BankAccount
from bank.domain.errors import (
    AlreadyReversed,
    BalanceTooLow,
    InvalidAmount,
    InvalidReason,
    NoSuchAccount,
    NotReversible,
)
from bank.domain.events import (
    AccountOverdrawn,
    BankEvent,
    DepositReversed,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinLocked,
    WithdrawalBlocked,
    WithdrawalReversed,
)
from bank.domain.values import MAX_BALANCE
from tests.domain.story import OPENED, given, reverse_deposit, reverse_withdrawal

PAID_IN, PAID_OUT = MoneyDepositedIntoBankAccount(1, 50), MoneyWithdrawnFromBankAccount(1, 20)
BACK_OUT, BACK_IN = DepositReversed(1, 50, "c1", "Typed twice"), WithdrawalReversed(1, 20, "c1", "Typed twice")


def test_a_reversed_deposit_takes_its_amount_back() -> None:
    account = given(OPENED, PAID_IN).when(reverse_deposit(PAID_IN)).then(BACK_OUT)
    assert account.balance == 0
    assert account.reversed_commands == ("c1",)


def test_a_reversed_withdrawal_gives_its_amount_back() -> None:
    account = given(OPENED, PAID_IN, PAID_OUT).when(reverse_withdrawal(PAID_OUT)).then(BACK_IN)
    assert account.balance == 50


def test_each_command_is_reversed_once_and_another_one_still_can_be() -> None:
    twice = given(OPENED, PAID_IN, PAID_IN, BACK_OUT)
    twice.when(reverse_deposit(PAID_IN, "c1")).then_rejected(AlreadyReversed, field="reversed_command_id")
    twice.when(reverse_deposit(PAID_IN, "c2")).then(DepositReversed(1, 50, "c2", "Typed twice"))
    given(OPENED, PAID_IN, PAID_OUT, BACK_IN).when(reverse_withdrawal(PAID_OUT, "c1")).then_rejected(
        AlreadyReversed, field="reversed_command_id"
    )


def test_a_reversal_leaves_a_balance_of_0_but_none_below() -> None:
    given(OPENED, PAID_IN, PAID_OUT, BACK_IN).when(reverse_deposit(PAID_IN, "c0")).then(
        DepositReversed(1, 50, "c0", "Typed twice")
    )
    given(OPENED, PAID_IN, MoneyWithdrawnFromBankAccount(1, 1)).when(reverse_deposit(PAID_IN)).then_rejected(
        BalanceTooLow, field="reversed_command_id", saying="less than the deposit"
    )


def test_a_reversed_withdrawal_has_to_fit_into_the_account() -> None:
    full = given(OPENED, MoneyDepositedIntoBankAccount(1, MAX_BALANCE - 19))
    full.when(reverse_withdrawal(PAID_OUT)).then_rejected(InvalidAmount, field="amount")
    given(OPENED, MoneyDepositedIntoBankAccount(1, MAX_BALANCE - 20)).when(reverse_withdrawal(PAID_OUT)).then(BACK_IN)


@pytest.mark.parametrize(
    "recorded",
    [None, OPENED, InvalidPin(1, 5), AccountOverdrawn(1, 50, 80), WithdrawalBlocked(1, 5), BACK_IN, BACK_OUT],
    ids=["nothing", "opening", "wrong PIN", "overdrawn", "blocked", "reversed withdrawal", "reversed deposit"],
)
def test_nothing_else_can_be_reversed(recorded: BankEvent | None) -> None:
    account = given(OPENED, PAID_IN)
    for reverse, other in ((reverse_deposit, PAID_OUT), (reverse_withdrawal, PAID_IN)):
        for wrong in (recorded, other):
            account.when(reverse(wrong)).then_rejected(NotReversible, field="reversed_command_id", saying="account 1")


def test_the_lock_and_the_count_of_wrong_pins_stay() -> None:
    locked = (OPENED, PAID_IN, PAID_OUT, InvalidPin(1, 5), InvalidPin(1, 5), InvalidPin(1, 5), PinLocked(1, 3))
    for reverse in (reverse_deposit(MoneyDepositedIntoBankAccount(1, 30)), reverse_withdrawal(PAID_OUT)):
        tried = given(*locked).when(reverse)
        assert isinstance(tried.outcome, tuple)
        account = tried.then(*tried.outcome)
        assert (account.wrong_pins, account.pin_locked) == (3, True)


@pytest.mark.parametrize(
    ("reason", "saying"),
    [
        ("", "needs a reason"),
        (" \u200b ", "needs a reason"),
        ("x" * 201, "at most 200"),
        ("a\nb", "control"),
        ("a\x00b", "control"),
        ("a\ud800b", "control"),
        ("pay\u202epal", "U+202E"),
        ("Ty\u200bped", "U+200B"),
        (None, "is text"),
        (7, "is text"),
    ],
)
def test_a_reason_that_nobody_can_read_is_rejected(reason: Any, saying: str) -> None:
    account = given(OPENED, PAID_IN)
    account.when(reverse_deposit(PAID_IN, reason=reason)).then_rejected(InvalidReason, field="reason", saying=saying)
    account.when(reverse_withdrawal(PAID_OUT, reason=reason)).then_rejected(
        InvalidReason, field="reason", saying=saying
    )


def test_a_reason_is_trimmed_and_normalised() -> None:
    given(OPENED, PAID_IN).when(reverse_deposit(PAID_IN, reason=" Ju\u0308rgen typed it twice ")).then(
        DepositReversed(1, 50, "c1", "J\xfcrgen typed it twice")
    )
    given(OPENED, PAID_IN).when(reverse_deposit(PAID_IN, reason="x" * 200)).then(
        DepositReversed(1, 50, "c1", "x" * 200)
    )


def test_an_account_that_was_never_opened_has_nothing_to_reverse() -> None:
    given().when(reverse_deposit(PAID_IN)).then_rejected(NoSuchAccount, field="account_id")


def test_a_snapshot_holds_the_reversed_commands() -> None:
    account = given(OPENED, PAID_IN, PAID_IN, BACK_OUT).account
    state = {**account.to_state(), "reversed_commands": ["c1"]}  # as JSON has it
    assert BankAccount.of_state(state) == account
