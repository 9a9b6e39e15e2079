"""Verification reads the deposit or withdrawal that a correction reverses, and finds a correction of anything else."""

from uuid import UUID, uuid4

import pytest

from bank.application.dispatch import handle
from bank.domain.commands import CloseBankAccount, ReverseDeposit
from bank.domain.events import (
    AccountEvent,
    BankAccountClosed,
    DepositReversed,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    WithdrawalReversed,
)
from eventstore.verification import parallel
from projections.workers import replay
from tests.eventstore.test_decisions_verified import DEPOSIT, findings, record
from tests.support.newer import freeze
from tests.support.record import Aside
from tests.support.values import PIN, deposit, open_account, withdraw

CLOSE, REVERSE_IN, REVERSE_OUT = "close_bank_account", "reverse_deposit", "reverse_withdrawal"
WHY = "Typed twice"


@pytest.fixture(autouse=True)
def paid(bank: object) -> dict[str, UUID]:
    """The command ids of a deposit of 50 and a withdrawal of 20 at account 1, and of a deposit of 50 into account 2."""
    open_account(1)
    open_account(2)
    return {
        "in": deposit(1, 50).command_id,
        "out": withdraw(1, 20).command_id,
        "rest": deposit(1, 500).command_id,
        "elsewhere": deposit(2, 50).command_id,
    }


@pytest.mark.parametrize(
    ("kind", "name", "amount"),
    [
        (DepositReversed, "in", 49),
        (DepositReversed, "in", 51),
        (DepositReversed, "out", 20),
        (DepositReversed, "elsewhere", 50),
        (DepositReversed, "nothing", 50),
        (WithdrawalReversed, "out", 21),
        (WithdrawalReversed, "in", 50),
        (WithdrawalReversed, "elsewhere", 50),
    ],
)
def test_a_correction_of_something_else_is_found(
    monkeypatch: pytest.MonkeyPatch,
    paid: dict[str, UUID],
    kind: type[DepositReversed | WithdrawalReversed],
    name: str,
    amount: int,
) -> None:
    command = REVERSE_IN if kind is DepositReversed else REVERSE_OUT
    version = record(command, kind(1, amount, str(paid.get(name, uuid4())), WHY))
    deposit(1, 5)
    [(stream, found_at, what)] = findings(1)
    assert (stream, found_at) == ("bank_account-1", version)
    assert "that it reverses" in what
    monkeypatch.setattr(parallel, "_Process", Aside)
    assert findings(2) == findings(3) == findings(1)


@pytest.mark.parametrize("command_id", ["", "nonsense", "3F0C0000-0000-4000-8000-000000000000", "{}"])
def test_a_correction_without_the_id_of_a_command_is_found(paid: dict[str, UUID], command_id: str) -> None:
    record(REVERSE_IN, DepositReversed(1, 50, command_id, WHY))
    [(_, _, what)] = findings(1)
    assert "cannot be read" in what


def test_a_second_correction_is_found_and_one_below_zero_and_one_without_a_reason(paid: dict[str, UUID]) -> None:
    handle(ReverseDeposit(1, paid["in"], WHY))
    assert findings(1) == []
    record(REVERSE_IN, DepositReversed(1, 50, str(paid["in"]), WHY))
    withdraw(2, 1)
    record(REVERSE_IN, DepositReversed(2, 50, str(paid["elsewhere"]), WHY))
    assert [what for _, _, what in findings(1)] == [
        "the rules reject its command: That is reversed already.",
        "the rules reject its command: The balance is less than the deposit: a part of it has left the account since.",
    ]


def test_a_correction_of_a_later_command_is_found(paid: dict[str, UUID]) -> None:
    later = uuid4()
    version = record(REVERSE_IN, DepositReversed(1, 50, str(later), WHY))
    deposit(1, 50, command_id=later)
    assert [(stream, found_at) for stream, found_at, _ in findings(1)] == [("bank_account-1", version)]
    assert findings(2) == findings(1), "processes of their own send the corrections back"


@pytest.mark.parametrize(
    ("command", "events", "what"),
    [
        (REVERSE_IN, [DepositReversed(1, 50, "{in}", " ")], "needs a reason"),
        (REVERSE_IN, [DepositReversed(1, 50, "{in}", " Typed")], "deposit_reversed"),
        (REVERSE_OUT, [DepositReversed(1, 50, "{in}", WHY)], "for the command reverse_withdrawal"),
        (DEPOSIT, [DepositReversed(1, 50, "{in}", WHY)], "for the command deposit_money_into_bank_account"),
        (CLOSE, [BankAccountClosed(1)], "There is money in account 1"),
        (CLOSE, [InvalidPin(1, 0)], "There is money in account 1"),
        ("withdraw_money_from_bank_account", [InvalidPin(3, 0)], "for the command withdraw_money_from_bank_account"),
        (CLOSE, [InvalidPin(3, 5)], "for the command close_bank_account"),
        (CLOSE, [BankAccountClosed(9)], "was not open yet"),
    ],
)
def test_a_decision_that_the_rules_forbid_is_named(
    paid: dict[str, UUID], command: str, events: list[AccountEvent], what: str
) -> None:
    open_account(3)
    made = [
        DepositReversed(event.account_id, event.amount, str(paid["in"]), event.reason)
        if isinstance(event, DepositReversed)
        else event
        for event in events
    ]
    record(command, *made)
    [(_, _, output)] = findings(1)
    assert what in output


def test_a_task_after_the_closing_is_found(paid: dict[str, UUID]) -> None:
    open_account(3)
    handle(CloseBankAccount(3, PIN))
    record(DEPOSIT, MoneyDepositedIntoBankAccount(3, 5))
    [(_, _, what)] = findings(1)
    assert "Account 3 is closed." in what


def test_a_stream_that_a_newer_version_wrote_to_is_checked_up_to_there(paid: dict[str, UUID]) -> None:
    handle(ReverseDeposit(1, paid["in"], WHY))
    freeze(1)
    assert findings(1) == []
    assert replay.check() == []
