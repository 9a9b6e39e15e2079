"""A world with a fixed clock, fixed randomness and a replaced keyed hash, and everything observable of it."""

import hashlib
import hmac
import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.db import connections
from django.test import override_settings
from django.utils import timezone
from django.utils.log import AdminEmailHandler

from bank.application import account_cache, pins
from eventstore import clock as event_clock
from eventstore.backends.sqlite import SQLite

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
DURATION = re.compile(r"\(\d+\.\d+\) ")
"""The duration of a statement in Django's log."""

ADDRESS = re.compile(r"at 0x[0-9a-f]+|\b(?:c|v|pre|post)[0-9]{10,}\b")
"""The memory address of an object or a frame in an error report."""

type Other = Callable[[int], int]
"""The function from a PIN to the PIN used in a world."""


def as_it_is(pin: int) -> int:
    return pin


def other(pin: int) -> int:
    """Return another PIN for each, with none of its digits at the same place."""
    return 9999 - pin


class Seen(logging.Handler):
    """Everything observed of a world so far, in order."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self.things: list[str] = []
        self.is_looking = True

    def emit(self, record: logging.LogRecord) -> None:
        self.see("log", DURATION.sub("", self.format(record)))

    def see(self, what: str, thing: object) -> None:
        self.things.append(ADDRESS.sub("somewhere", f"{what}: {thing}"))

    def take(self) -> list[str]:
        """Return everything observed since the last call."""
        taken, self.things = self.things, []
        return taken


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = MORNING

    def forward(self) -> None:
        self.now += timedelta(milliseconds=10)


class Oracle:
    """Replacement of HMAC: the n-th new question gets the n-th answer, which reveals nothing of the question."""

    def __init__(self) -> None:
        self.answers: dict[tuple[bytes, bytes], bytes] = {}

    def digest(self, key: bytes, message: bytes, kind: str) -> bytes:
        number = len(self.answers)
        return self.answers.setdefault((key, message), hashlib.sha256(b"answer %d" % number).digest())


@contextmanager
def world(seen: Seen) -> Iterator[Clock]:
    """Run the block in a deterministic world, and log at the finest level."""
    clock, luck = Clock(), random.Random("a world")
    root = logging.getLogger()
    mails = AdminEmailHandler(include_html=True)
    mails.setLevel(logging.ERROR)
    with ExitStack() as stack:
        for module, name, value in (
            (os, "urandom", luck.randbytes),
            (random, "_urandom", luck.randbytes),
            (time, "time", lambda: clock.now.timestamp()),
            (time, "monotonic", lambda: clock.now.timestamp()),  # measures how long an account is contested
            (timezone, "now", lambda: clock.now),
            (event_clock, "now", lambda: clock.now),
            (SQLite, "time_in", lambda backend, seconds: f"'{clock.now + timedelta(seconds=seconds):%F %T.000}'"),
            (pins, "hmac", SimpleNamespace(digest=Oracle().digest, compare_digest=hmac.compare_digest, new=hmac.new)),
        ):
            stack.enter_context(mock.patch.object(module, name, value))
        stack.enter_context(mock.patch.dict(account_cache._loaded, clear=True))
        post = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
        stack.enter_context(override_settings(ADMINS=["operator@bank.example"], MAILERS=post, PROJECTION_MODE="inline"))
        stack.enter_context(mock.patch.object(root, "handlers", [seen, mails]))
        for logger in (root, logging.getLogger("django")):
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
        mail.outbox = []
        ContentType.objects.clear_cache()
        for connection in connections.all():
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous=OFF")  # no power failure occurs
            connection.force_debug_cursor = True
            stack.callback(setattr, connection, "force_debug_cursor", False)
        yield clock


def see_mail(seen: Seen) -> None:
    """Record the mailed error reports, with their HTML."""
    for message in mail.outbox:
        seen.see("mail", (message.subject, message.body, getattr(message, "alternatives", ())))
    mail.outbox = []


def see_databases(seen: Seen) -> None:
    """Record every row of both databases and every byte of their files, with sessions and indexes."""
    for alias in ("default", "projections"):
        connection = connections[alias]
        connection.force_debug_cursor = False
        connection.ensure_connection()
        raw: Any = connection.connection
        for line in raw.iterdump():
            seen.see(f"row of {alias}", line)
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        with Path(connection.settings_dict["NAME"]).open("rb") as file:
            seen.things += [f"page of {alias}: {page.hex()}" for page in iter(lambda: file.read(4096), b"")]
