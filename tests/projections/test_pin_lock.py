"""The PIN lock on the read side: exact, whichever way the events arrive."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import call_command

from bank.application.dispatch import Ack, handle
from bank.domain.commands import ChangePin, UnlockPin
from projections import engine, freshness, queries
from projections.models import AccountSummary, DailyTotals
from projections.workers import replay
from tests.support.values import PIN, deposit, open_account, withdraw

WRONG = PIN + 1


@pytest.fixture(autouse=True)
def _josh(bank: Path) -> None:
    """Account 1 of Josh, with a balance of 50."""
    open_account(1, "Josh", PIN, balance=50)


def lock() -> Ack:
    return [withdraw(1, 5, WRONG, actor="tina") for _ in range(3)][-1]


def state() -> tuple[int, bool]:
    account = queries.find_account(1)
    return account.wrong_pins, account.pin_locked


def live_through_everything() -> list[tuple[int, bool]]:
    """Do everything that affects the PIN, and return the account's columns after each step."""
    steps: list[Callable[[], Ack]] = [
        lambda: withdraw(1, 5, WRONG),
        lambda: deposit(1, 1),
        lambda: withdraw(1, 5, WRONG),
        lambda: withdraw(1, 500, PIN),
        lambda: withdraw(1, 5, WRONG),
        lambda: withdraw(1, 5, PIN),
        lock,
        lambda: withdraw(1, 5, PIN),
        lambda: handle(UnlockPin(1), actor="sue"),
        lambda: withdraw(1, 5, WRONG),
        lambda: handle(ChangePin(1, PIN), actor="sue"),
        lock,
        lambda: handle(ChangePin(1, PIN), actor="sue"),
        lambda: withdraw(1, 5, WRONG),
    ]
    states = []
    for step in steps:
        step()
        states.append(state())
    return states


def test_an_account_shows_its_wrong_pins_in_a_row_and_its_lock() -> None:
    assert live_through_everything() == [
        (1, False),
        (1, False),
        (2, False),
        (0, False),
        (1, False),
        (0, False),
        (3, True),
        (3, True),
        (0, False),
        (1, False),
        (0, False),
        (3, True),
        (0, False),
        (1, False),
    ]
    assert replay.check() == []


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_it_is_the_same_in_batches_of_any_size(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    live_through_everything()
    monkeypatch.setattr(engine, "BATCH", size)
    replay.replay()
    assert state() == (1, False)
    monkeypatch.undo()
    assert replay.check() == []


def test_the_statement_shows_the_user_and_time_of_locks_and_unlocks() -> None:
    lock()
    withdraw(1, 7, PIN, actor="tina")
    handle(UnlockPin(1), actor="sue")
    handle(ChangePin(1, 7), actor="sam")
    entries = [(entry.kind, entry.amount, entry.balance, entry.actor) for entry in queries.statement(1).rows]
    assert entries == [
        ("new_pin", 0, 50, "sam"),
        ("unlocked", 0, 50, "sue"),
        ("withdrawal_blocked", 7, None, "tina"),
        ("locked", 0, 50, "tina"),
        ("invalid_pin", 5, None, "tina"),
        ("invalid_pin", 5, None, "tina"),
        ("invalid_pin", 5, None, "tina"),
        ("deposit", 50, 50, ""),
        ("opened", 0, 0, ""),
    ]
    refusals = [entry.kind for entry in queries.statement(1).rows if entry.is_refusal]
    assert refusals == ["withdrawal_blocked", "invalid_pin", "invalid_pin", "invalid_pin"]


def test_the_day_counts_each_refused_withdrawal_once_and_nothing_else() -> None:
    lock()
    withdraw(1, 5, PIN)
    withdraw(1, 5, PIN)
    handle(UnlockPin(1))
    day = DailyTotals.objects.get()
    assert (day.refusals, day.withdrawals, day.paid_out) == (5, 0, 0)
    assert queries.bank_figures() == (1, 50, 50, 0, 0)


def test_a_receipt_shows_all_events_of_its_command() -> None:
    def kinds_of(command_id: UUID) -> tuple[str, tuple[str, ...]]:
        entry = queries.receipt(command_id)
        assert entry is not None
        return entry.kind, entry.beside

    assert kinds_of(lock().command_id) == ("invalid_pin", ("locked",))
    assert kinds_of(withdraw(1, 5, PIN).command_id) == ("withdrawal_blocked", ())
    assert kinds_of(handle(ChangePin(1, 7)).command_id) == ("new_pin", ("unlocked",))
    assert kinds_of(handle(ChangePin(1, 7)).command_id) == ("new_pin", ())
    assert kinds_of(withdraw(1, 5, PIN).command_id) == ("invalid_pin", ())


def test_an_old_read_side_fills_the_columns_of_the_lock_from_the_log() -> None:
    withdraw(1, 5, WRONG)
    withdraw(1, 5, WRONG)
    call_command("migrate", "projections", "0001", database="projections", verbosity=0)
    call_command("migrate", "projections", database="projections", verbosity=0)
    assert not AccountSummary.objects.exists()
    assert freshness.look().current, "the first page that looks lets them catch up"
    assert state() == (2, False)
    assert replay.check() == []
