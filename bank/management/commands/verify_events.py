"""`manage.py verify_events [--head FILE] [--no-read-side] [--processes N]`"""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from bank.operations.audit import audit
from eventstore import store
from eventstore.progress import ProgressBar
from eventstore.verification import signed_heads
from eventstore.verification.parallel import Unfinished
from eventstore.verification.verify import Report
from projections.routers import READ_SIDE

NOT_DONE = 2
"""The exit code if something could not be verified; 1 means findings."""
LONGEST_HEAD = 10_000
"""The largest number of characters read from a head's file."""


class Command(BaseCommand):
    help = (
        "Verify the whole record: the chain, the command records, the PIN verifiers, and the figures of the read side. "
        "Exit with 1 and name the first bad event of each stream if something does not fit."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", metavar="FILE", help="a signed head of export_head that the log must extend")
        parser.add_argument("--no-read-side", action="store_true", help="do not compare the figures of the read side")
        parser.add_argument(
            "--processes",
            type=int,
            metavar="N",
            help="the number of checking processes; by default as many as make it faster",
        )

    def handle(self, *args: Any, head: str | None, no_read_side: bool, processes: int | None, **options: Any) -> None:
        if processes is not None and processes < 1:
            raise CommandError("It takes one process at least.", returncode=NOT_DONE)
        since = read_head(head) if head is not None else None
        started = time.monotonic()
        try:
            with ProgressBar(self.stdout, store.count_events()) as progress:
                report = audit(since=since, read_side=not no_read_side, progress=progress.update, processes=processes)
        except DatabaseError as error:
            raise CommandError(
                f"A database cannot be read: {error}. Where the read side is not there (`{READ_SIDE}`), rebuild it "
                "with replay_projections, or leave it out with --no-read-side.",
                returncode=NOT_DONE,
            ) from error
        except Unfinished as error:
            raise CommandError(f"Nothing was verified: {error}.", returncode=NOT_DONE) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=NOT_DONE) from None
        self._say(report, time.monotonic() - started)
        if report.findings:
            self.stderr.write(f"{len(report.findings):,} found that do not fit.")
            sys.exit(1)
        if report.unchecked:
            self.stderr.write(
                f"{len(report.unchecked):,} accounts cannot be checked to their end by this version of the program, as "
                "a newer one has recorded events there. Everything else fits together."
            )
            sys.exit(NOT_DONE)
        self.stdout.write("All of it fits together" + (f", and extends the head of {since.made_at}." if since else "."))

    def _say(self, report: Report, seconds: float) -> None:
        """Write the findings, the checks and the omissions."""
        for finding in report.findings:
            self.stdout.write(str(finding))
        self.stdout.write(
            f"Checked {report.events:,} events in {report.streams:,} streams, {report.commands:,} accepted and "
            f"{report.rejected:,} rejected commands in {seconds:.1f} s ({report.events / seconds:,.0f} events/s)."
        )
        if report.unbelieved:
            self.stdout.write(
                f"Snapshots not believed: {report.unbelieved:,}. They have no seal of this bank, so nothing uses them: "
                "an older version of the program wrote them, or somebody without the keys."
            )
        for note in report.notes:
            self.stdout.write(note)
        for each in report.unchecked:
            self.stdout.write(str(each))


def read_head(file: str) -> signed_heads.Head:
    """Return the signed head in a file.

    Raises:
        CommandError: the file holds no valid head.
    """
    try:
        with Path(file).open() as text:
            return signed_heads.read(text.read(LONGEST_HEAD))
    except (OSError, ValueError, signed_heads.NotAHead) as error:
        raise CommandError(f"{file}: {error}", returncode=NOT_DONE) from error
