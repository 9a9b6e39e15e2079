"""`python -m tests.system.simulator [--seeds N] [--from SEED]`: run many seeds, and stop at the first that fails."""

import argparse
import os
import sys
import time

import django


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.system.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    parser.add_argument("--digests", action="store_true", help="print what each run came to")
    arguments = parser.parse_args()

    from tests.system.simulator.runs import SeedFailed, run, simulated_databases

    started = time.monotonic()
    events = commands = deaths = steps = 0
    with simulated_databases() as template:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            try:
                report = run(seed, template)
            except SeedFailed as failure:
                print(failure)
                return 1
            events, commands = events + report.events, commands + report.commands
            deaths, steps = deaths + report.deaths, steps + report.steps
            if arguments.digests:
                print(seed, report.digest)
    seconds = time.monotonic() - started
    print(
        f"{arguments.seeds:,} seeds, {commands:,} commands, {events:,} events, {steps:,} statements and pauses, "
        f"{deaths:,} processes killed, in {seconds:.0f} s: nothing found."
    )
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    sys.exit(main())
