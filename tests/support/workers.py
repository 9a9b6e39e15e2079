"""Projection workers as processes of their own, for tests in the mode "worker"."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bank.application.dispatch import Ack
from projections import freshness
from projections.freshness import projection_states
from tests.support.databases import Urls
from tests.support.programs import Program

PATIENCE = 120.0
"""Seconds that a condition may take to become true on a slow machine."""
NEVER = "600"
"""An `--interval` in seconds that no test waits for."""
WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(autouse=True)
def worker_mode(bank: Path, settings: Any) -> None:
    """Leave the projections to workers, and let no page wait for them."""
    settings.PROJECTION_MODE = "worker"
    settings.PROJECTION_WAIT = 0.0


@pytest.fixture
def work(bank: Path, urls: Urls) -> Iterator[Callable[..., Program]]:
    """Return a function that starts a worker with these arguments."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(
            Program(bank / f"worker-{time.monotonic()}", "run_projections", *arguments, **urls)
        )


def two_workers(work: Callable[..., Program]) -> tuple[Program, Program]:
    """Start two workers. The first has the leases, and the second stands by."""
    first = work()
    wait_until(lambda: is_at_work(first), first)
    second = work()
    wait_until(lambda: "stands by" in second.output, second)
    return first, second


def wait_until(is_true: Callable[[], bool], *programs: Program) -> None:
    """Wait until a condition is true. If it takes too long, fail with the output of the programs."""
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline, [program.output for program in programs]
        time.sleep(0.02)


def is_shown(ack: Ack) -> bool:
    """Return whether the read side has applied the events of a command."""
    return freshness.look(ack.token).reached


def workers() -> set[str]:
    """Return the workers that hold a lease at this moment."""
    return {state.worker for state in projection_states() if state.worker}


def is_at_work(program: Program) -> bool:
    """Return whether a program holds a lease at this moment."""
    return any(f":{program.pid}:" in worker for worker in workers())
