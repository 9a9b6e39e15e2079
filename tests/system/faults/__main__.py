"""Kills the server, the database or its connections under load, and reports the outcome of the commands.

uv run python -m tests.system.faults server [--postgresql] [--kills 200]
uv run python -m tests.system.faults database|sessions|line [--kills 50]
uv run python -m tests.system.faults replays [--postgresql] [--kills 30]

The last one kills nothing, and replays under load. The exit status is 1 if anything was lost, doubled or wrongly shown;
the bank's files then stay.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.support import postgres
from tests.system.faults import replays
from tests.system.faults.kills import FAULTS, Report, opened, run_kills

MOST = 10_000
USUAL = {"server": 200, "replays": 30}
"""The default number of kills, or replays, where it is not 50."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.system.faults", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=[*FAULTS, "replays"], help="what is killed, ended, cut or run")
    parser.add_argument("--postgresql", action="store_true", help="take a bank on PostgreSQL")
    parser.add_argument("--kills", type=int, help="how many; 200 of a server, 30 replays, else 50")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    on_postgres = given.postgresql or given.what not in USUAL
    if on_postgres and postgres.reason():
        print(postgres.reason(), file=sys.stderr)
        return 2
    kills = min(given.kills or USUAL.get(given.what, 50), MOST)

    def progress(done: int) -> None:
        if done % 10 == 0:
            print(f"{done} of {kills}", flush=True)

    folder = Path(tempfile.mkdtemp(prefix="bank-faults-"))
    with opened(folder, on_postgres=on_postgres) as bank:
        report: Report | replays.Report
        if given.what == "replays":
            report = replays.run_replays(bank, kills, readers=given.clients, seed=given.seed, progress=progress)
        else:
            kill = FAULTS[given.what]
            report = run_kills(bank, kill, kills, clients=given.clients, seed=given.seed, progress=progress)
    print(as_text(report), flush=True)
    if not report.is_good:
        print(f"The bank's files and what it said are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def as_text(report: Report | replays.Report) -> str:
    """Return a report as lines of a name and a figure."""
    figures = {**report._asdict(), **report.verdict._asdict()}
    return "\n".join(f"{name:12} {figure}" for name, figure in figures.items() if name != "verdict")


if __name__ == "__main__":
    sys.exit(main())
