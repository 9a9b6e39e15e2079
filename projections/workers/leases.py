"""Leases: one of several workers keeps a projection caught up while the others stand by.

A lease saves work, and is not needed for correctness: the lock on the checkpoint makes every event count once. It is a
row with an end time, so it expires if the worker, its machine or the network fails, on every database and through every
pooler. The database's clock counts. A lease with an end later than `LEASE` from now is ignored, because that clock was
set back.

A worker that freezes in mid-transaction holds its locks. On PostgreSQL, another worker ends that transaction as soon as
the lease has expired. To identify them, each transaction of a worker holds an advisory lock.
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

from eventstore import errors
from eventstore.backends import backend_of

from .. import checkpoints
from ..checkpoint_models import IS_LEASED, LEASE, Checkpoint
from ..replicas import READ_SIDE

logger = logging.getLogger(__name__)

RENEWAL = 1.0
"""Seconds between two requests for the lease: its holder renews it, the others try to get it."""
LONGEST_WAIT = 1000
"""The longest wait of a worker for its checkpoints on PostgreSQL, in milliseconds. A batch takes a tenth of it."""


class Lease:
    """The lease of one worker on those of its projections that no other worker holds."""

    def __init__(self, names: Sequence[str]) -> None:
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._names = sorted(names)  # the order in which checkpoints are locked
        self._held: list[str] = []
        self._ask_at = 0.0

    def held(self) -> list[str]:
        """Return the names of the projections that this worker holds. Renew the lease if it is due."""
        if time.monotonic() >= self._ask_at:
            try:
                with backend_of(READ_SIDE).transaction(lock_timeout=LONGEST_WAIT) as cursor:
                    self._held = self._ask(cursor)
            except OperationalError as error:
                if errors.is_busy(error):
                    end_frozen(self._names)
                raise
            self._ask_at = time.monotonic() + RENEWAL
        return self._held

    def _ask(self, cursor: CursorWrapper) -> list[str]:
        rows = Checkpoint.objects.using(READ_SIDE).filter(name__in=self._names)
        self._update(Q(name__in=self._names) & (Q(worker=self.worker) | ~IS_LEASED), self.worker, Now() + LEASE)
        if rows.count() < len(self._names):  # a new projection, or a deleted read side
            checkpoints.lock(cursor, self._names)
            return self._ask(cursor)
        return sorted(rows.filter(worker=self.worker).values_list("name", flat=True))

    def _update(self, which: Q, worker: str, leased_until: Any) -> None:
        """Set the holder of some projections. Their rows are locked in the order that the engine uses."""
        rows = Checkpoint.objects.using(READ_SIDE)
        names = list(rows.filter(which).order_by("name").select_for_update().values_list("name", flat=True))
        rows.filter(name__in=names).update(worker=worker, leased_until=leased_until)

    def sign(self, cursor: CursorWrapper) -> None:
        """Mark a transaction as this worker's."""
        backend_of(READ_SIDE).mark_transaction(cursor, self.worker)

    def release(self) -> None:
        """End the lease, so that another worker can start at once."""
        with backend_of(READ_SIDE).transaction(lock_timeout=LONGEST_WAIT):
            self._update(Q(worker=self.worker), "", None)
        self._held, self._ask_at = [], 0.0


def end_frozen(names: Sequence[str]) -> None:
    """End the transactions of frozen workers whose leases of these projections have expired, if the server can.

    Nothing is lost: a worker that thaws finds its connection closed, and starts again. A worker whose last statement
    lies in the future also counts as frozen, because the server's clock was set back.
    """
    ended = Checkpoint.objects.using(READ_SIDE).filter(~IS_LEASED, name__in=names).exclude(worker="")
    for worker in set(ended.values_list("worker", flat=True)):
        if backend_of(READ_SIDE).end_frozen_transaction(worker):
            logger.warning("%s is frozen in mid-transaction, which was ended; its lease had run out", worker)
