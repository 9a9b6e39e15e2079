"""A few kills and replays under load. The long form is `uv run python -m tests.system.faults`."""

from pathlib import Path

import pytest

from tests.support import postgres
from tests.system.faults.kills import FAULTS, opened, run_kills
from tests.system.faults.replays import run_replays

KILLS = 4


@pytest.mark.parametrize("on_postgres", [False, True], ids=["SQLite", "PostgreSQL"])
def test_a_server_killed_under_load_loses_nothing_and_does_nothing_twice(tmp_path: Path, on_postgres: bool) -> None:
    if on_postgres:
        postgres.require()
    assert starts(tmp_path, "server", on_postgres=on_postgres) == KILLS + 1


@pytest.mark.parametrize("what", ["database", "sessions", "line"])
def test_a_postgresql_lost_under_load_loses_nothing_and_the_server_stays_up(tmp_path: Path, what: str) -> None:
    postgres.require()
    assert starts(tmp_path, what, on_postgres=True) == 1


@pytest.mark.parametrize("on_postgres", [False, True], ids=["SQLite", "PostgreSQL"])
def test_no_page_and_no_command_fails_beside_replays(tmp_path: Path, on_postgres: bool) -> None:
    if on_postgres:
        postgres.require()
    with opened(tmp_path, on_postgres=on_postgres) as bank:
        report = run_replays(bank, KILLS)
        assert report.is_good, f"{report}\n{bank.web.output[-3000:]}"
        assert report.answers > KILLS, "each replay met somebody who reads"


def starts(folder: Path, what: str, *, on_postgres: bool) -> int:
    """Run kills and replays under load, and return the number of starts of the web server."""
    with opened(folder, on_postgres=on_postgres) as bank:
        report = run_kills(bank, FAULTS[what], KILLS)
        assert report.is_good, f"{report}\n{bank.web.output[-3000:]}"
        assert report.in_flight >= KILLS, "each kill met somebody at work"
    return report.starts
