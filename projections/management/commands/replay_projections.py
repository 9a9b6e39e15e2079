"""`manage.py replay_projections [NAME ...] [--check | --resume]`"""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from eventstore import store
from eventstore.progress import ProgressBar
from projections import engine, freshness, quarantine
from projections.projectors import PROJECTORS
from projections.routers import READ_SIDE
from projections.workers import replay
from projections.workers import resume as resuming

NOT_DONE = 2
"""The exit code if something could not be compared."""


class Command(BaseCommand):
    help = "Rebuild the read side from the events, while the pages show the old figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(PROJECTORS)}; default all")
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--check",
            action="store_true",
            help="change nothing, list differences; exit with 1 on a difference, 2 if something was not compared",
        )
        which.add_argument(
            "--resume", action="store_true", help="rebuild nothing, and apply the events of parked accounts"
        )

    def handle(self, *args: Any, names: list[str], check: bool, resume: bool, **options: Any) -> None:
        started = time.monotonic()
        if resume:
            self._resume(names)
            return
        if not check:  # the read side may have been deleted
            call_command("migrate", database=READ_SIDE, verbosity=0, interactive=False)
        try:
            stale: list[str] = []
            with ProgressBar(self.stdout, store.count_events()) as progress:
                if check:
                    wanted = [each.name for each in engine.projectors(names)]
                    stale = [name for name in freshness.stale() if name in wanted]
                    names = [name for name in wanted if name not in stale]
                    differences = replay.check(names, progress=progress.update) if names else []
                else:
                    count = replay.replay(names, progress=progress.update)
        except (engine.UnknownProjection, replay.ReplayRunning) as error:
            raise CommandError(str(error)) from error
        except replay.NotComparable as error:
            raise CommandError(f"{error}. Run it again.", returncode=NOT_DONE) from error
        except replay.TableInUse as error:
            raise CommandError(f"{error}. The figures are right or as they were. Run it again later.") from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Each table is as it was, or rebuilt. Run it again at any time.") from None
        if stale:
            self.stdout.write(
                f"Not compared: {', '.join(stale)}. Another version of the program or another setting has built them: "
                f"run `manage.py replay_projections {' '.join(stale)}`."
            )
        what = ", ".join(names) if check else ", ".join(names or PROJECTORS)
        if check:
            self._report(differences, what, names)
            return
        seconds = time.monotonic() - started
        resuming.resume(names)
        self.stdout.write(f"Rebuilt {what} from {count:,} events in {seconds:.1f} s ({count / seconds:,.0f}/s).")
        self._list_parked(names)

    def _resume(self, names: list[str]) -> None:
        try:
            engine.projectors(names)
        except engine.UnknownProjection as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Resumed: {resuming.resume(names)}.")
        self._list_parked(names)

    def _list_parked(self, names: list[str]) -> None:
        """Write the parked streams and their errors to standard error."""
        for name, rows in sorted(quarantine.load(names or PROJECTORS).items()):
            for row in sorted(rows.values(), key=lambda each: each.position):
                self.stderr.write(f"{name} is without {row.stream} from version {row.version} on: {row.error}")

    def _report(self, differences: list[replay.Difference], what: str, names: list[str]) -> None:
        for table, key, live, rebuilt in differences:
            if live is None or rebuilt is None:
                self.stdout.write(f"{table} {key}: {'missing' if live is None else 'should not be there'}")
                continue
            for column, value in live.items():
                if value != rebuilt[column]:
                    self.stdout.write(f"{table} {key}: {column} is {value!r}, should be {rebuilt[column]!r}")
        if differences:
            self.stderr.write(f"The read side differs from the events (at most {replay.SHOWN} rows a side are shown).")
            sys.exit(1)
        self.stdout.write(f"No difference in {what}.")
        self._list_parked(names)
