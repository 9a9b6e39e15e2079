"""Seeded runs of the whole bank, reproducibility of a seed, and detection of planted bugs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from tests.support.databases import Urls
from tests.system.simulator.bugs import BUGS
from tests.system.simulator.runs import SeedFailed, run, simulated_databases

SEEDS = 20
BLOCK = 20
ENOUGH = 60
"""The number of seeds within which each known bug must be found."""


@pytest.fixture(scope="module")
def template(django_db_blocker: Any) -> Iterator[Urls]:
    with django_db_blocker.unblock(), simulated_databases() as urls:
        yield urls


@pytest.mark.parametrize("first", range(1, SEEDS, BLOCK))
def test_every_invariant_holds_after_every_commit_for_each_seed(first: int, template: Urls) -> None:
    reports = [run(seed, template) for seed in range(first, first + BLOCK)]
    assert sum(report.events for report in reports) > 5 * BLOCK, "there was business"
    assert sum(report.deaths for report in reports) > BLOCK, "processes were killed"
    assert sum(report.locked for report in reports) > BLOCK, "processes were in each other's way"


@pytest.mark.parametrize("bug", BUGS)
def test_a_known_bug_is_found(bug: str, template: Urls) -> None:
    failures = (failure_of(seed, template, bug) for seed in range(1, ENOUGH))
    seed, found = next((seed, failure) for seed, failure in enumerate(failures, start=1) if failure)
    assert f"--from {seed} --seeds 1" in found, "it says how to see it again"
    again = failure_of(seed, template, bug)
    at_step = found.split(": ")[0]
    assert at_step.startswith(f"seed {seed} failed at step ")
    assert again.startswith(at_step), "it happens again at the same step"


def failure_of(seed: int, template: Urls, bug: str) -> str:
    """Return the failure of a run with a bug, or the empty string."""
    try:
        run(seed, template, BUGS[bug]())
    except SeedFailed as failure:
        return str(failure)
    return ""


def test_the_same_seed_is_the_same_run_to_the_byte_in_any_process(template: Urls) -> None:
    reports = [run(seed, template) for seed in range(1, 4)]
    assert [run(seed, template) for seed in range(1, 4)] == reports
    assert len({report.digest for report in reports}) == len(reports), "other seeds are other runs"
    printed = subprocess.check_output(
        [sys.executable, "-m", "tests.system.simulator", "--seeds", "3", "--digests"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "PYTHONHASHSEED": "7", "DJANGO_SETTINGS_MODULE": "tests.settings"},
        text=True,
        timeout=300,
    )
    assert [line.split()[1] for line in printed.splitlines()[:-1]] == [report.digest for report in reports]
