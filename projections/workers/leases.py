"""Leases: of several workers, one keeps a projection caught up while the others stand by.

A lease saves work and guards nothing: the lock on the checkpoint makes every event count once, whoever works. It is
a row with a time, so it ends by itself when a worker, a machine or a network is gone, on every database and through
every pooler. The database's clock counts, and no lease is believed for longer than `LEASE` when that clock is set.

A worker that freezes in mid-transaction keeps its locks. On PostgreSQL a worker that waits for them ends that
transaction as soon as the lease has run out. Each transaction of a worker holds an advisory lock that identifies it.
"""

import logging
import os
import secrets
import socket
import time
from collections.abc import Sequence
from typing import Any

from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from eventstore import errors
from eventstore.backends import backend_of

from ..models import IS_LEASED, LEASE, Checkpoint
from ..replicas import READ_SIDE

logger = logging.getLogger(__name__)

RENEWAL = 1.0
"""Seconds after which a worker asks again: the one at work renews its lease, the others try to get it."""
LONGEST_WAIT = 1000
"""Milliseconds that a worker waits on PostgreSQL for a lock on its checkpoints, where a batch takes a tenth of it."""


class Lease:
    """The lease of one worker on those of its projections that no other worker has."""

    def __init__(self, names: Sequence[str]) -> None:
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._names = sorted(names)  # the order in which checkpoints are locked
        self._held: list[str] = []
        self._ask_at = 0.0

    def held(self) -> list[str]:
        """Return the names of the projections that are this worker's now. Renew the lease when it is time."""
        if time.monotonic() >= self._ask_at:
            try:
                with backend_of(READ_SIDE).transaction(lock_timeout=LONGEST_WAIT):
                    self._held = self._ask()
            except OperationalError as error:
                if errors.is_busy(error):
                    end_frozen(self._names)
                raise
            self._ask_at = time.monotonic() + RENEWAL
        return self._held

    def _ask(self) -> list[str]:
        rows = Checkpoint.objects.using(READ_SIDE).filter(name__in=self._names)
        self._update(Q(name__in=self._names) & (Q(worker=self.worker) | ~IS_LEASED), self.worker, Now() + LEASE)
        if rows.count() < len(self._names):  # a new projection, or a read side that was thrown away
            new = [Checkpoint(name=name, updated_at=timezone.now()) for name in self._names]
            Checkpoint.objects.using(READ_SIDE).bulk_create(new, ignore_conflicts=True)
            return self._ask()
        return sorted(rows.filter(worker=self.worker).values_list("name", flat=True))

    def _update(self, which: Q, worker: str, leased_until: Any) -> None:
        """Write who has some projections, which are locked in the order in which the engine locks them."""
        rows = Checkpoint.objects.using(READ_SIDE)
        names = list(rows.filter(which).order_by("name").select_for_update().values_list("name", flat=True))
        rows.filter(name__in=names).update(worker=worker, leased_until=leased_until)

    def sign(self, cursor: CursorWrapper) -> None:
        """Let the server know a transaction as this worker's."""
        backend_of(READ_SIDE).mark_transaction(cursor, self.worker)

    def release(self) -> None:
        """Let another worker begin at once."""
        with backend_of(READ_SIDE).transaction(lock_timeout=LONGEST_WAIT):
            self._update(Q(worker=self.worker), "", None)
        self._held, self._ask_at = [], 0.0


def end_frozen(names: Sequence[str]) -> None:
    """End the transactions of frozen workers whose leases of these projections have run out, where the server can.

    Nothing is lost: when it thaws, such a worker finds its connection closed and begins again. A worker whose last
    statement is in the future, because the server's clock was set back, is taken to be frozen as well.
    """
    ended = Checkpoint.objects.using(READ_SIDE).filter(~IS_LEASED, name__in=names).exclude(worker="")
    for worker in set(ended.values_list("worker", flat=True)):
        if backend_of(READ_SIDE).end_frozen_transaction(worker):
            logger.warning("%s is frozen in mid-transaction, which was ended; its lease had run out", worker)
