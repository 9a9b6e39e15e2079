"""The desk's queries: a teller's tasks of a day, what waits, and the supervisors' lists. Each on both databases."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from bank.application.dispatch import handle
from bank.application.process_managers import paused
from bank.domain.commands import (
    CloseTill,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    OpenTill,
    ReverseDeposit,
    TransferMoneyBetweenBankAccounts,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import CommandRejected
from eventstore import clock
from projections import queries
from projections.desk import Done
from projections.workers import replay
from tests.support.values import PIN, deposit, open_account, withdraw

pytestmark = pytest.mark.usefixtures("bank")

DAY = datetime(2026, 3, 9, 8, tzinfo=UTC)
SPAN = DAY.replace(hour=0), DAY.replace(hour=0) + timedelta(days=1)


def a_day() -> None:
    """Tina's day, with tasks of others, and her own of the day before."""
    with clock.set_to(SPAN[0] - timedelta(microseconds=1)):
        handle(CreateBankAccount(1, "Josh", PIN), actor="tina")
        open_account(2, "Luke", balance=1000)
    with clock.set_to(DAY):
        handle(OpenTill(4, "tina", 500), actor="tina")
        handle(CreateBankAccount(3, "Ada", PIN), actor="tina")
        twice = handle(DepositMoneyIntoBankAccount(1, 70), actor="tina").command_id
        deposit(1, 30, actor="tina")
        withdraw(1, 40, actor="tina")
        deposit(2, 5, actor="tom")
        handle(TransferMoneyBetweenBankAccounts(2, 1, 25, PIN), actor="tina")
        handle(TransferMoneyBetweenBankAccounts(2, 99, 15, PIN), actor="tina")  # comes back
        for _ in range(3):
            withdraw(2, 10, PIN + 1, actor="tina")  # the third one locks
        handle(ReverseDeposit(1, twice, "Typed twice"), actor="tina")
        with suppress(CommandRejected):
            handle(DepositMoneyIntoBankAccount(77, 5), actor="tina")


def the_next_day() -> None:
    with clock.set_to(SPAN[1]):
        deposit(1, 7, actor="tina")


def test_the_desk_adds_up_the_tellers_own_tasks_of_the_day() -> None:
    a_day()
    with paused(), clock.set_to(DAY):
        sent = handle(TransferMoneyBetweenBankAccounts(1, 3, 9, PIN), actor="tina")
        handle(TransferMoneyBetweenBankAccounts(1, 3, 1, PIN), actor="tom")
    the_next_day()
    day, till, on_their_way, supervised = queries.desk("tina", *SPAN)
    assert (day.paid_in, day.paid_out, day.sent) == (Done(2, 100), Done(2, 110), Done(3, 49))
    assert (day.opened, day.corrections, day.refused, day.tasks) == (1, 1, 3, 11)
    assert day == queries.day_of("tina", *SPAN)
    assert till == (4, 1, 500, DAY)
    assert on_their_way == ((sent.command_id, 3, 9, DAY),)
    assert supervised is None

    nobody = queries.desk("nobody", *SPAN, supervises=True)
    assert (nobody.day.tasks, nobody.till, nobody.on_their_way) == (0, None, ())
    assert nobody.supervised == (1, 2, 0)  # account 2 is locked
    assert queries.desk("nobody", SPAN[1], SPAN[1], supervises=True).supervised == (1, 2, 1)  # the till is left open
    handle(CloseTill(4, 1, ()), actor="tina")
    handle(UnlockPin(2), actor="sue")
    assert queries.desk("tina", *SPAN).till is None
    assert queries.desk("nobody", *SPAN, supervises=True).supervised == (0, 2, 0)
    replay.replay()
    assert queries.day_of("tina", *SPAN) == day


@pytest.mark.parametrize("limit", [1, 4, 25])
def test_a_tellers_tasks_come_in_pages_and_no_effect_of_a_task_is_among_them(limit: int) -> None:
    a_day()
    the_next_day()
    found, before = [], None
    while True:
        page = queries.tasks_of("tina", *SPAN, before=before, limit=limit)
        found += page.rows
        if (before := page.next) is None:
            break
    kinds = [entry.kind for entry in found]
    assert kinds == ["undone_in", *["invalid_pin"] * 3, "sent", "sent", "withdrawal", "deposit", "deposit", "opened"]
    assert {entry.actor for entry in found} == {"tina"}
    assert found[-1].account_holder == "Ada"
    assert [entry.amount for entry in queries.tasks_of("tina", None, SPAN[1] + timedelta(1), limit=2).rows] == [7, 70]


# Supervisors


def test_refusals_are_limited_to_a_period_a_reason_a_teller_and_an_account() -> None:
    open_account(1, "Josh")
    open_account(2, "Luke")
    for number, (account_id, amount, pin, actor) in enumerate(
        [(1, 1, PIN, "tina"), (1, 2, PIN + 1, "tina"), (2, 3, PIN, "tom"), (2, 4, PIN + 1, "tom"), (1, 5, PIN, "tom")]
    ):
        with clock.set_to(clock.now() + timedelta(hours=number)):
            handle(WithdrawMoneyFromBankAccount(account_id, amount, pin), actor=actor)
    times = [entry.recorded_at for entry in queries.refusals().rows[::-1]]

    def amounts(**wanted: object) -> list[int]:
        limits = queries.RefusalsWanted(**wanted)  # type: ignore[arg-type]
        found = [entry.amount for entry in queries.refusals(limits).rows]
        if "reason" not in wanted:
            assert sum(queries.refusals_by_reason(limits).values()) == len(found)
        return found

    assert amounts() == [5, 4, 3, 2, 1]
    assert amounts(since=times[1], until=times[4]) == [4, 3, 2]
    assert amounts(reason="invalid_pin") == [4, 2]
    assert amounts(actor="tina") == [2, 1]
    assert amounts(account_id=2, until=times[3]) == [3]
    assert amounts(account_id=10**30) == amounts(actor="nobody") == amounts(reason="nonsense") == []
    assert queries.refusals_by_reason(queries.RefusalsWanted(account_id=1, reason="invalid_pin")) == {
        "account_overdrawn": 2,
        "invalid_pin": 1,
    }


def test_locked_accounts_say_since_when_and_are_found_among_the_accounts() -> None:
    with clock.set_to(DAY):
        for account_id, holder in enumerate(("Josh", "Luke", "Ada", "Ann"), 1):
            open_account(account_id, holder)
    for account_id in (4, 2):
        with clock.set_to(DAY + timedelta(days=account_id)):
            for _ in range(4):
                withdraw(account_id, 1, PIN + 1)
    assert queries.locked_accounts(5) == [
        (2, "Luke", 3, DAY + timedelta(days=2)),
        (4, "Ann", 3, DAY + timedelta(days=4)),
    ]
    assert len(queries.locked_accounts(1)) == 1
    assert [account.account_id for account in queries.find_accounts(locked=True).rows] == [2, 4]
    assert [account.account_id for account in queries.find_accounts("an", locked=True).rows] == [4]
    assert queries.find_accounts("josh", locked=True).rows == []
