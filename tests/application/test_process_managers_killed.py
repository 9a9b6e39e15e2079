"""Processes killed while they carry out steps, and several at once: each step has its effect exactly once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings as configured

from bank.application import account_cache, process_managers
from bank.operations.audit import audit
from eventstore import subscriptions
from eventstore.bell import Bell
from eventstore.models import Subscription
from eventstore.subscription_worker import SubscriptionWorker
from eventstore.subscriptions import Standing
from projections import engine
from tests.support.databases import Urls
from tests.support.programs import Program
from tests.support.relay import OTHER, RELAY, SECOND, SOURCE, THIRD
from tests.support.statements import Death, mortal
from tests.support.values import at_once, deposit, open_account, query, whole_log
from tests.support.workers import wait_until

pytestmark = pytest.mark.usefixtures("bank")

SETTINGS = "tests.support.relay.settings"
KILLS = 6


@pytest.fixture(autouse=True)
def _relay(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts 1 to 4, and the process manager of tests alone."""
    monkeypatch.setattr(process_managers, "PROCESS_MANAGERS", {RELAY.name: RELAY})
    for account_id in (SOURCE, SECOND, THIRD, OTHER):
        open_account(account_id)


@pytest.fixture
def work(bank: Path, urls: Urls) -> Iterator[Callable[[], Program]]:
    """Return a function that starts `run_process_managers` with the process manager of tests."""
    with ExitStack() as stack:
        variables = {**urls, "DJANGO_SETTINGS_MODULE": SETTINGS, "PROJECTION_MODE": "worker"}
        yield lambda: stack.enter_context(
            Program(bank / f"worker-{time.monotonic()}", "run_process_managers", **variables)
        )


def poll() -> None:
    """Poll once, as the background thread of another process does after the leases of dead ones have ended."""
    query("UPDATE eventstore_subscription SET leased_until = NULL")
    account_cache._loaded.clear()
    SubscriptionWorker(process_managers.subscribers, Bell(listens=False)).poll()


def followed() -> Counter[tuple[str, str]]:
    """Return how often each event led to an event of each stream."""
    return Counter(
        (event.metadata["causation_id"], event.stream) for event in whole_log() if "causation_id" in event.metadata
    )


def once(*causes: str) -> Counter[tuple[str, str]]:
    return Counter({(cause, f"bank_account-{account_id}"): 1 for cause in causes for account_id in (SECOND, THIRD)})


def test_a_process_killed_after_any_statement_leaves_each_step_to_be_done_once() -> None:
    number, killed, deposits, met = 0, True, 0, set()
    while killed:
        number += 1
        command_id = uuid4()
        with mortal(Death(number)) as death:
            deposit(SOURCE, 50, command_id=command_id)
        killed = death.is_dead
        done = len(whole_log()) - 4 - 3 * deposits
        met.add(done)
        poll()
        if not done:
            deposit(SOURCE, 50, command_id=command_id)
        deposits += 1
        assert followed() == once(*(f"bank_account-1@{version}" for version in range(2, deposits + 2)))
        assert Subscription.objects.get(name=RELAY.name).position == whole_log()[-1].position
    assert met >= {1, 2, 3}, "it was killed before the steps, between them, and after them"
    assert audit(read_side=False).findings == []


@pytest.mark.only_on("sqlite", reason="the test above kills a process after each statement on either database")
@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_process_killed_by_the_system_leaves_each_step_to_be_done_once(done: int, bank: Path, urls: Urls) -> None:
    """It dies after the commit of the cause, between two steps, or between the last step and the checkpoint."""
    with mortal(Death()) as dry:
        deposit(SOURCE, 50)
    written = [number for number, statement in enumerate(dry.statements, 1) if "INTO eventstore_event" in statement]
    before = len(whole_log())
    for number in range(written[done - 1], len(dry.statements) + 1):
        kill_itself(uuid4(), number, bank, urls)
        if len(whole_log()) == before + done:
            break
        poll()
        before = len(whole_log())
    else:
        pytest.fail("it was never killed there")
    assert Subscription.objects.get(name=RELAY.name).position < whole_log()[-1].position
    poll()
    engine.catch_up()
    sources = [event for event in whole_log() if event.stream == "bank_account-1"][1:]
    assert followed() == once(*(event.name for event in sources))


def kill_itself(command_id: UUID, number: int, bank: Path, urls: Urls) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "tests.support.relay.killed", str(command_id), str(number)],
        cwd=configured.BASE_DIR,
        env={**os.environ, **urls, "BANK_DATA_DIR": str(bank), "DJANGO_SETTINGS_MODULE": SETTINGS},
        capture_output=True,
        timeout=120,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()


def test_processes_that_work_on_a_subscription_at_once_do_each_step_once(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROJECTION_MODE = "worker"
    for _ in range(10):
        deposit(SOURCE, 1)
    monkeypatch.setattr(subscriptions, "is_leased", lambda: "(1 = 0)")  # a lease that nobody sees
    [relay] = process_managers.subscribers()
    standings = at_once([lambda: subscriptions.follow(relay)[0]] * 4)
    assert set(standings) <= {Standing.UP_TO_DATE, Standing.WAITING}
    monkeypatch.undo()
    monkeypatch.setattr(process_managers, "PROCESS_MANAGERS", {RELAY.name: RELAY})
    poll()
    assert followed() == once(*(f"bank_account-1@{version}" for version in range(2, 12)))


def test_workers_that_are_killed_and_started_again_do_each_step_once(
    work: Callable[[], Program], settings: Any
) -> None:
    settings.PROJECTION_MODE = "worker"
    workers = [work(), work()]
    for number in range(KILLS):
        for _ in range(5):
            deposit(SOURCE, 1)
        time.sleep(0.05 * number)
        workers[number % 2].kill()
        workers[number % 2].start()
    versions = range(2, 5 * KILLS + 2)
    wait_until(lambda: len(followed()) == 2 * len(versions), *workers)
    for worker in workers:
        assert worker.stop() in (0, -signal.SIGTERM), worker.output  # it may still be starting
    assert followed() == once(*(f"bank_account-1@{version}" for version in versions))
    assert audit(read_side=False).findings == []


def test_a_worker_whose_manager_fails_goes_on_with_a_mended_one(
    work: Callable[[], Program], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROJECTION_MODE = "worker"

    def fail(event: Any, metadata: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(process_managers, "PROCESS_MANAGERS", {RELAY.name: RELAY._replace(steps=fail)})
    deposit(SOURCE, 1)
    poll()
    assert Subscription.objects.get(name=RELAY.name).error
    worker = work()  # of a version that is mended
    wait_until(lambda: followed() == once("bank_account-1@2"), worker)
    wait_until(lambda: Subscription.objects.get(name=RELAY.name).error == "", worker)
    assert worker.stop() == 0
    assert "Left after the last whole step" in worker.output


@pytest.mark.only_on("postgresql", reason="SQLite's readers wait for no writer")
def test_an_event_that_an_open_transaction_holds_back_is_answered_afterwards(urls: Urls) -> None:
    with psycopg.connect(urls["DATABASE_URL"]) as other:
        other.execute("SELECT pg_current_xact_id()")
        deposit(SOURCE, 50)
        poll()
        assert followed() == Counter()
        other.rollback()
    poll()
    assert followed() == once("bank_account-1@2")
