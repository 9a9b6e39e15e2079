"""The challenge's own scenario, from commands to queries."""

import pytest

from bank.application.dispatch import handle
from bank.domain.commands import (
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import NoSuchAccount
from bank.domain.events import AccountOverdrawn, InvalidPin
from projections import freshness, queries

pytestmark = pytest.mark.usefixtures("bank")


def test_the_challenge_from_beginning_to_end() -> None:
    handle(CreateBankAccount(1, "Josh", 1234))
    for _ in range(5):
        handle(DepositMoneyIntoBankAccount(1, 10))
    handle(WithdrawMoneyFromBankAccount(1, 5, 1234))
    wrong = handle(WithdrawMoneyFromBankAccount(1, 5, 4321))
    too_much = handle(WithdrawMoneyFromBankAccount(1, 500, 1234))
    with pytest.raises(NoSuchAccount):
        handle(DepositMoneyIntoBankAccount(2, 10))
    handle(CreateBankAccount(2, "Luke", 4321))
    handle(DepositMoneyIntoBankAccount(2, 10))

    assert wrong.events == (InvalidPin(1, 5),)
    assert too_much.events == (AccountOverdrawn(1, 45, 500),)
    assert queries.check_balance(1) == 45
    assert queries.check_balance(2) == 10
    assert [entry.account_holder for entry in queries.get_account_list()] == ["Josh", "Luke"]
    assert queries.get_total_deposits() == 55
    assert queries.get_total_paid_in() == 60
    assert queries.get_total_paid_out() == 5


def test_an_empty_bank_has_answers() -> None:
    assert queries.get_account_list() == []
    assert queries.get_total_deposits() == 0
    assert queries.latest_activity() == []
    assert queries.next_account_id() == 1
    assert freshness.look().current
    with pytest.raises(queries.UnknownAccount):
        queries.check_balance(1)
