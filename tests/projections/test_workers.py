"""`manage.py run_projections` as processes: one works, the others stand by, and no event is missed."""

import os
import select
import signal
import time
from typing import Any

import psycopg
import pytest
from django.db import connections

from eventstore.backends import postgresql
from eventstore.backends.postgresql import mark_of
from eventstore.bell import Bell
from projections import engine, queries
from projections.freshness import projection_states
from projections.projectors.base import Batch
from projections.projectors.totals import Totals
from projections.workers.worker import ProjectionWorker
from tests.support.databases import SERVER, Urls, name_in, stranger
from tests.support.values import deposit, open_account, query
from tests.support.workers import NEVER, WAITING, is_at_work, is_shown, two_workers, wait_until, workers
from tests.support.workers import work as work
from tests.support.workers import worker_mode as worker_mode


def test_a_worker_projects_the_events_of_the_web_process_and_stops_on_sigterm(work: Any) -> None:
    assert not is_shown(open_account())
    with pytest.raises(queries.UnknownAccount):
        queries.check_balance(1)

    worker = work("--interval", "0.05")
    for balance in (10, 20):
        ack = deposit(1, 10)
        wait_until(lambda ack=ack: is_shown(ack), worker)  # type: ignore[misc]
        assert queries.check_balance(1) == balance
    assert worker.stop() == 0, worker.output
    assert "left after the last whole batch" in worker.output
    assert workers() == set(), "its lease is given back, so that another one can begin at once"


def test_one_works_and_another_takes_over_when_it_is_killed(work: Any) -> None:
    open_account()
    first, second = two_workers(work)
    for _ in range(20):
        deposit(1, 1)
        assert workers() == {next(iter(workers()))}
        assert is_at_work(first), "the other one stands by"

    first.kill()
    ack = deposit(1, 1)
    wait_until(lambda: is_shown(ack), second)
    assert is_at_work(second)
    assert queries.check_balance(1) == 21


def test_a_worker_that_stops_gives_its_lease_to_the_next_one_at_once(work: Any) -> None:
    first = work()
    wait_until(lambda: is_at_work(first), first)
    assert first.stop(signal.SIGINT) == 0
    assert workers() == set()
    second = work()
    wait_until(lambda: is_at_work(second), second)


def test_workers_can_share_the_projections_out(work: Any) -> None:
    ack = open_account(balance=5)
    first, second = (
        work("accounts", "totals"),
        work("statements", "refusals", "daily", "names", "transfers", "tills", "till_movements"),
    )
    wait_until(lambda: is_shown(ack), first, second)
    wait_until(lambda: len(workers()) == 2, first, second)
    at = {state.name: state.worker.split(":")[1] for state in projection_states()}
    assert {at["accounts"], at["totals"]} == {str(first.pid)}
    assert {at["statements"], at["refusals"], at["daily"]} == {str(second.pid)}


def test_a_frozen_worker_is_replaced_and_does_no_harm_when_it_thaws(work: Any, vendor: str) -> None:
    opened = open_account()
    first = work()
    wait_until(lambda: is_at_work(first), first)
    if vendor == "sqlite":  # SQLite cannot end the transaction of a frozen process
        wait_until(lambda: is_shown(opened), first)
        time.sleep(0.3)
    os.kill(first.pid, signal.SIGSTOP)
    second = work()
    ack = deposit(1, 10)
    wait_until(lambda: is_shown(ack), second)
    os.kill(first.pid, signal.SIGCONT)
    for _ in range(20):
        ack = deposit(1, 10)
    wait_until(lambda: is_shown(ack), first, second)
    assert queries.check_balance(1) == 210, "no event counts twice"


@pytest.mark.only_on("postgresql", reason="on SQLite nobody can end another process's transaction")
def test_a_worker_that_is_frozen_in_mid_transaction_is_replaced(work: Any, urls: Urls) -> None:
    open_account()
    first, second = two_workers(work)
    with stranger(urls["PROJECTIONS_DATABASE_URL"]) as other:
        [(worker,)] = query("SELECT DISTINCT worker FROM projections_checkpoint", using="projections")
        other.execute("BEGIN")
        other.execute("SELECT pg_advisory_xact_lock(%s)", [mark_of(worker)])
        ack = deposit(1, 10)
        wait_until(lambda: bool(query(WAITING, using="projections")), first)  # its transaction has begun
        os.kill(first.pid, signal.SIGSTOP)
        other.execute("ROLLBACK")  # the server goes on, and locks the checkpoints
    wait_until(lambda: is_shown(ack), second)
    assert f":{first.pid}:" in second.output.partition("is frozen in mid-transaction")[0].rpartition("\n")[2]

    os.kill(first.pid, signal.SIGCONT)
    wait_until(lambda: "stands by" in first.output, first)
    second.kill()
    ack = deposit(1, 10)
    wait_until(lambda: is_shown(ack), first)
    assert is_at_work(first), "it works again when its turn comes"
    assert queries.check_balance(1) == 20


@pytest.mark.only_on("postgresql", reason="SQLite notifies nobody")
def test_a_worker_is_woken_by_a_notification(work: Any) -> None:
    worker = work("--interval", NEVER)
    wait_until(lambda: is_at_work(worker), worker)
    wait_until(lambda: bool(listeners()), worker)
    open_account()
    for _ in range(10):
        ack = deposit(1, 1)
        wait_until(lambda ack=ack: is_shown(ack), worker)  # type: ignore[misc]
        time.sleep(postgresql.NOTIFY_EVERY)


@pytest.mark.only_on("postgresql", reason="SQLite notifies nobody")
def test_a_worker_that_begins_to_listen_looks_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(select, "select", lambda *given: slept.append(given[-1]))
    bell = Bell(0.5)
    open_account()  # the worker gets no notification of it
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
            connections.close_all()  # as a web process does between requests
            wait_until(lambda: "does not answer" in worker.output, worker)
            for name in names:
                server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
            ack = deposit(1, 10)
            wait_until(lambda ack=ack: is_shown(ack), worker)  # type: ignore[misc]
    assert queries.check_balance(1) == 30
    assert worker.is_running


def listeners() -> list[Any]:
    """Return the connections to this database whose last statement was LISTEN."""
    return query("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND starts_with(query, 'LISTEN')")


@pytest.mark.only_on("sqlite", reason="what is said has nothing to do with the database")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "There is no projection nonsense; there are accounts"),
        (("--interval", "0"), "--interval is more than 0"),
        (("--interval", "x"), "invalid float value"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(work: Any, arguments: tuple[str, ...], message: str) -> None:
    worker = work(*arguments)
    assert worker.wait() != 0
    assert message in worker.output
    assert "Traceback" not in worker.output


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
    follower._resting.clear()  # its pause is over
    follower._round(mine)
    assert queries.get_total_deposits() == 30
    assert engine.catch_up() == 0
