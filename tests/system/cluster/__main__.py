"""Starts a bank on several servers on this machine, loads it, kills each part in turn, and reports the losses.

uv run python -m tests.system.cluster [--seconds N] [--clients N] [--short]

The exit status is 1 if anything was lost, doubled or wrongly shown. The program uses 127.0.0.1 only, and leaves nothing
behind except the logs after a fault.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.support import postgres
from tests.system.cluster.judge import Verdict, judge
from tests.system.cluster.load import Load
from tests.system.cluster.outages import take_turns
from tests.system.cluster.parts import Bank
from tests.system.cluster.report import summary_of, table_of

LONGEST, MOST = 3600, 64
"""The largest number of seconds and of clients."""
SHORT = (7, 6)
"""The seconds and clients of the short form."""


def run(folder: Path, seconds: float, clients: int) -> Verdict:
    """Run everything with logs in a folder, and print the result."""
    with Bank(folder) as bank:
        print(f"{clients} clients at {len(bank.webs)} web processes, {len(bank.workers)} workers", flush=True)
        with Load(bank.ports, clients) as load:
            outages = list(take_turns(bank, load, seconds))
        verdict = judge(bank, load)
        print(table_of(outages), summary_of(load, verdict), sep="\n\n", flush=True)
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.system.cluster", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="of load, beside the outages themselves")
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--short", action="store_true", help=f"{SHORT[0]} seconds with {SHORT[1]} clients")
    given = parser.parse_args()
    if postgres.reason():
        print(postgres.reason(), file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    seconds, clients = SHORT if given.short else (min(given.seconds, LONGEST), min(given.clients, MOST))
    folder = Path(tempfile.mkdtemp(prefix="bank-cluster-"))
    if any(run(folder, seconds, clients)):
        print(f"\nWhat the parts said is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
