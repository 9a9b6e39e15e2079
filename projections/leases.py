"""Who of several workers keeps a projection caught up, while the others stand by.

A lease saves work and guards nothing: the lock on the checkpoint makes every event count once whoever works. It is
a row with a time, so that it goes by itself with a worker, a machine or a network that is gone, on every database
and through every pooler. The database's clock counts.
"""

import os
import secrets
import socket
import time
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from .models import Checkpoint
from .replicas import READ_SIDE

RENEWAL = 1.0
"""Seconds after which a worker asks again: the one at work for more time, the others for their turn."""
LENGTH = 3
"""Renewals that may be missed: a worker that was not heard of for so long is replaced."""


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
            rows = Checkpoint.objects.using(READ_SIDE).filter(name__in=self._names)
            free = Q(worker=self.worker) | Q(leased_until=None) | Q(leased_until__lte=Now())
            rows.filter(free).update(worker=self.worker, leased_until=Now() + timedelta(seconds=LENGTH * self.renewal))
            if rows.count() < len(self._names):  # a new projection, or a read side that was thrown away
                new = [Checkpoint(name=name, updated_at=timezone.now()) for name in self._names]
                Checkpoint.objects.using(READ_SIDE).bulk_create(new, ignore_conflicts=True)
                return self.held()
            self._held = sorted(rows.filter(worker=self.worker).values_list("name", flat=True))
            self._ask_at = time.monotonic() + self.renewal
        return self._held

    def release(self) -> None:
        """Let another worker begin at once."""
        rows = Checkpoint.objects.using(READ_SIDE).filter(worker=self.worker)
        rows.update(worker="", leased_until=None)
        self._held, self._ask_at = [], 0.0
