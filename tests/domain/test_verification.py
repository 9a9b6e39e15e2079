"""Verification finds each decision against the rules, and nothing else."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from bank.domain.account import BankAccount
from bank.domain.errors import CommandRejected
from bank.domain.events import (
    AccountEvent,
    AccountOverdrawn,
    BankAccountCreated,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyTransferCompleted,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
)
from bank.domain.values import MAX_AMOUNT, MAX_BALANCE
from bank.domain.verification import misfit
from tests.domain.story import OPENED, given

CREATE, DEPOSIT, WITHDRAW = (
    "create_bank_account", "deposit_money_into_bank_account", "withdraw_money_from_bank_account",
)  # fmt: skip
UNLOCK, CHANGE = "unlock_pin", "change_pin"
SEND, RECEIVE = "transfer_money_between_bank_accounts", "receive_money_transfer"
COMPLETE, RETURN = "complete_money_transfer", "return_money_transfer"
SENT = MoneyTransferSent(1, 2, 20, "t")
WRONG = InvalidPin(1, 20)
RICH = (OPENED, MoneyDepositedIntoBankAccount(1, 50))
LOCKED = (*RICH, WRONG, WRONG, WRONG, PinLocked(1, 3))


def found(
    account: BankAccount, *events: AccountEvent, command: str, attempts: int | None = 3
) -> tuple[int, str] | None:
    """Return the first finding among the events of one command, with its index."""
    for at in range(len(events)):
        name = command if at == len(events) - 1 else None
        if what := misfit(account, events[: at + 1], pin_attempts=attempts, command=name):
            return at, what
    return None


# Decisions against the rules


@pytest.mark.parametrize(
    ("history", "command", "events", "at", "what"),
    [
        (LOCKED, WITHDRAW, [MoneyWithdrawnFromBankAccount(1, 5)], 0, "record withdrawal_blocked"),
        (LOCKED, WITHDRAW, [AccountOverdrawn(1, 50, 80)], 0, "record withdrawal_blocked"),
        (LOCKED, WITHDRAW, [WRONG], 0, "record withdrawal_blocked"),
        (LOCKED, WITHDRAW, [WRONG, PinLocked(1, 4)], 0, "record withdrawal_blocked"),
        (RICH, WITHDRAW, [WithdrawalBlocked(1, 20)], 0, "record money_withdrawn"),
        (RICH, WITHDRAW, [MoneyWithdrawnFromBankAccount(1, 51)], 0, "a balance of -1; the rules record account_over"),
        (RICH, WITHDRAW, [AccountOverdrawn(1, 50, 50)], 0, "record money_withdrawn"),
        (RICH, WITHDRAW, [AccountOverdrawn(1, 49, 80)], 0, "balance 50"),
        (RICH, WITHDRAW, [AccountOverdrawn(1, 50.0, 80)], 0, "balance 50"),  # type: ignore[arg-type]
        (RICH, WITHDRAW, [MoneyWithdrawnFromBankAccount(1, 0)], 0, "more than zero"),
        (RICH, WITHDRAW, [MoneyWithdrawnFromBankAccount(1, -5)], 0, "more than zero"),
        (RICH, WITHDRAW, [InvalidPin(1, 0)], 0, "There is money in account 1"),
        (RICH, WITHDRAW, [InvalidPin(1, -1)], 0, "more than zero"),
        (RICH, WITHDRAW, [InvalidPin(1, MAX_AMOUNT + 1)], 0, "more than can be moved"),
        (RICH, DEPOSIT, [MoneyDepositedIntoBankAccount(1, MAX_AMOUNT + 1)], 0, "more than can be moved"),
        (RICH, DEPOSIT, [MoneyDepositedIntoBankAccount(1, True)], 0, "more than zero"),
        ((*RICH, WRONG, WRONG), WITHDRAW, [WRONG], 0, "record pin_locked beside it"),
        ((*RICH, WRONG), WITHDRAW, [WRONG, PinLocked(1, 2)], 1, "record no pin_locked here"),
        ((*RICH, WRONG, WRONG), WITHDRAW, [WRONG, PinLocked(1, 4)], 1, "record pin_locked (accountId 1, wrong_pins 3)"),
        ((*RICH, WRONG, WRONG), WITHDRAW, [WRONG, PinLocked(1, 3.0)], 1, "wrong_pins 3"),  # type: ignore[arg-type]
        ((*RICH, WRONG, WRONG), WITHDRAW, [WRONG, PinLocked(2, None)], 1, "record pin_locked"),
        ((*RICH, WRONG), WITHDRAW, [WRONG, PinLocked(1, None)], 1, "record no pin_locked here"),
        (RICH, WITHDRAW, [PinLocked(1, 1)], 0, "record no pin_locked here"),
        ((*RICH, WRONG, WRONG, WRONG), WITHDRAW, [PinLocked(1, 1)], 0, "record no pin_locked here"),
        (RICH, WITHDRAW, [MoneyWithdrawnFromBankAccount(1, 5), PinLocked(1, 1)], 1, "record no pin_locked here"),
        (RICH, UNLOCK, [PinUnlocked(1)], 0, "are not locked"),
        (LOCKED, CHANGE, [PinChanged(1)], 0, "record pin_unlocked beside it"),
        (RICH, CHANGE, [PinChanged(1), PinUnlocked(1)], 1, "record no pin_unlocked here"),
        (LOCKED, CHANGE, [PinUnlocked(1), PinChanged(1)], 1, "record no pin_changed here"),
        (RICH, DEPOSIT, [MoneyDepositedIntoBankAccount(1, 5)] * 2, 1, "record no money_deposited"),
        (RICH, DEPOSIT, [MoneyDepositedIntoBankAccount(1, 5)] * 3, 1, "record no money_deposited"),
        (RICH, DEPOSIT, [MoneyWithdrawnFromBankAccount(1, 5)], 0, "for the command deposit_money"),
        (RICH, WITHDRAW, [MoneyDepositedIntoBankAccount(1, 5)], 0, "for the command withdraw_money"),
        (LOCKED, CHANGE, [PinUnlocked(1)], 0, "for the command change_pin"),
        (RICH, CREATE, [OPENED], 0, "the account was open before"),
        ((), DEPOSIT, [MoneyDepositedIntoBankAccount(1, 5)], 0, "the account was not open yet"),
        ((), WITHDRAW, [WithdrawalBlocked(1, 5)], 0, "the account was not open yet"),
        ((), WITHDRAW, [WRONG], 0, "the account was not open yet"),
        ((), UNLOCK, [PinUnlocked(1)], 0, "the account was not open yet"),
        ((), CHANGE, [PinChanged(1)], 0, "the account was not open yet"),
        (RICH, SEND, [MoneyTransferSent(1, 2, 51, "t")], 0, "a balance of -1; the rules record account_over"),
        (RICH, SEND, [MoneyTransferSent(1, 1, 5, "t")], 0, "to itself"),
        (RICH, SEND, [MoneyTransferSent(1, 0, 5, "t")], 0, "from 1 to"),
        (LOCKED, SEND, [MoneyTransferSent(1, 2, 5, "t")], 0, "record withdrawal_blocked"),
        (RICH, WITHDRAW, [SENT], 0, "for the command withdraw_money"),
        (RICH, SEND, [MoneyWithdrawnFromBankAccount(1, 5)], 0, "for the command transfer_money"),
        (RICH, UNLOCK, [WRONG], 0, "for the command unlock_pin"),
        (RICH, RECEIVE, [MoneyTransferReceived(1, 2, 0, "t")], 0, "more than zero"),
        (RICH, COMPLETE, [MoneyTransferCompleted(1, "t")], 0, "No transfer t"),
        ((*RICH, SENT), COMPLETE, [MoneyTransferCompleted(1, "u")], 0, "No transfer u"),
        ((*RICH, SENT), RETURN, [MoneyTransferReturned(1, 3, 20, "t", "")], 0, "toAccountId 2"),
        ((*RICH, SENT), RETURN, [MoneyTransferReturned(1, 2, 21, "t", "")], 0, "amount 20"),
        ((*RICH, SENT), COMPLETE, [MoneyTransferReturned(1, 2, 20, "t", "")], 0, "for the command complete_money"),
    ],
)
def test_a_decision_against_the_rules_is_named(
    history: Sequence[AccountEvent], command: str, events: Sequence[AccountEvent], at: int, what: str
) -> None:
    finding = found(given(*history, account_id=1).account, *events, command=command)
    assert finding
    assert finding[0] == at
    assert what in finding[1]


def test_a_balance_that_no_account_can_hold_is_named() -> None:
    full = BankAccount(1, "Josh", MAX_BALANCE)
    finding = found(full, MoneyDepositedIntoBankAccount(1, 1), command=DEPOSIT)
    assert finding == (0, "the rules reject its command: The account cannot hold that much.")


@pytest.mark.parametrize("account_id", [0, -1, 2**63])
def test_a_number_that_no_account_can_have_is_named(account_id: int) -> None:
    assert found(BankAccount(account_id), BankAccountCreated(account_id, "Josh"), command=CREATE)


@pytest.mark.parametrize("holder", ["", " Josh", "Josh\t", "J" * 101, "Jo\nsh", "Ju\u0308rgen", 7, None])
def test_a_holder_that_no_version_accepted_is_a_finding(holder: Any) -> None:
    finding = found(BankAccount(1), BankAccountCreated(1, holder), command=CREATE)
    assert finding
    assert "is no holder's name" in finding[1]


@pytest.mark.parametrize("holder", ["J", "J" * 100, "Jürgen", "\u202eJosh", "\u200b", "\ue000", "<b>", "🏦"])
def test_a_holder_that_the_first_version_accepted_is_no_finding(holder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bank.domain.account.normal_holder", lambda name: name)  # whatever is asked for today
    assert found(BankAccount(1), BankAccountCreated(1, holder), command=CREATE) is None


# The number of attempts


def test_a_lock_from_before_the_number_of_wrong_pins_was_recorded_is_no_finding() -> None:
    account = given(*RICH, WRONG, WRONG).account
    assert found(account, WRONG, PinLocked(1, None), command=WITHDRAW) is None


@pytest.mark.parametrize("wrong", range(6))
@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
def test_a_lock_falls_at_the_number_that_was_set_then_and_at_no_other(wrong: int, attempts: int) -> None:
    account = given(*RICH, *[WRONG] * wrong).account
    locks = wrong + 1 >= attempts
    assert (found(account, WRONG, PinLocked(1, wrong + 1), command=WITHDRAW, attempts=attempts) is None) is locks
    assert (found(account, WRONG, command=WITHDRAW, attempts=attempts) is None) is not locks


@pytest.mark.parametrize("wrong", range(6))
def test_without_a_recorded_number_of_attempts_any_number_is_accepted(wrong: int) -> None:
    account = given(*RICH, *[WRONG] * wrong).account
    assert found(account, WRONG, PinLocked(1, wrong + 1), command=WITHDRAW, attempts=None) is None
    assert found(account, WRONG, command=WITHDRAW, attempts=None) is None
    assert found(account, WRONG, PinUnlocked(1), command=WITHDRAW, attempts=None)
    assert found(account, WRONG, PinLocked(1, wrong + 1), PinLocked(1, wrong + 1), command=WITHDRAW, attempts=None)


# Whatever happened


class Did(NamedTuple):
    """A command that was carried out, and the number of attempts at that time."""

    command: str
    events: tuple[AccountEvent, ...]
    attempts: int


def possible(account: BankAccount, amount: int, attempts: int) -> list[Did]:
    """Return all that the aggregate can make of commands now."""
    tasks: dict[str, list[Callable[[], Sequence[AccountEvent]]]] = {
        CREATE: [lambda: [account.create("Josh", 1)]],
        DEPOSIT: [lambda: [account.deposit(amount)]],
        WITHDRAW: [
            lambda: account.withdraw(amount, pin_matches=lambda: True, pin_attempts=attempts),
            lambda: account.withdraw(amount, pin_matches=lambda: False, pin_attempts=attempts),
        ],
        UNLOCK: [lambda: [account.unlock_pin()]],
        CHANGE: [lambda: account.change_pin(1)],
        SEND: [
            lambda: account.transfer(2, amount, "t", pin_matches=lambda: True, pin_attempts=attempts),
            lambda: account.transfer(2, amount, "t", pin_matches=lambda: False, pin_attempts=attempts),
        ],
        RECEIVE: [lambda: [account.receive_transfer(2, amount, "t")]],
        COMPLETE: [lambda: [account.complete_transfer("t")]],
        RETURN: [lambda: [account.return_transfer("t", "no_such_account")]],
    }
    did: list[Did] = []
    for command, ways in tasks.items():
        for way in ways:
            with suppress(CommandRejected):
                did.append(Did(command, tuple(way()), attempts))
    return did


@st.composite
def histories(draw: st.DrawFn) -> list[Did]:
    """Possible histories of an account, with a changing number of attempts."""
    account, history = BankAccount(1), list[Did]()
    for _ in range(draw(st.integers(0, 25))):
        amount = draw(st.sampled_from([1, 20, 50, MAX_AMOUNT]))
        did = draw(st.sampled_from(possible(account, amount, draw(st.integers(1, 4)))))
        history.append(did)
        for event in did.events:
            account = account.apply(event)
    return history


@settings(deadline=None)
@for_any(histories(), st.booleans())
def test_a_decision_of_the_aggregate_is_never_a_finding(history: list[Did], wrote_down: bool) -> None:
    account = BankAccount(1)
    for command, events, attempts in history:
        assert found(account, *events, command=command, attempts=attempts if wrote_down else None) is None
        for event in events:
            account = account.apply(event)


AMOUNTS = st.sampled_from([-1, 0, 1, 20, 50, 51, MAX_AMOUNT, MAX_AMOUNT + 1])
EVENTS = st.one_of(
    st.just(OPENED),
    st.builds(MoneyDepositedIntoBankAccount, st.just(1), AMOUNTS),
    st.builds(MoneyWithdrawnFromBankAccount, st.just(1), AMOUNTS),
    st.builds(InvalidPin, st.just(1), AMOUNTS),
    st.builds(AccountOverdrawn, st.just(1), AMOUNTS, AMOUNTS),
    st.builds(WithdrawalBlocked, st.just(1), AMOUNTS),
    st.builds(PinLocked, st.just(1), st.integers(1, 4)),
    st.sampled_from([PinUnlocked(1), PinChanged(1), MoneyTransferCompleted(1, "t")]),
    st.builds(MoneyTransferSent, st.just(1), st.just(2), AMOUNTS, st.just("t")),
    st.builds(MoneyTransferReceived, st.just(1), st.just(2), AMOUNTS, st.just("t")),
    st.builds(MoneyTransferReturned, st.just(1), st.just(2), AMOUNTS, st.just("t"), st.just("no_such_account")),
)


@settings(deadline=None, max_examples=300)
@for_any(
    histories(),
    st.lists(EVENTS, min_size=1, max_size=3),
    st.sampled_from([CREATE, DEPOSIT, WITHDRAW, UNLOCK, CHANGE, SEND, RECEIVE, COMPLETE, RETURN]),
    st.integers(1, 4),
)
def test_an_impossible_decision_is_always_a_finding(
    history: list[Did], forged: list[AccountEvent], command: str, attempts: int
) -> None:
    account = given(*[event for did in history for event in did.events], account_id=1).account
    amounts = {getattr(forged[0], name, 1) for name in ("amount", "amount_requested")}
    could = [did for amount in amounts for did in possible(account, amount, attempts)]
    finding = found(account, *forged, command=command, attempts=attempts)
    assert (finding is None) == (Did(command, tuple(forged), attempts) in could)
