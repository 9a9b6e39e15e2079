"""`manage.py run_projections`: the worker that projects where `PROJECTION_MODE=worker`."""

import logging
import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections

from projections import engine

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 10.0
"""Seconds between two tries while a database does not answer, at most."""


class Command(BaseCommand):
    help = "Follow the log and keep the projections caught up, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--interval", type=float, default=0.2, help="seconds between two looks at the log")

    def handle(self, *args: Any, interval: float, **options: Any) -> None:
        stop = threading.Event()

        def leave(number: int, frame: FrameType | None) -> None:
            stop.set()

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, leave)
        logger.info("Following the log every %s s", interval)
        pause = interval
        while not stop.is_set():
            try:
                engine.catch_up()
                pause = interval
            except DatabaseError as error:
                pause = min(LONGEST_PAUSE, 2 * pause)
                logger.warning("A database does not answer, next try in %.1f s: %s", pause, error)
                for connection in connections.all():
                    connection.close()
            stop.wait(pause)
        logger.info("Left after the last whole batch")
