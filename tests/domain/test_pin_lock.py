"""The PIN lock: when wrong PINs lock withdrawals, and how they are unlocked, as stories."""

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from bank.domain.errors import InvalidAmount, PinNotLocked
from bank.domain.events import (
    AccountEvent,
    AccountOverdrawn,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
)
from bank.domain.values import MAX_AMOUNT
from tests.domain.story import OPENED, change_pin, deposit, given, unlock_pin, withdraw

WRONG = InvalidPin(1, 20)
RICH = (OPENED, MoneyDepositedIntoBankAccount(1, 50))
LOCKED = (*RICH, WRONG, WRONG, WRONG, PinLocked(1, 3))


# Locking


def test_two_wrong_pins_are_refused_and_lock_nothing() -> None:
    given(*RICH).when(withdraw(20, pin_matches=False)).then(WRONG)
    account = given(*RICH, WRONG).when(withdraw(20, pin_matches=False)).then(WRONG)
    assert (account.wrong_pins, account.pin_locked) == (2, False)


def test_the_third_wrong_pin_in_a_row_locks_beside_its_refusal() -> None:
    account = given(*RICH, WRONG, WRONG).when(withdraw(20, pin_matches=False)).then(WRONG, PinLocked(1, 3))
    assert account.pin_locked
    assert account.balance == 50


def test_the_right_pin_after_two_wrong_ones_pays_out() -> None:
    given(*RICH, WRONG, WRONG).when(withdraw(20)).then(MoneyWithdrawnFromBankAccount(1, 20))


@pytest.mark.parametrize(
    "proof",
    [MoneyWithdrawnFromBankAccount(1, 5), AccountOverdrawn(1, 50, 80)],
    ids=["money is paid out", "more than the balance is refused"],
)
def test_a_right_pin_sets_the_count_back(proof: AccountEvent) -> None:
    account = given(*RICH, WRONG, WRONG, proof, WRONG).when(withdraw(20, pin_matches=False)).then(WRONG)
    assert account.wrong_pins == 2


def test_a_deposit_needs_no_pin_and_sets_nothing_back() -> None:
    given(*RICH, WRONG, MoneyDepositedIntoBankAccount(1, 5), WRONG).when(withdraw(20, pin_matches=False)).then(
        WRONG, PinLocked(1, 3)
    )


@pytest.mark.parametrize("attempts", [1, 2, 3, 5, 10])
def test_the_number_of_attempts_is_the_callers(attempts: int) -> None:
    wrong = withdraw(20, pin_matches=False, pin_attempts=attempts)
    account = given(*RICH).account
    for _ in range(attempts - 1):
        account = given(*RICH, *[WRONG] * account.wrong_pins).when(wrong).then(WRONG)
    given(*RICH, *[WRONG] * account.wrong_pins).when(wrong).then(WRONG, PinLocked(1, attempts))


# Locked accounts


@pytest.mark.parametrize("amount", [1, 20, 50, 51, MAX_AMOUNT])
def test_a_locked_account_refuses_on_record_without_a_look_at_the_pin(amount: int) -> None:
    account = given(*LOCKED).when(withdraw(amount, pin_matches=None)).then(WithdrawalBlocked(1, amount))
    assert account.pin_locked
    assert account.balance == 50


def test_nonsense_is_rejected_at_a_locked_account_too() -> None:
    given(*LOCKED).when(withdraw(0, pin_matches=None)).then_rejected(InvalidAmount, field="amount")


def test_a_locked_account_takes_deposits_and_stays_locked() -> None:
    account = given(*LOCKED).when(deposit(10)).then(MoneyDepositedIntoBankAccount(1, 10))
    assert (account.balance, account.pin_locked) == (60, True)


# Unlocking


def test_a_supervisor_unlocks_the_account_and_resets_the_attempts() -> None:
    account = given(*LOCKED, WithdrawalBlocked(1, 20)).when(unlock_pin()).then(PinUnlocked(1))
    assert (account.wrong_pins, account.pin_locked, account.balance) == (0, False, 50)
    unlocked = (*LOCKED, PinUnlocked(1))
    given(*unlocked).when(withdraw(20)).then(MoneyWithdrawnFromBankAccount(1, 20))
    given(*unlocked, WRONG).when(withdraw(20, pin_matches=False)).then(WRONG)
    given(*unlocked, WRONG, WRONG).when(withdraw(20, pin_matches=False)).then(WRONG, PinLocked(1, 3))


@pytest.mark.parametrize("history", [RICH, (*RICH, WRONG, WRONG), (*LOCKED, PinUnlocked(1))])
def test_an_unlocked_account_cannot_be_unlocked(history: tuple[AccountEvent, ...]) -> None:
    given(*history).when(unlock_pin()).then_rejected(PinNotLocked, field="account_id", saying="not locked")


def test_a_new_pin_sets_the_count_back() -> None:
    account = given(*RICH, WRONG, WRONG).when(change_pin()).then(PinChanged(1))
    assert (account.wrong_pins, account.balance) == (0, 50)


def test_a_new_pin_unlocks_the_account_and_records_it() -> None:
    account = given(*LOCKED).when(change_pin()).then(PinChanged(1), PinUnlocked(1))
    assert (account.wrong_pins, account.pin_locked, account.balance) == (0, False, 50)


# Another number of attempts changes no history


def test_a_smaller_number_of_attempts_locks_no_unlocked_account() -> None:
    history = (*RICH, WRONG, WRONG, WRONG, WRONG)
    assert not given(*history).account.pin_locked
    given(*history).when(withdraw(20, pin_attempts=3)).then(MoneyWithdrawnFromBankAccount(1, 20))
    given(*history).when(withdraw(20, pin_matches=False, pin_attempts=3)).then(WRONG, PinLocked(1, 5))


def test_a_greater_number_of_attempts_unlocks_no_locked_account() -> None:
    given(*LOCKED).when(withdraw(20, pin_matches=None, pin_attempts=10)).then(WithdrawalBlocked(1, 20))


TRIES = st.one_of(
    st.tuples(st.booleans(), st.sampled_from([20, 80]), st.integers(1, 4)),
    st.sampled_from(["unlock", "change"]),
)


@settings(deadline=None)
@for_any(st.lists(TRIES, max_size=40))
def test_nobody_ever_gets_more_comparisons_in_a_row_than_the_number_of_attempts(
    tries: list[tuple[bool, int, int] | str],
) -> None:
    account, compared_wrong, most = given(*RICH).account, 0, 0
    for tried in tries:
        happened: list[AccountEvent] = []
        if isinstance(tried, tuple):
            right, amount, attempts = tried
            looks = iter([right])
            happened += account.withdraw(amount, pin_matches=looks.__next__, pin_attempts=attempts)
            looked = next(looks, None) is None
            assert looked is not account.pin_locked
            if looked:
                compared_wrong = 0 if right else compared_wrong + 1
            most = max(most, attempts)
            assert (PinLocked(1, compared_wrong) in happened) == (looked and not right and compared_wrong >= attempts)
        elif tried == "change":
            happened += account.change_pin(1)
            compared_wrong = 0
        elif account.pin_locked:
            happened.append(account.unlock_pin())
            compared_wrong = 0
        for event in happened:
            account = account.apply(event)
        assert account.wrong_pins == compared_wrong <= most
