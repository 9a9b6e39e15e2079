"""Kills the server, the database or its connections under load, and says what became of the commands.

uv run python -m tests.faults server [--postgresql] [--kills 200]
uv run python -m tests.faults database|sessions|line [--kills 50]

It exits with 1 if anything was lost, doubled or wrongly shown, and leaves the bank's files behind then.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests import postgres
from tests.faults.kills import FAULTS, Report, opened, run_kills

MOST = 10_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("what", choices=FAULTS, help="what is killed, ended or cut")
    parser.add_argument("--postgresql", action="store_true", help="kill the server of a bank on PostgreSQL")
    parser.add_argument("--kills", type=int, help="how many; 200 of a server, else 50")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    on_postgres = given.postgresql or given.what != "server"
    if on_postgres and postgres.reason():
        print(postgres.reason(), file=sys.stderr)
        return 2
    kills = min(given.kills or (200 if given.what == "server" else 50), MOST)
    folder = Path(tempfile.mkdtemp(prefix="bank-faults-"))
    with opened(folder, on_postgres=on_postgres) as bank:
        report = run_kills(
            bank,
            FAULTS[given.what],
            kills,
            clients=given.clients,
            seed=given.seed,
            progress=lambda done: print(f"{done} of {kills}", flush=True) if done % 10 == 0 else None,
        )
    print(as_text(report), flush=True)
    if not report.is_good:
        print(f"The bank's files and what it said are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def as_text(report: Report) -> str:
    """Return a report as lines of a name and a figure."""
    figures = {**report._asdict(), **report.verdict._asdict()}
    return "\n".join(f"{name:12} {figure}" for name, figure in figures.items() if name != "verdict")


if __name__ == "__main__":
    sys.exit(main())
