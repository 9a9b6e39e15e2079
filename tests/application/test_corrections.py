"""Corrections on real databases: each deposit or withdrawal is reversed at most once, whoever tries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bank.application.dispatch import Ack, handle
from bank.domain.commands import CloseBankAccount, Command, ReverseDeposit, ReverseWithdrawal
from bank.domain.errors import (
    AccountClosed,
    AlreadyReversed,
    BalanceTooLow,
    CommandRejected,
    InvalidAmount,
    InvalidReason,
    NoSuchAccount,
    NotReversible,
)
from bank.domain.events import DepositReversed, WithdrawalReversed
from bank.operations.audit import audit
from eventstore.models import CommandRecord, Event
from projections import queries
from projections.models import DailyTotals
from projections.workers import replay
from tests.support.values import PIN, at_once, deposit, open_account, withdraw

WHY = "Typed twice"
REVERSE: Sequence[Any] = ReverseDeposit, ReverseWithdrawal


@pytest.fixture(autouse=True)
def _accounts(bank: Path) -> None:
    """Account 1 of Josh with a balance of 50, and the empty account 2 of Luke."""
    open_account(1, "Josh", PIN, balance=50)
    open_account(2, "Luke", PIN)


def correct(command: Command) -> Ack:
    return handle(command, actor="sue")


def rejection_of(command: Command) -> type[CommandRejected] | None:
    """Return the kind of rejection of a command, or None if it was accepted."""
    try:
        correct(command)
    except CommandRejected as rejection:
        return type(rejection)
    return None


def test_a_deposit_and_a_withdrawal_are_reversed_in_the_words_of_the_log() -> None:
    paid_in, paid_out = deposit(1, 30).command_id, withdraw(1, 20).command_id
    ack = correct(ReverseDeposit(1, paid_in, f" {WHY} "))
    assert ack.events == (DepositReversed(1, 30, str(paid_in), WHY),)
    event = Event.objects.latest("position")
    assert event.type == "deposit_reversed"
    assert event.data == {"accountId": 1, "amount": 30, "reversedCommandId": str(paid_in), "reason": WHY}
    assert CommandRecord.objects.get(id=ack.command_id).name == "reverse_deposit"
    assert correct(ReverseWithdrawal(1, paid_out, WHY)).events == (WithdrawalReversed(1, 20, str(paid_out), WHY),)
    assert queries.check_balance(1) == 50
    assert audit(processes=1).findings == []
    assert replay.check() == []


def test_a_correction_counts_on_its_day_and_in_all_figures() -> None:
    correct(ReverseWithdrawal(1, withdraw(1, 20).command_id, WHY))
    correct(ReverseDeposit(1, deposit(1, 30).command_id, WHY))
    figures = queries.bank_figures()
    assert (figures.balance, figures.paid_in, figures.paid_out) == (50, 100, 50)
    day = DailyTotals.objects.get()
    assert (day.deposits, day.paid_in, day.withdrawals, day.paid_out, day.corrections) == (2, 100, 1, 50, 2)
    totals = queries.totals(1, queries.WHOLE)
    assert (totals.paid_in, totals.paid_out, totals.after) == (100, 50, 50)


def test_a_line_names_the_command_that_it_reverses_and_the_reason() -> None:
    paid_in = deposit(1, 30).command_id
    ack = correct(ReverseDeposit(1, paid_in, WHY))
    line = queries.statement(1).rows[0]
    assert (line.kind, line.amount, line.sign, line.balance) == ("undone_in", 30, -1, 50)
    assert (line.about_command_id, line.reason, line.actor) == (paid_in, WHY, "sue")
    receipt = queries.receipt(paid_in)
    assert receipt
    assert [each.command_id for each in receipt.related] == [ack.command_id]


def test_a_correction_happens_once() -> None:
    paid_in, paid_out = deposit(1, 30).command_id, withdraw(1, 20).command_id
    for reverse, command_id in zip(REVERSE, (paid_in, paid_out), strict=True):
        assert rejection_of(reverse(1, command_id, WHY)) is None
        assert rejection_of(reverse(1, command_id, WHY)) is AlreadyReversed
        assert rejection_of(reverse(1, command_id, "Another reason")) is AlreadyReversed
    assert queries.check_balance(1) == 50


def test_a_repeated_correction_has_its_first_outcome() -> None:
    paid_in, command_id = deposit(1, 30).command_id, uuid4()
    handle(ReverseDeposit(1, paid_in, WHY), command_id=command_id)
    assert handle(ReverseDeposit(1, paid_in, WHY), command_id=command_id).repeated
    assert queries.check_balance(1) == 50


def test_supervisors_who_correct_at_once_reverse_it_once() -> None:
    for _ in range(3):
        paid_in = deposit(1, 30).command_id
        results = at_once([lambda paid_in=paid_in: rejection_of(ReverseDeposit(1, paid_in, WHY))] * 4)  # type: ignore[misc]
        assert sorted(results, key=str) == [AlreadyReversed] * 3 + [None]
        assert queries.check_balance(1) == 50


def test_money_that_has_left_the_account_cannot_be_taken_back() -> None:
    paid_in = deposit(2, 30).command_id
    withdraw(2, 1)
    assert rejection_of(ReverseDeposit(2, paid_in, WHY)) is BalanceTooLow
    deposit(2, 1)
    assert rejection_of(ReverseDeposit(2, paid_in, WHY)) is None
    assert queries.check_balance(2) == 0


def test_nothing_but_a_deposit_or_withdrawal_of_the_account_can_be_reversed() -> None:
    paid_in, paid_out = deposit(1, 30).command_id, withdraw(1, 20).command_id
    correction = correct(ReverseDeposit(1, paid_in, WHY)).command_id
    rejected = uuid4()
    with pytest.raises(InvalidAmount):
        deposit(1, 0, command_id=rejected)
    others = {
        "of another account": deposit(2, 5).command_id,
        "a refused withdrawal": withdraw(1, 5, PIN + 1).command_id,
        "an overdrawn withdrawal": withdraw(1, 500).command_id,
        "a rejected command": rejected,
        "a correction": correction,
        "an opening": open_account(3).command_id,
        "an unknown id": uuid4(),
        "no id": "nonsense",
    }
    for what, command_id in others.items():
        for reverse in REVERSE:
            assert rejection_of(reverse(1, command_id, WHY)) is NotReversible, what
    assert rejection_of(ReverseWithdrawal(1, paid_in, WHY)) is NotReversible
    assert rejection_of(ReverseDeposit(1, paid_out, WHY)) is NotReversible
    assert rejection_of(ReverseDeposit(9, paid_in, WHY)) is NoSuchAccount
    assert audit(processes=1).findings == []


def test_a_closed_account_is_not_corrected_and_a_locked_one_stays_locked() -> None:
    paid_in, paid_out = deposit(1, 30).command_id, withdraw(1, 20).command_id
    for _ in range(3):
        withdraw(1, 5, PIN + 1)
    assert rejection_of(ReverseDeposit(1, paid_in, WHY)) is None
    assert rejection_of(ReverseWithdrawal(1, paid_out, WHY)) is None
    account = queries.find_account(1)
    assert (account.pin_locked, account.wrong_pins) == (True, 3)
    emptied = deposit(2, 5).command_id
    withdrawn = withdraw(2, 5).command_id
    handle(CloseBankAccount(2, PIN))
    assert rejection_of(ReverseDeposit(2, emptied, WHY)) is AccountClosed
    assert rejection_of(ReverseWithdrawal(2, withdrawn, WHY)) is AccountClosed


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\x00b", "a\u200bb"])
def test_a_reason_that_nobody_can_read_is_rejected_and_kept_as_typed(reason: str) -> None:
    paid_in = deposit(1, 30).command_id
    assert rejection_of(ReverseDeposit(1, paid_in, reason)) is InvalidReason
    assert CommandRecord.objects.filter(outcome="rejected").latest("received_at").reason == "invalid_reason"


def test_the_reversed_command_is_found_among_many() -> None:
    """The account is played back from a snapshot, and the deposit is older."""
    first = deposit(1, 7).command_id
    for _ in range(120):
        deposit(1, 1)
    ids: list[UUID] = [first]
    for command_id in ids:
        assert rejection_of(ReverseDeposit(1, command_id, WHY)) is None
    for _ in range(120):
        deposit(1, 1)
    assert rejection_of(ReverseDeposit(1, first, WHY)) is AlreadyReversed
    assert audit(processes=1).findings == []
