"""A projector killed after each of its statements: the figures stay exact."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connections

from eventstore import clock
from eventstore.events import RecordedEvent
from projections import engine, queries
from projections.models import Checkpoint
from projections.projectors import PROJECTORS
from projections.workers import replay
from tests.support.databases import Urls
from tests.support.killed import WORKS
from tests.support.statements import Death, mortal
from tests.support.values import PIN, deposit, open_account, query, whole_log, withdraw
from tests.system.simulator.tables import TABLES, assert_is_fold, fold, live_rows

MORNING = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def log(bank: Path, settings: Any) -> list[RecordedEvent]:
    """A log of fourteen events on three days, of which the read side has applied six."""
    settings.PROJECTION_MODE = "worker"
    with clock.set_to(MORNING):
        open_account(1, "Josh", balance=100)
        open_account(2, "Zoë Ångström", balance=10)
        withdraw(1, 30, actor="tina")
        withdraw(1, 30, PIN + 1, actor="tina")
    engine.catch_up()
    with clock.set_to(MORNING + timedelta(days=1)):
        withdraw(2, 11)
        deposit(2, 5)
        withdraw(2, 15)
        open_account(3, "Luke Ng", balance=7)
    with clock.set_to(MORNING - timedelta(days=1)):  # a clock may be set back
        deposit(1, 1)
        withdraw(1, 2)
        withdraw(3, 1, PIN + 1)
    return whole_log()


def reached() -> dict[str, int]:
    return dict(Checkpoint.objects.values_list("name", "position"))


def back_to(position: int, log: list[RecordedEvent]) -> None:
    """Restore the read side at a position with its own code."""
    for name, projector in PROJECTORS.items():
        query(f"DROP TABLE IF EXISTS {projector.model._meta.db_table}{replay.SUFFIX}", using="projections")
        query(f"DELETE FROM {projector.model._meta.db_table}", using="projections")
        query("DELETE FROM projections_checkpoint WHERE name = %s", name, using="projections")
    known = [event for event in log if event.position <= position]
    if known:
        engine._advance(engine.projectors(), len(known))


def tables_beside() -> set[str]:
    return {name for name in connections["projections"].introspection.table_names() if replay.SUFFIX in name}


def assert_no_drift(log: list[RecordedEvent]) -> None:
    """Check that the next process finds whole batches only, and reaches the right figures."""
    assert_is_fold(log, reached())
    engine.catch_up()
    assert reached() == dict.fromkeys(PROJECTORS, log[-1].position)
    assert_is_fold(log, reached())
    assert replay.check() == []
    assert tables_beside() == set(), "what the dead left lying about has been swept away"


STRIDE = {"catch_up": 1, "replay": 13, "replay_in_batches": 13}
"""The number of statements from one death to the next, 2 by default. A replay has hundreds, most of one kind."""


def deaths(work: str, log: list[RecordedEvent], start: int) -> Iterator[str]:
    """Do the work and die after its first statement, then after every few of them, and after its first commit."""
    back_to(start, log)
    with mortal(Death(sys.maxsize)) as whole:
        WORKS[work]()
    every_few = range(1, len(whole.statements) + 1, STRIDE.get(work, 2))
    for number in sorted({*every_few, whole.statements.index("COMMIT") + 1}):
        back_to(start, log)
        with mortal(Death(number)) as death:
            WORKS[work]()
        assert death.is_dead
        yield death.statements[-1]


@pytest.mark.parametrize(("work", "start"), [("catch_up", 0), *((work, 6) for work in WORKS)])
def test_killed_after_any_statement_of_its_the_projector_leaves_no_drift(
    work: str, start: int, log: list[RecordedEvent]
) -> None:
    at = []
    for statement in deaths(work, log, start):
        at.append(statement)
        assert_no_drift(log)
    assert "COMMIT" in at, "it died right after a commit, too"
    assert len(at) > 9, "it died at many places"


def test_a_replay_killed_at_any_statement_leaves_the_figures_right(log: list[RecordedEvent]) -> None:
    wanted = {name: fold(log).rows(name) for name in TABLES}
    for _ in deaths("replay_in_batches", log, log[-1].position):
        assert {name: live_rows(name) for name in TABLES} == wanted
        assert queries.get_total_deposits() == 76


def test_a_lost_table_is_noticed(log: list[RecordedEvent]) -> None:
    """The check for drift can fail."""
    engine.catch_up()
    query("UPDATE projections_accountsummary SET balance = balance + 1 WHERE account_id = 3", using="projections")
    with pytest.raises(AssertionError, match="accounts at 14"):
        assert_is_fold(log, reached())
    assert len(replay.check()) == 1


@pytest.mark.parametrize(("work", "number"), [("catch_up", 5), ("catch_up_in_batches", 11), ("replay_in_batches", 11)])
def test_a_process_killed_by_the_system_leaves_no_drift(
    work: str, number: int, bank: Path, urls: Urls, log: list[RecordedEvent]
) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "tests.support.killed", work, str(number)],
        cwd=configured.BASE_DIR,
        env={**os.environ, **urls, "BANK_DATA_DIR": str(bank), "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        timeout=120,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert_no_drift(log)
