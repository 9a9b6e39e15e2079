"""`manage.py export_head`"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from bank.operations.audit import audit
from eventstore import store
from eventstore.progress import ProgressBar
from eventstore.verification import signed_heads
from eventstore.verification.parallel import Unfinished


class Command(BaseCommand):
    help = (
        "Print a short, signed statement of the whole log, to be stored elsewhere; verify_events --head proves later "
        "that the log extends it. A log with findings is not signed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with ProgressBar(self.stderr, store.count_events()) as progress:
                report = audit(read_side=False, progress=progress.update)
        except DatabaseError as error:
            raise CommandError(f"The log cannot be read: {error}", returncode=2) from error
        except Unfinished as error:
            raise CommandError(f"Nothing is signed, because nothing was verified: {error}.", returncode=2) from error
        if report.findings:
            for finding in report.findings:
                self.stderr.write(str(finding))
            self.stderr.write("Nothing is signed, because not all of it fits together.")
            sys.exit(1)
        for each in report.unchecked:
            self.stderr.write(str(each))
        self.stdout.write(signed_heads.sign(report.head), ending="")
