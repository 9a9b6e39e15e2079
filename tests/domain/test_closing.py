"""An empty account is closed against the PIN. Then it takes part in no task, and its number is never given again."""

import pytest

from bank.domain.errors import AccountAlreadyExists, AccountClosed, AccountNotEmpty, NoSuchAccount
from bank.domain.events import (
    BankAccountClosed,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinLocked,
    WithdrawalBlocked,
)
from tests.domain.story import (
    OPENED,
    Task,
    change_pin,
    close,
    create,
    deposit,
    given,
    reverse_deposit,
    reverse_withdrawal,
    unlock_pin,
    withdraw,
)

PAID_IN, PAID_OUT = MoneyDepositedIntoBankAccount(1, 50), MoneyWithdrawnFromBankAccount(1, 50)
CLOSED = BankAccountClosed(1)
WRONG = InvalidPin(1, 0)


def test_an_empty_account_is_closed() -> None:
    assert given(OPENED).when(close()).then(CLOSED).closed
    given(OPENED, PAID_IN, PAID_OUT).when(close()).then(CLOSED)


@pytest.mark.parametrize("pin_matches", [True, False, None])
def test_an_account_with_money_stays_open_whatever_the_pin(pin_matches: bool | None) -> None:
    """The PIN is not compared (None), so this neither counts a wrong PIN nor tells a right one."""
    for history in ((OPENED, PAID_IN), (OPENED, PAID_IN, PinLocked(1, 3))):
        given(*history).when(close(pin_matches=None)).then_rejected(
            AccountNotEmpty, field="account_id", saying="There is money in account 1. Pay it out first."
        )


def test_an_account_that_was_never_opened_cannot_be_closed() -> None:
    given().when(close(pin_matches=None)).then_rejected(NoSuchAccount, field="account_id")


def test_a_wrong_pin_counts_and_locks_as_for_a_withdrawal() -> None:
    account = given(OPENED).when(close(pin_matches=False)).then(WRONG)
    assert account.wrong_pins == 1
    account = given(OPENED, InvalidPin(1, 20), WRONG).when(close(pin_matches=False)).then(WRONG, PinLocked(1, 3))
    assert account.pin_locked
    assert not account.closed


def test_a_locked_account_is_not_closed_and_the_pin_is_not_compared() -> None:
    given(OPENED, PinLocked(1, 3)).when(close(pin_matches=None)).then(WithdrawalBlocked(1, 0))


@pytest.mark.parametrize(
    "task",
    [
        deposit(1),
        withdraw(1, pin_matches=None),
        close(pin_matches=None),
        unlock_pin(),
        change_pin(),
        reverse_deposit(PAID_IN),
        reverse_withdrawal(PAID_OUT),
    ],
    ids=["deposit", "withdraw", "close", "unlock_pin", "change_pin", "reverse_deposit", "reverse_withdrawal"],
)
def test_a_closed_account_takes_part_in_no_task(task: Task) -> None:
    given(OPENED, PAID_IN, PAID_OUT, CLOSED).when(task).then_rejected(
        AccountClosed, field="account_id", saying="Account 1 is closed."
    )


def test_the_number_of_a_closed_account_is_never_given_again() -> None:
    given(OPENED, CLOSED).when(create("Luke")).then_rejected(
        AccountAlreadyExists, field="account_id", saying="It is closed, and its number is never given again."
    )
