"""The rules of an account, as stories."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from bank.domain.account import BankAccount
from bank.domain.commands import ChangePin, CreateBankAccount, WithdrawMoneyFromBankAccount
from bank.domain.errors import (
    REJECTIONS,
    AccountAlreadyExists,
    CommandRejected,
    InvalidAccountId,
    InvalidAmount,
    MalformedPin,
    NoSuchAccount,
)
from bank.domain.events import (
    AccountEvent,
    AccountOverdrawn,
    BankAccountCreated,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
)
from bank.domain.values import MAX_ACCOUNT_ID, MAX_AMOUNT, MAX_BALANCE
from tests.domain.story import OPENED, Task, change_pin, create, deposit, given, unlock_pin, withdraw

HUGE = pytest.param(10**5000, id="a number of more digits than Python prints")
NOT_WHOLE_NUMBERS = [True, False, 1.0, 0.5, float("nan"), float("inf"), "1", b"1", None, 1 + 0j, [1]]


# Opening


def test_an_account_is_opened() -> None:
    account = given().when(create("Josh", 1234)).then(BankAccountCreated(1, "Josh"))
    assert account.exists
    assert account.balance == 0


def test_an_account_that_exists_is_not_opened_again() -> None:
    given(OPENED).when(create("Luke")).then_rejected(
        AccountAlreadyExists, field="account_id", saying="Account 1 exists already"
    )


@pytest.mark.parametrize("account_id", [1, MAX_ACCOUNT_ID])
def test_the_first_and_the_last_account_number_can_be_opened(account_id: int) -> None:
    given(account_id=account_id).when(create()).then(BankAccountCreated(account_id, "Josh"))


@pytest.mark.parametrize("account_id", [0, -1, MAX_ACCOUNT_ID + 1, HUGE, *NOT_WHOLE_NUMBERS])
@pytest.mark.parametrize("task", [create(), deposit(1), withdraw(1, pin_matches=None), unlock_pin(), change_pin()])
def test_an_invalid_account_number_is_rejected(account_id: Any, task: Task) -> None:
    given(account_id=account_id).when(task).then_rejected(InvalidAccountId, field="account_id", saying="from 1 to")


@pytest.mark.parametrize("pin", [0, 42, 9999])
def test_pins_from_0000_to_9999_are_taken(pin: int) -> None:
    given().when(create("Josh", pin)).then(OPENED)
    given(OPENED).when(change_pin(pin)).then(PinChanged(1))


@pytest.mark.parametrize("pin", [-1, 10_000, HUGE, *NOT_WHOLE_NUMBERS])
def test_a_malformed_pin_is_rejected_and_not_repeated(pin: Any) -> None:
    for tried in (given().when(create("Josh", pin)), given(OPENED).when(change_pin(pin))):
        tried.then_rejected(MalformedPin, field="pin", saying="four digits")
        assert str(tried.outcome) == "A PIN has exactly four digits."


# Deposits


def test_money_is_paid_in() -> None:
    account = given(OPENED).when(deposit(50)).then(MoneyDepositedIntoBankAccount(1, 50))
    assert account.balance == 50


@pytest.mark.parametrize("amount", [1, MAX_AMOUNT])
def test_the_least_and_the_most_can_be_paid_in(amount: int) -> None:
    given(OPENED).when(deposit(amount)).then(MoneyDepositedIntoBankAccount(1, amount))


@pytest.mark.parametrize("amount", [0, -1, -MAX_AMOUNT, *NOT_WHOLE_NUMBERS])
@pytest.mark.parametrize("task", [deposit, withdraw])
def test_an_invalid_amount_is_rejected(task: Any, amount: Any) -> None:
    given(OPENED).when(task(amount)).then_rejected(InvalidAmount, field="amount", saying="more than zero")


@pytest.mark.parametrize("amount", [MAX_AMOUNT + 1, 2**63, HUGE])
@pytest.mark.parametrize("task", [deposit, withdraw])
def test_more_than_can_be_moved_at_once_is_rejected(task: Any, amount: int) -> None:
    given(OPENED).when(task(amount)).then_rejected(InvalidAmount, field="amount", saying="at once")


@pytest.mark.parametrize("task", [deposit(10), withdraw(10, pin_matches=None), unlock_pin(), change_pin()])
def test_every_task_but_opening_wants_an_account(task: Task) -> None:
    given(account_id=2).when(task).then_rejected(NoSuchAccount, field="account_id", saying="no account 2")


def test_an_account_can_be_filled_to_the_last_unit_that_64_bits_hold_and_no_further() -> None:
    nearly_full = BankAccount(1, "Josh", MAX_BALANCE - 10)

    assert nearly_full.apply(nearly_full.deposit(10)).balance == 2**63 - 1
    with pytest.raises(InvalidAmount, match="cannot hold that much"):
        nearly_full.deposit(11)


# Withdrawals


def test_money_is_paid_out() -> None:
    account = (
        given(OPENED, MoneyDepositedIntoBankAccount(1, 50))
        .when(withdraw(20))
        .then(MoneyWithdrawnFromBankAccount(1, 20))
    )
    assert account.balance == 30


def test_the_last_unit_can_be_paid_out() -> None:
    account = (
        given(OPENED, MoneyDepositedIntoBankAccount(1, 50))
        .when(withdraw(50))
        .then(MoneyWithdrawnFromBankAccount(1, 50))
    )
    assert account.balance == 0


def test_more_than_the_balance_is_refused_on_record() -> None:
    account = given(OPENED, MoneyDepositedIntoBankAccount(1, 50)).when(withdraw(51)).then(AccountOverdrawn(1, 50, 51))
    assert account.balance == 50


def test_an_empty_account_pays_nothing_out() -> None:
    given(OPENED).when(withdraw(1)).then(AccountOverdrawn(1, 0, 1))


def test_a_wrong_pin_is_refused_on_record_without_a_look_at_the_balance() -> None:
    history = (OPENED, MoneyDepositedIntoBankAccount(1, 50))
    assert given(*history).when(withdraw(20, pin_matches=False)).then(InvalidPin(1, 20)).balance == 50
    given(*history).when(withdraw(80, pin_matches=False)).then(InvalidPin(1, 80))


def test_nonsense_is_rejected_before_the_pin_is_looked_at() -> None:
    given(OPENED).when(withdraw(0, pin_matches=None)).then_rejected(InvalidAmount, field="amount")


def test_a_withdrawal_reduces_the_balance_and_a_refusal_does_not() -> None:
    given(
        OPENED,
        MoneyDepositedIntoBankAccount(1, 50),
        MoneyWithdrawnFromBankAccount(1, 30),
        InvalidPin(1, 20),
        AccountOverdrawn(1, 20, 80),
    ).when(withdraw(21)).then(AccountOverdrawn(1, 20, 21))


# State


@settings(deadline=None)
@for_any(
    st.lists(
        st.one_of(
            st.builds(MoneyDepositedIntoBankAccount, st.just(1), st.integers()),
            st.builds(MoneyWithdrawnFromBankAccount, st.just(1), st.integers()),
            st.builds(InvalidPin, st.just(1), st.integers()),
            st.builds(AccountOverdrawn, st.just(1), st.integers(), st.integers()),
            st.builds(WithdrawalBlocked, st.just(1), st.integers()),
            st.sampled_from([PinLocked(1, 3), PinUnlocked(1), PinChanged(1)]),
        )
    )
)
def test_apply_adds_up_any_history_and_never_rejects(history: list[AccountEvent]) -> None:
    balance = sum(event.amount for event in history if isinstance(event, MoneyDepositedIntoBankAccount))
    balance -= sum(event.amount for event in history if isinstance(event, MoneyWithdrawnFromBankAccount))
    given(OPENED, *history).then_balance(balance)


def test_an_account_is_a_value() -> None:
    before = BankAccount(1, "Josh", 50)
    before.apply(MoneyDepositedIntoBankAccount(1, 10))
    assert before == BankAccount(1, "Josh", 50)
    with pytest.raises(FrozenInstanceError):
        before.balance = 1_000_000  # type: ignore[misc]


def test_a_command_does_not_show_its_pin() -> None:
    assert "1234" not in repr(CreateBankAccount(7, "Josh", 1234))
    assert "1234" not in repr(WithdrawMoneyFromBankAccount(7, 50, 1234))
    assert "1234" not in repr(ChangePin(7, 1234))


def test_every_kind_of_rejection_is_found_by_its_code() -> None:
    stored = {
        "account_already_exists",
        "no_such_account",
        "invalid_account_id",
        "invalid_account_holder",
        "invalid_amount",
        "malformed_pin",
        "pin_not_locked",
        "invalid_target",
        "transfer_not_on_its_way",
        "command_id_reused",
    }
    assert stored <= set(REJECTIONS), "command records have these codes for ever"
    assert list(REJECTIONS.values()) == CommandRejected.__subclasses__(), "no code is used twice"
