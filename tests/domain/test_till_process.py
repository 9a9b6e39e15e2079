"""The process manager of tills: cash of payments that went through a till is recorded there."""

import pytest

from bank.domain.commands import RecordCashIn, RecordCashOut
from bank.domain.events import (
    BankEvent,
    DepositReversed,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    WithdrawalReversed,
)
from bank.domain.processes import TILLS

from .process_story import given

THROUGH = {"till": 7, "till_shift": 3, "correlation_id": "c"}


@pytest.mark.parametrize("event", [MoneyDepositedIntoBankAccount(1, 50), WithdrawalReversed(1, 50, "d", "Slip")])
def test_a_deposit_and_a_reversed_withdrawal_bring_cash_in(event: BankEvent) -> None:
    given(TILLS).when(event, **THROUGH).then(("cash_in", RecordCashIn(7, 3, 50, "c")))


@pytest.mark.parametrize("event", [MoneyWithdrawnFromBankAccount(1, 50), DepositReversed(1, 50, "d", "Slip")])
def test_a_withdrawal_and_a_reversed_deposit_take_cash_out(event: BankEvent) -> None:
    given(TILLS).when(event, **THROUGH).then(("cash_out", RecordCashOut(7, 3, 50, "c")))


@pytest.mark.parametrize("event", [InvalidPin(1, 50), MoneyTransferSent(1, 2, 50, "t")])
def test_a_refusal_and_a_transfer_move_no_cash(event: BankEvent) -> None:
    given(TILLS).when(event, **THROUGH).then()


def test_nothing_follows_from_a_payment_without_a_till() -> None:
    assert TILLS.only_with == "till"
