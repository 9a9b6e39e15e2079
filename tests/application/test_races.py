"""Races of real threads at one account, on real files."""

import random
import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import OperationalError, connections

from bank.application import pins
from bank.application.dispatch import Ack, handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount, WithdrawMoneyFromBankAccount
from bank.domain.events import MoneyDepositedIntoBankAccount, MoneyWithdrawnFromBankAccount
from eventstore.models import CommandRecord, Event
from projections import engine, queries
from projections.workers import replay

pytestmark = pytest.mark.usefixtures("bank")


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Run the work in this many threads at once. Raise the error of any of them."""
    gate, failures = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            gate.wait()
            work(number)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_the_same_command_fifty_times_at_once_has_one_effect_and_one_receipt() -> None:
    handle(CreateBankAccount(1, "Josh", 1234))
    command_id, acks = uuid4(), list[Ack]()

    at_once(50, lambda number: acks.append(handle(DepositMoneyIntoBankAccount(1, 10), command_id=command_id)))

    assert len(acks) == 50
    assert {ack._replace(repeated=False) for ack in acks} == {acks[0]._replace(repeated=False)}
    assert sum(not ack.repeated for ack in acks) == 1
    assert queries.check_balance(1) == 10
    assert CommandRecord.objects.count() == Event.objects.count() == 2


def test_the_same_account_opened_by_many_at_once_is_opened_once() -> None:
    outcomes: list[str] = []

    def open_account(number: int) -> None:
        try:
            handle(CreateBankAccount(1, f"Holder {number}", number))
            outcomes.append("opened")
        except Exception as error:
            outcomes.append(type(error).__name__)

    at_once(8, open_account)
    assert sorted(outcomes) == ["AccountAlreadyExists"] * 7 + ["opened"]


def test_eight_at_one_account_lose_nothing() -> None:
    handle(CreateBankAccount(1, "Josh", 1234))
    acks: list[Ack] = []
    seen: list[int] = []

    def work(number: int) -> None:
        chance = random.Random(number)
        for _ in range(40):
            amount = chance.randint(1, 50)
            if chance.random() < 0.5:
                acks.append(handle(DepositMoneyIntoBankAccount(1, amount)))
            else:
                acks.append(handle(WithdrawMoneyFromBankAccount(1, amount, 1234)))
            seen.append(queries.check_balance(1))

    at_once(8, work)

    events = [ack.events[0] for ack in acks]
    paid_in = sum(event.amount for event in events if isinstance(event, MoneyDepositedIntoBankAccount))
    paid_out = sum(event.amount for event in events if isinstance(event, MoneyWithdrawnFromBankAccount))
    assert queries.check_balance(1) == paid_in - paid_out
    assert (queries.get_total_paid_in(), queries.get_total_paid_out()) == (paid_in, paid_out)
    assert sorted(ack.version for ack in acks) == list(range(2, 322))
    assert min(seen) >= 0
    assert replay.check() == []


@pytest.mark.only_on("postgresql", reason="SQLite has one writer at a time, who waits for nobody")
def test_a_command_that_postgresql_rolls_back_in_a_deadlock_is_retried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store_verifier, both_hold_one, broken_off = pins.store_verifier, threading.Barrier(2), list[OperationalError]()
    embraced: set[int] = set()

    def lock_crosswise(account_id: int, verifier: pins.Verifier) -> None:
        store_verifier(account_id, verifier)
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [account_id])
            cursor.fetchone()  # otherwise the statement stays in the pipeline
            if account_id not in embraced:
                embraced.add(account_id)
                both_hold_one.wait(60)
            try:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [3 - account_id])
                cursor.fetchone()
            except OperationalError as error:
                broken_off.append(error)
                raise

    def open_one(number: int) -> None:
        handle(CreateBankAccount(number + 1, "Josh", 1234))

    monkeypatch.setattr(pins, "store_verifier", lock_crosswise)
    at_once(2, open_one)
    assert "deadlock" in str(broken_off[0])
    engine.catch_up()
    assert queries.get_account_list() == [(1, "Josh"), (2, "Josh")]
    assert CommandRecord.objects.count() == Event.objects.count() == 2
