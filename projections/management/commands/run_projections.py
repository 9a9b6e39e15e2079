"""`manage.py run_projections [NAME ...]`: a projection worker, for `PROJECTION_MODE=worker`."""

import logging
import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eventstore.bell import POLL, POLL_NOTIFIED
from projections.engine import UnknownProjection
from projections.projectors import PROJECTORS
from projections.workers.worker import ProjectionWorker

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Follow the log and keep the projections caught up, until SIGTERM or Ctrl-C. Any number may run: one works "
        "on each projection, the others stand by."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(PROJECTORS)}; default all")
        parser.add_argument(
            "--interval",
            type=float,
            help="seconds between two polls of the log without notifications; "
            f"default {POLL_NOTIFIED} on PostgreSQL, {POLL} where nobody notifies",
        )

    def handle(self, *args: Any, names: list[str], interval: float | None, **options: Any) -> None:
        if interval is not None and not 0 < interval <= 3600:
            raise CommandError("--interval is more than 0 and at most 3600 seconds.")
        try:
            follower = ProjectionWorker(names, interval)
        except UnknownProjection as error:
            raise CommandError(str(error)) from error

        def leave(number: int, frame: FrameType | None) -> None:
            follower.leave()

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, leave)
        logger.info("Following the log")
        follower.run()
