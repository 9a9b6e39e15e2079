"""Who of several workers keeps a projection caught up, while the others stand by.

A lease saves work and guards nothing: the lock on the checkpoint makes every event count once whoever works. It is
a row with a time, so that it goes by itself with a worker, a machine or a network that is gone, on every database
and through every pooler. The database's clock counts.

A worker that freezes in mid-transaction keeps its locks. On PostgreSQL whoever waits for them ends that transaction as
soon as the lease has run out; each transaction of a worker is known by a lock of its own, which hinders nobody.
"""

import logging
import os
import secrets
import socket
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from hashlib import blake2b

from django.db import OperationalError, connections
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from eventstore import errors, postgresql

from .models import Checkpoint
from .replicas import READ_SIDE

logger = logging.getLogger(__name__)

RENEWAL = 1.0
"""Seconds after which a worker asks again: the one at work for more time, the others for their turn."""
LENGTH = 3
"""Renewals that may be missed: a worker that was not heard of for so long is replaced."""
LONGEST_WAIT = 1000
"""Milliseconds that a worker waits on PostgreSQL for a lock on its checkpoints, where a batch takes a tenth of it."""
FROZEN = 3
"""Seconds for which a process within a transaction has said nothing to PostgreSQL when it is taken to be frozen."""


class Lease:
    """What one worker holds of the projections that it is willing to work on. `renewal` is in seconds."""

    def __init__(self, names: Sequence[str], renewal: float = RENEWAL) -> None:
        self.renewal = renewal
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._names = names
        self._held: list[str] = []
        self._ask_at = 0.0

    def held(self) -> list[str]:
        """Return the names of the projections that are this worker's now, asking for them when it is time."""
        if time.monotonic() >= self._ask_at:
            try:
                with self._limited():
                    self._held = self._ask()
            except OperationalError as error:
                if errors.is_busy(error):
                    end_frozen(self._names)
                raise
            self._ask_at = time.monotonic() + self.renewal
        return self._held

    def _ask(self) -> list[str]:
        rows = Checkpoint.objects.using(READ_SIDE).filter(name__in=self._names)
        free = Q(worker=self.worker) | Q(leased_until=None) | Q(leased_until__lte=Now())
        rows.filter(free).update(worker=self.worker, leased_until=Now() + timedelta(seconds=LENGTH * self.renewal))
        if rows.count() < len(self._names):  # a new projection, or a read side that was thrown away
            new = [Checkpoint(name=name, updated_at=timezone.now()) for name in self._names]
            Checkpoint.objects.using(READ_SIDE).bulk_create(new, ignore_conflicts=True)
            return self._ask()
        return sorted(rows.filter(worker=self.worker).values_list("name", flat=True))

    def _limited(self) -> AbstractContextManager[None]:
        return postgresql.limited(READ_SIDE, LONGEST_WAIT)

    def signed(self) -> AbstractContextManager[None]:
        """Let the server know each transaction of the block as this worker's."""
        return postgresql.beginning_with(READ_SIDE, f"SELECT pg_advisory_xact_lock_shared({_mark(self.worker)})")

    def release(self) -> None:
        """Let another worker begin at once."""
        with self._limited():
            Checkpoint.objects.using(READ_SIDE).filter(worker=self.worker).update(worker="", leased_until=None)
        self._held, self._ask_at = [], 0.0


def _mark(worker: str) -> int:
    """Return the number of the lock that each transaction of a worker holds."""
    return int.from_bytes(blake2b(worker.encode(), digest_size=8).digest(), signed=True)


def end_frozen(names: Sequence[str]) -> None:
    """End the transactions in which workers are frozen whose leases of these projections have run out, on PostgreSQL.

    Nothing is lost with them: when it thaws, such a worker finds its connection closed and begins again.
    """
    if not postgresql.is_postgresql(READ_SIDE):
        return
    ended = Checkpoint.objects.using(READ_SIDE).filter(name__in=names, leased_until__lte=Now()).exclude(worker="")
    for worker in set(ended.values_list("worker", flat=True)):
        with connections[READ_SIDE].cursor() as cursor:
            cursor.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE wait_event_type = 'Client' AND state_change < clock_timestamp() - make_interval(secs => %s)
                     AND pid IN (
                       SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                         AND classid::bigint << 32 | objid::bigint = %s)""",
                [FROZEN, _mark(worker)],
            )
            if cursor.fetchall():
                logger.warning("%s is frozen in mid-transaction, which was ended; its lease had run out", worker)
