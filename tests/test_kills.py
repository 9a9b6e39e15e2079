"""A handful of kills under load. The long form: `uv run python -m tests.faults`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import postgres
from tests.faults.kills import Bank, kill_database, kill_server, opened, run_kills

KILLS = 4


@pytest.mark.parametrize("on_postgres", [False, True], ids=["SQLite", "PostgreSQL"])
def test_a_server_killed_under_load_loses_nothing_and_does_nothing_twice(tmp_path: Path, on_postgres: bool) -> None:
    if on_postgres:
        postgres.require()
    run(tmp_path, kill_server, on_postgres=on_postgres)


def test_a_postgresql_killed_under_load_loses_nothing_and_the_server_stays_up(tmp_path: Path) -> None:
    postgres.require()
    run(tmp_path, kill_database, on_postgres=True)


def run(folder: Path, kill: Callable[[Bank], None], *, on_postgres: bool) -> None:
    with opened(folder, on_postgres=on_postgres) as bank:
        report = run_kills(bank, kill, KILLS)
        assert report.is_good, f"{report}\n{bank.web.output[-3000:]}"
        assert report.in_flight >= KILLS, "each kill met somebody at work"
