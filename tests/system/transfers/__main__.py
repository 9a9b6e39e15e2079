"""Sends transfers between accounts while everything is killed, and judges the log.

uv run python -m tests.system.transfers [--postgresql] [--mode worker] [--transfers 10000]

The exit status is 1 if money was lost, doubled or is on its way for ever; the bank's files then stay.
"""

import argparse
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.support import postgres
from tests.system.transfers.runs import Plan, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.system.transfers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--postgresql", action="store_true", help="take a bank on PostgreSQL")
    parser.add_argument("--mode", choices=["inline", "worker"], default="inline", help="the PROJECTION_MODE")
    parser.add_argument("--transfers", type=int, default=10_000)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.postgresql and postgres.reason():
        print(postgres.reason(), file=sys.stderr)
        return 2
    plan = Plan(given.transfers, given.accounts, given.processes, given.kills, given.mode, given.seed)
    folder = Path(tempfile.mkdtemp(prefix="bank-transfers-"))
    with ExitStack() as stack:
        cluster = stack.enter_context(postgres.Cluster()) if given.postgresql else None
        report = run(folder, plan, cluster, lambda what: print(what, flush=True))
    for name, figure in {**report._asdict(), **report.verdict._asdict()}.items():
        if name != "verdict":
            print(f"{name:26} {figure}")
    if not report.is_good:
        print(f"The bank's files and what it said are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
