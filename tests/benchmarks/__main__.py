"""Runs the benchmark, or the named goals, and prints the results.

--quick            fewer and smaller rounds, in under two minutes: without the goals that need several clients, HTTP or
                   a growing bank, unless they are named
--only NAME ...    the goals of these numbers: 1 3 4 ...; 9 is measured with 8
--growth           goal 10 with 1,000,000 accounts and 10,000,000 events, which takes an hour and 10 GB
--out FOLDER       the folder for tables, figures and charts; default var/benchmarks, which git ignores
--check            fails if a ratio is a third worse than the one in reference.json
"""

import argparse
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.bench import Bench, Claim
from tests.benchmarks.goals import GOALS
from tests.benchmarks.places import Absent, Places
from tests.support.programs import ROOT

OUT = ROOT / "var" / "benchmarks"
QUICK = ("1", "3", "4", "8", "11")
"""The goals of the quick form."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(GOALS), metavar="NAME")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="bank-benchmark-"))
    bench = Bench(Places(folder, install=not options.quick), options.quick, options.growth)
    found: list[Claim] = []
    broken = False
    try:
        for name in options.only or (QUICK if options.quick else GOALS):
            print(f"{name}: {(GOALS[name].__doc__ or '').splitlines()[0]}", flush=True)
            try:
                for claim in GOALS[name](bench):
                    found.append(claim)
                    print(f"    {claim.text}: {claim.ratio}", flush=True)
            except Absent as absent:
                bench.remark(str(absent))
            except Exception:  # the other goals can still be measured
                traceback.print_exc()
                broken = True
    finally:
        bench.places.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(report.table_of_goals(found), report.table_of_remarks(bench), sep="\n")
    report.write(options.out, bench, found)
    worse = report.regressions(found) if options.check else []
    print(*worse, sep="\n")
    return int(broken or bool(worse))


if __name__ == "__main__":
    sys.exit(main())
