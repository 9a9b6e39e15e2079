"""`manage.py run_projections` as processes of their own: one works, the others stand by, and none is missed."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.utils import timezone

from bank.application.dispatch import Ack
from eventstore.backends import postgresql
from projections import engine, freshness, queries
from projections.freshness import projection_states
from projections.models import LEASE, Checkpoint
from projections.projectors import PROJECTORS
from projections.projectors.base import Batch
from projections.projectors.totals import Totals
from projections.workers import leases
from projections.workers.leases import Lease
from projections.workers.worker import Bell, ProjectionWorker
from tests.support.clocks import StoppedClock
from tests.support.databases import SERVER, Urls, name_in, stranger
from tests.support.programs import Program
from tests.support.values import deposit, open_account, query

PATIENCE = 120.0
"""Seconds that something may take: machines are slow."""
LEAVING_ALONE = "600"
"""An interval in seconds after which no test waits for a look at the log."""
WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(autouse=True)
def _worker_mode(bank: Path, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    settings.PROJECTION_WAIT = 0.0


@pytest.fixture
def work(bank: Path, urls: Urls) -> Iterator[Callable[..., Program]]:
    """Starts a worker with these arguments."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(
            Program(bank / f"worker-{time.monotonic()}", "run_projections", *arguments, **urls)
        )


def wait_until(what: Callable[[], bool], *programs: Program) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, [program.output for program in programs]
        time.sleep(0.02)


def shown(ack: Ack) -> bool:
    return freshness.look(ack.token).reached


def workers() -> set[str]:
    """Return who works on any projection at this moment."""
    return {state.worker for state in projection_states() if state.worker}


def is_at_work(program: Program) -> bool:
    return any(f":{program.pid}:" in worker for worker in workers())


def test_a_worker_projects_what_the_web_process_leaves_to_it_and_stops_when_told(work: Any) -> None:
    assert not shown(open_account())
    with pytest.raises(queries.UnknownAccount):
        queries.check_balance(1)

    worker = work("--interval", "0.05")
    for balance in (10, 20):
        ack = deposit(1, 10)
        wait_until(lambda ack=ack: shown(ack), worker)  # type: ignore[misc]
        assert queries.check_balance(1) == balance
    assert worker.stop() == 0, worker.output
    assert "left after the last whole batch" in worker.output
    assert workers() == set(), "its lease is given back, so that another one can begin at once"


def test_one_works_and_another_takes_over_when_it_is_killed(work: Any) -> None:
    open_account()
    first = work()
    wait_until(lambda: is_at_work(first), first)
    second = work()
    wait_until(lambda: "stands by" in second.output, second)
    for _ in range(20):
        deposit(1, 1)
        assert workers() == {next(iter(workers()))}
        assert is_at_work(first), "the other one stands by"

    first.kill()
    ack = deposit(1, 1)
    wait_until(lambda: shown(ack), second)
    assert is_at_work(second)
    assert queries.check_balance(1) == 21


def test_a_worker_that_is_told_to_leave_makes_room_for_the_next_at_once(work: Any) -> None:
    first = work()
    wait_until(lambda: is_at_work(first), first)
    assert first.stop(signal.SIGINT) == 0
    assert workers() == set()
    second = work()
    wait_until(lambda: is_at_work(second), second)


def test_workers_can_share_the_projections_out(work: Any) -> None:
    ack = open_account(balance=5)
    first, second = work("accounts", "totals"), work("statements", "refusals", "daily", "names")
    wait_until(lambda: shown(ack), first, second)
    wait_until(lambda: len(workers()) == 2, first, second)
    at = {state.name: state.worker.split(":")[1] for state in projection_states()}
    assert {at["accounts"], at["totals"]} == {str(first.pid)}
    assert {at["statements"], at["refusals"], at["daily"]} == {str(second.pid)}


def test_a_frozen_worker_is_replaced_and_does_no_harm_when_it_thaws(work: Any, vendor: str) -> None:
    opened = open_account()
    first = work()
    wait_until(lambda: is_at_work(first), first)
    if vendor == "sqlite":  # there nobody can end the transaction of a process that is frozen in it
        wait_until(lambda: shown(opened), first)
        time.sleep(0.3)
    os.kill(first.pid, signal.SIGSTOP)
    second = work()
    ack = deposit(1, 10)
    wait_until(lambda: shown(ack), second)
    os.kill(first.pid, signal.SIGCONT)
    for _ in range(20):
        ack = deposit(1, 10)
    wait_until(lambda: shown(ack), first, second)
    assert queries.check_balance(1) == 210, "no event counts twice"


@pytest.mark.only_on("postgresql", reason="on SQLite nobody can end another process's transaction")
def test_a_worker_that_is_frozen_in_mid_transaction_is_replaced(work: Any, urls: Urls) -> None:
    open_account()
    first = work()
    wait_until(lambda: is_at_work(first), first)
    second = work()
    wait_until(lambda: "stands by" in second.output, second)
    with stranger(urls["PROJECTIONS_DATABASE_URL"]) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE projections_accountsummary IN EXCLUSIVE MODE")
        ack = deposit(1, 10)
        wait_until(lambda: bool(query(WAITING, using="projections")), first)  # with the checkpoints locked
        os.kill(first.pid, signal.SIGSTOP)
        other.execute("ROLLBACK")
    wait_until(lambda: shown(ack), second)
    assert f":{first.pid}:" in second.output.partition("is frozen in mid-transaction")[0].rpartition("\n")[2]

    os.kill(first.pid, signal.SIGCONT)
    wait_until(lambda: "stands by" in first.output, first)
    second.kill()
    ack = deposit(1, 10)
    wait_until(lambda: shown(ack), first)
    assert is_at_work(first), "it works again when its turn comes"
    assert queries.check_balance(1) == 20


@pytest.mark.only_on("postgresql", reason="SQLite notifies nobody")
def test_a_worker_is_woken_by_a_notification(work: Any) -> None:
    worker = work("--interval", LEAVING_ALONE)
    wait_until(lambda: is_at_work(worker), worker)
    wait_until(lambda: bool(listeners()), worker)
    open_account()
    for _ in range(10):
        ack = deposit(1, 1)
        wait_until(lambda ack=ack: shown(ack), worker)  # type: ignore[misc]
        time.sleep(postgresql.NOTIFY_EVERY)


@pytest.mark.only_on("postgresql", reason="SQLite notifies nobody")
def test_a_worker_that_begins_to_listen_looks_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(select, "select", lambda *given: slept.append(given[-1]))
    bell = Bell(0.5)
    open_account()  # of which nobody hears
    bell.wait(None)
    assert bell.was_rung
    bell.wait(None)
    assert not bell.was_rung
    bell.disconnect()  # as after every error
    bell.wait(4.0)
    assert slept == [0, 0.5, 4.0], "who waits because something fails, waits"
    bell.disconnect()


@pytest.mark.only_on("postgresql", reason="a file does not go away and come back")
def test_a_worker_outlives_the_loss_of_every_connection(work: Any, urls: Urls) -> None:
    worker = work()
    wait_until(lambda: is_at_work(worker), worker)
    open_account()
    names = [name_in(url) for url in urls.values()]
    with psycopg.connect(SERVER, autocommit=True) as server:
        for _ in range(3):
            for name in names:
                server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)", [names])
            connections.close_all()  # as a web process does between two requests
            wait_until(lambda: "does not answer" in worker.output, worker)
            for name in names:
                server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
            ack = deposit(1, 10)
            wait_until(lambda ack=ack: shown(ack), worker)  # type: ignore[misc]
    assert queries.check_balance(1) == 30
    assert worker.is_running


def listeners() -> list[Any]:
    """Return the connections to this database whose last word was LISTEN."""
    return query("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND starts_with(query, 'LISTEN')")


@pytest.mark.only_on("sqlite", reason="what is said has nothing to do with the database")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nonsense",), "There is no projection nonsense; there are accounts"),
        (("--interval", "0"), "--interval is more than 0"),
        (("--interval", "x"), "invalid float value"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(work: Any, arguments: tuple[str, ...], said: str) -> None:
    worker = work(*arguments)
    assert worker.wait() != 0
    assert said in worker.output
    assert "Traceback" not in worker.output


# The lease itself


def test_a_lease_is_one_workers_until_it_ends_or_is_given_back() -> None:
    one, other = Lease(list(PROJECTORS)), Lease(["accounts"])
    assert one.held() == sorted(PROJECTORS)
    assert other.held() == []
    one.release()
    other._ask_at = 0.0
    assert other.held() == ["accounts"]
    assert one.held() == sorted(set(PROJECTORS) - {"accounts"})


def set_clock(hours: float) -> None:
    """Make each lease what it is after the database's clock was set: forward, or back."""
    for checkpoint in Checkpoint.objects.exclude(leased_until=None):
        checkpoint.leased_until = checkpoint.leased_until and checkpoint.leased_until - timedelta(hours=hours)
        checkpoint.save(using="projections")


@pytest.mark.parametrize("hours", [LEASE / timedelta(hours=1), 2, -2, -24 * 365])
def test_a_lease_of_a_worker_that_is_gone_ends_by_itself_even_if_the_clock_is_set(hours: float) -> None:
    gone = Lease(["accounts"])
    assert gone.held() == ["accounts"]
    assert workers() == {gone.worker}
    set_clock(hours)
    assert workers() == set()
    heir = Lease(["accounts"])
    assert heir.held() == ["accounts"]
    gone._ask_at = 0.0
    assert gone.held() == [], "and it knows when it asks again"
    assert workers() == {heir.worker}


@pytest.mark.parametrize("hours", [2, -2])
def test_a_worker_that_lives_keeps_its_lease_when_the_clock_is_set(hours: float, stopped_clock: StoppedClock) -> None:
    lease = Lease(["accounts"])
    lease.held()
    set_clock(hours)
    stopped_clock.forward(3600 * hours)
    lease._ask_at = 0.0
    assert lease.held() == ["accounts"]
    assert Lease(["accounts"]).held() == []


@pytest.mark.parametrize("hours", [2, -2])
def test_a_worker_takes_over_from_one_that_was_killed_just_before_the_clock_was_set(work: Any, hours: float) -> None:
    first = work()
    wait_until(lambda: is_at_work(first), first)
    second = work()
    wait_until(lambda: "stands by" in second.output, second)
    first.kill()
    set_clock(hours)
    ack = open_account()
    wait_until(lambda: shown(ack), second)
    assert is_at_work(second)


def test_a_worker_that_seldom_looks_renews_its_lease_all_the_same(work: Any) -> None:
    worker = work("--interval", LEAVING_ALONE)
    wait_until(lambda: is_at_work(worker), worker)
    leases = set()

    def is_renewed() -> bool:
        leases.add(Checkpoint.objects.get(name="accounts").leased_until)
        return len(leases - {None}) > 3

    wait_until(is_renewed, worker)
    assert is_at_work(worker)


@pytest.mark.only_on("postgresql", reason="SQLite locks no rows")
def test_a_lease_is_written_in_the_order_in_which_checkpoints_are_locked(
    urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it and a batch that is under way could wait for one another."""
    monkeypatch.setattr(leases, "LONGEST_WAIT", 1000 * PATIENCE)
    first, *_, last = sorted(PROJECTORS)
    query("DELETE FROM projections_checkpoint", using="projections")
    for name in sorted(PROJECTORS, reverse=True):  # the order in which a table is read that nobody sorts
        Checkpoint.objects.create(name=name, updated_at=timezone.now())
    locked = "SELECT name FROM projections_checkpoint WHERE name = %s FOR UPDATE"
    with stranger(urls["PROJECTIONS_DATABASE_URL"]) as batch, ThreadPoolExecutor(1) as pool:
        batch.execute("BEGIN")
        batch.execute(locked, [first])
        lease = pool.submit(held_in_thread)
        wait_until(lambda: bool(query(WAITING, using="projections")))
        batch.execute("SET LOCAL lock_timeout = 1000")
        batch.execute(locked, [last])
        batch.execute("COMMIT")
        assert lease.result(PATIENCE) == sorted(PROJECTORS)


def held_in_thread() -> list[str]:
    try:
        return Lease(list(PROJECTORS)).held()
    finally:
        connections.close_all()


def test_a_lease_can_be_had_on_a_read_side_that_was_thrown_away() -> None:
    Checkpoint.objects.all().delete()
    assert Lease(list(PROJECTORS)).held() == sorted(PROJECTORS)


# A projection that fails


def test_a_projection_that_fails_rests_while_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def fail(self: Any, cursor: Any, batch: Batch) -> None:
        tries.append(len(batch))
        raise ValueError("broken")

    monkeypatch.setattr(Totals, "apply", fail)
    open_account()
    open_account(2)
    follower = ProjectionWorker()
    mine = follower.lease.held()
    follower._round(mine)
    tried = len(tries)
    for _ in range(3):
        deposit(1, 10)
        follower._round(mine)
    assert queries.check_balance(1) == 30
    assert len(tries) == tried, "it is not tried again with every event"
    states = {state.name: (state.position, bool(state.error)) for state in projection_states()}
    assert states.pop("totals") == (0, True)
    assert not any(error for _, error in states.values())

    monkeypatch.undo()
    follower._resting.clear()  # its rest is over
    follower._round(mine)
    assert queries.get_total_deposits() == 30
    assert engine.catch_up() == 0
