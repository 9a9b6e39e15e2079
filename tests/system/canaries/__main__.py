"""`python -m tests.system.canaries [--from PIN] [--pins N]`: do every task on the screens with each PIN."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import django
from django.test.utils import setup_test_environment

BLOCK = 50
"""The number of accounts in one pair of worlds."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.system.canaries", description=__doc__)
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first PIN")
    parser.add_argument("--pins", type=int, default=10_000, help="how many")
    arguments = parser.parse_args()

    from tests.system.canaries.compare import difference, see_screens
    from tests.system.canaries.scenes import FAULTS
    from tests.system.canaries.world import as_it_is, other
    from tests.system.simulator.runs import simulated_databases

    started = time.monotonic()
    things = 0
    with simulated_databases() as template, tempfile.TemporaryDirectory(prefix="bank-canaries-") as folder:
        for first in range(arguments.first, arguments.first + arguments.pins, BLOCK):
            canaries = range(first, min(first + BLOCK, arguments.first + arguments.pins))
            one, two = (see_screens(template, Path(folder) / "world", of, canaries, FAULTS) for of in (as_it_is, other))
            if found := difference(one, two):
                print(f"with PINs from {first} on: {found}")
                return 1
            things += len(one)
            print(f"up to PIN {canaries[-1]:04}: no difference in {things:,} things seen", flush=True)
    print(f"{arguments.pins:,} PINs in {time.monotonic() - started:.0f} s: no PIN anywhere.")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    setup_test_environment()
    sys.exit(main())
