"""Subscriptions of process managers: one process at a time, the checkpoint, the background and a request's limit."""

import threading
import time
from typing import Any

import pytest
from django.db import OperationalError, connections

from bank.application import process_managers
from bank.domain.processes import ProcessManager
from eventstore import positions, subscriptions
from eventstore.backends import backend_of
from eventstore.bell import Bell
from eventstore.events import LogPosition
from eventstore.subscription_worker import SubscriptionWorker
from tests.support.relay import RELAY, SECOND, SOURCE
from tests.support.relay.at_work import balances, poll, the_subscription
from tests.support.relay.at_work import managers as managers
from tests.support.values import deposit, query

pytestmark = pytest.mark.usefixtures("bank")

# One process at a time


def test_a_leased_subscription_is_left_alone_until_the_lease_ends() -> None:
    poll()
    held = subscriptions._Held.of(RELAY.name)
    assert held
    assert subscriptions._Held.of(RELAY.name) is None
    deposit(SOURCE, 50)
    assert balances() == [50, 0, 0, 0]
    held.give_back()
    poll()
    assert balances() == [50, 50, 50, 0]


@pytest.mark.parametrize("end", ["-1 second", "1 hour"])
def test_a_lease_ends_by_the_clock_of_the_database_and_not_after_it_was_set_back(end: str) -> None:
    poll()
    assert subscriptions._Held.of(RELAY.name)
    seconds = {"-1 second": -1, "1 hour": 3600}[end]
    query(f"UPDATE eventstore_subscription SET leased_until = {backend_of().time_in(seconds)} WHERE name <> %s", "")
    assert subscriptions._Held.of(RELAY.name)


def test_a_process_whose_lease_was_taken_over_moves_nothing() -> None:
    deposit(SOURCE, 50)
    late = subscriptions._Held.of(RELAY.name)
    assert late
    assert subscriptions.set_back(RELAY.name) is not None
    late.log_position = LogPosition(9, 99)
    late._renew_at = 0
    assert not late.renew()
    late.give_back()
    assert the_subscription().position == 0


# The checkpoint


def test_the_checkpoint_passes_events_of_no_interest_in_the_background_and_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deposit(SOURCE, 1)
    assert the_subscription().position == 7
    deposit(SECOND, 1)
    poll()
    assert the_subscription().position == 7, "it has moved a moment ago"
    monkeypatch.setattr(subscriptions, "SELDOM", 0.0)
    poll()
    assert the_subscription().position == 8


def test_a_subscription_that_is_set_back_meanwhile_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    deposit(SOURCE, 50)
    deposit(SECOND, 1)
    monkeypatch.setattr(subscriptions, "SELDOM", 0.0)
    whole = subscriptions.follow

    def follow(*given: Any, **options: Any) -> Any:
        result = whole(*given, **options)
        subscriptions.set_back(RELAY.name, 3)
        return result

    monkeypatch.setattr(subscriptions, "follow", follow)
    poll()
    assert the_subscription().position == 3


def test_a_subscription_that_is_set_back_while_it_is_worked_on_stays_so(managers: dict[str, ProcessManager]) -> None:
    def steps(event: Any, metadata: Any) -> Any:
        if process_managers._thread.is_answering:
            subscriptions.set_back(RELAY.name, 3)
        return RELAY.steps(event, metadata)

    deposit(SOURCE, 50)
    managers[RELAY.name] = RELAY._replace(steps=steps)
    deposit(SOURCE, 50)
    assert the_subscription().position == 3


def test_an_idle_bank_is_not_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "SELDOM", 0.0)
    poll()
    written: list[str] = []
    monkeypatch.setattr(subscriptions, "_write", lambda statement, values: written.append(statement))
    poll()
    assert written == []


# In the background


def test_the_background_finishes_what_a_request_leaves_and_survives_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = SubscriptionWorker(process_managers.subscribers, Bell(0.05, listens=False))
    monkeypatch.setattr(process_managers, "_background", worker)
    poll()
    held = subscriptions._Held.of(RELAY.name)
    assert held
    errors = iter([ZeroDivisionError("a bug"), OperationalError("the disk is full")])
    whole = positions.last_readable

    def fail_twice() -> Any:
        for error in errors:
            raise error
        return whole()

    monkeypatch.setattr(positions, "last_readable", fail_twice)

    def run() -> None:
        worker.run()
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        deposit(SOURCE, 50)
        assert balances() == [50, 0, 0, 0]
        held.give_back()
        deadline = time.monotonic() + 60
        while balances() != [50, 50, 50, 0]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        worker.leave()
        thread.join(60)
    assert not thread.is_alive()


def test_a_request_answers_a_limited_number_of_events(settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    for _ in range(process_managers.AT_MOST):
        deposit(SOURCE, 1)
    settings.PROJECTION_MODE = "inline"
    deposit(SOURCE, 1)
    assert balances() == [process_managers.AT_MOST + 1, process_managers.AT_MOST, process_managers.AT_MOST, 0]
    poll()
    assert balances() == [process_managers.AT_MOST + 1] * 3 + [0]


def test_events_of_no_concern_do_not_count_toward_the_limit() -> None:
    for _ in range(process_managers.AT_MOST + 1):
        deposit(SECOND, 1)
    deposit(SOURCE, 50)
    assert balances() == [50, process_managers.AT_MOST + 51, 50, 0]


def test_a_request_that_leaves_an_event_wakes_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    bell = Bell(listens=False)
    monkeypatch.setattr(process_managers, "_background", SubscriptionWorker(process_managers.subscribers, bell))
    deposit(SOURCE, 50)
    bell.wait(0)
    assert not bell.was_rung
    assert subscriptions._Held.of(RELAY.name)
    deposit(SOURCE, 50)
    bell.wait(0)
    assert bell.was_rung
