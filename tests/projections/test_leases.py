"""Leases: only one worker holds a projection at a time, despite crashes and changed clocks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from projections.checkpoint_models import LEASE, Checkpoint
from projections.projectors import PROJECTORS
from projections.workers import leases
from projections.workers.leases import Lease
from tests.support.clocks import StoppedClock
from tests.support.databases import Urls, stranger
from tests.support.values import open_account, query
from tests.support.workers import NEVER, PATIENCE, WAITING, is_at_work, is_shown, two_workers, wait_until, workers
from tests.support.workers import work as work
from tests.support.workers import worker_mode as worker_mode


def test_a_lease_is_one_workers_until_it_ends_or_is_given_back() -> None:
    one, other = Lease(list(PROJECTORS)), Lease(["accounts"])
    assert one.held() == sorted(PROJECTORS)
    assert other.held() == []
    one.release()
    other._ask_at = 0.0
    assert other.held() == ["accounts"]
    assert one.held() == sorted(set(PROJECTORS) - {"accounts"})


def set_clock(hours: float) -> None:
    """Shift each lease as if the database's clock had been set."""
    for checkpoint in Checkpoint.objects.exclude(leased_until=None):
        checkpoint.leased_until = checkpoint.leased_until and checkpoint.leased_until - timedelta(hours=hours)
        checkpoint.save(using="projections")


@pytest.mark.parametrize("hours", [LEASE / timedelta(hours=1), 2, -2, -24 * 365])
def test_a_lease_of_a_dead_worker_expires_even_if_the_clock_is_set(hours: float) -> None:
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
    first, second = two_workers(work)
    first.kill()
    set_clock(hours)
    ack = open_account()
    wait_until(lambda: is_shown(ack), second)
    assert is_at_work(second)


def test_a_worker_that_seldom_looks_renews_its_lease_all_the_same(work: Any) -> None:
    worker = work("--interval", NEVER)
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
    """Otherwise a lease and a running batch could deadlock."""
    monkeypatch.setattr(leases, "LONGEST_WAIT", 1000 * PATIENCE)
    first, *_, last = sorted(PROJECTORS)
    query("DELETE FROM projections_checkpoint", using="projections")
    for name in sorted(PROJECTORS, reverse=True):  # a possible order of an unsorted query
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
