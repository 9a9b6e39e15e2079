"""`manage.py run_process_managers`: carries out what follows from events, for `PROJECTION_MODE=worker`."""

import logging
import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bank.application.process_managers import subscribers
from eventstore.bell import POLL, POLL_NOTIFIED, Bell
from eventstore.subscription_worker import SubscriptionWorker

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Follow the log and carry out the commands that follow from events, until SIGTERM or Ctrl-C. Any number may "
        "run: one works on each subscription at a time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--interval",
            type=float,
            help="seconds between two polls of the log without notifications; "
            f"default {POLL_NOTIFIED} on PostgreSQL, {POLL} where nobody notifies",
        )

    def handle(self, *args: Any, interval: float | None, **options: Any) -> None:
        if interval is not None and not 0 < interval <= 3600:
            raise CommandError("--interval is more than 0 and at most 3600 seconds.")
        worker = SubscriptionWorker(subscribers, Bell(interval))

        def leave(number: int, frame: FrameType | None) -> None:
            worker.leave()

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, leave)
        logger.info("Following the log")
        worker.run()
        logger.info("Left after the last whole step")
