"""A small run. The long form is `uv run python -m tests.system.transfers`."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import postgres
from tests.system.transfers.runs import Plan, run

TRANSFERS, ACCOUNTS, PROCESSES, KILLS = 160, 8, 4, 3


@pytest.mark.parametrize(
    ("on_postgres", "mode"), [(False, "inline"), (True, "worker")], ids=["SQLite", "PostgreSQL with workers"]
)
def test_no_transfer_is_lost_or_doubled_or_stays_on_its_way_while_everything_is_killed(
    on_postgres: bool, mode: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        if on_postgres:
            postgres.require()
        cluster = stack.enter_context(postgres.Cluster()) if on_postgres else None
        report = run(tmp_path, Plan(TRANSFERS, ACCOUNTS, PROCESSES, KILLS, mode), cluster)
    assert report.is_good, report
    assert report.kills == KILLS
    assert report.verdict.received > report.verdict.returned > 0
