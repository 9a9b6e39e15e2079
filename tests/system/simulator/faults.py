"""The circumstances that a seed decides: the number of clients, the likelihood of faults and a failing projector."""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from unittest import mock

from django.db.backends.utils import CursorWrapper

from eventstore import snapshots
from projections import engine
from projections.projectors import PROJECTORS
from projections.projectors.base import Batch, Projector

MORNING = datetime(2026, 3, 1, 9, tzinfo=UTC)
FOREVER = 10**9


class Poisoned(Exception):
    """The error of a projector that cannot project an event."""


@dataclass(frozen=True)
class Plan:
    """The circumstances of one run. Likelihoods are per statement."""

    mode: str
    tellers: int
    commands: int
    accounts: int
    workers: int
    operations: int
    switch: float
    death: float
    patience: int
    batch: int
    snapshot_every: int
    poisoned: str
    poison: int
    attempts: int
    morning: datetime = MORNING

    @property
    def tills(self) -> int:
        """The number of tills. Half of the runs have none."""
        return 2 * (self.poison % 2)

    @property
    def reads_own_writes(self) -> bool:
        """Return whether each acknowledgement comes after the projections have processed its events."""
        return self.mode == "inline" and self.patience == FOREVER


def plan_of(chance: random.Random) -> Plan:
    """Return the circumstances of a run."""
    return Plan(
        mode=chance.choice(("inline", "inline", "worker")),
        tellers=chance.randint(2, 5),
        commands=chance.randint(4, 9),
        accounts=chance.randint(1, 4),
        workers=chance.randint(0, 2),
        operations=chance.randint(0, 5),
        switch=chance.choice((0.02, 0.2, 0.5, 1.0)),
        death=chance.choice((0.0, 0.002, 0.01, 0.03)),
        patience=chance.choice((FOREVER, FOREVER, FOREVER, 4)),
        batch=chance.choice((1, 2, 5, 1000)),
        snapshot_every=chance.choice((1, 2, 3, 20)),
        poisoned=chance.choice(("", "", "", *PROJECTORS)),
        poison=chance.randint(1, 20),
        attempts=chance.choice((1, 2, 3)),
    )


@contextmanager
def circumstances(plan: Plan) -> Iterator[None]:
    """Run the block with a plan's sizes and its fault in a projector."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(snapshots, "EVERY", plan.snapshot_every))
        stack.enter_context(mock.patch.object(engine, "BATCH", plan.batch))
        if plan.poisoned:
            stack.enter_context(_poisoned(PROJECTORS[plan.poisoned], plan.poison))
        yield


def _poisoned(kind: type[Projector], position: int) -> AbstractContextManager[object]:
    """Make a projector fail at the event of a position, after it has written its rows."""
    healthy = kind.apply

    def apply(self: Projector, cursor: CursorWrapper, batch: Batch) -> None:
        healthy(self, cursor, batch)
        if position in {recorded.position for _, recorded in batch}:
            raise Poisoned(f"{self.name} cannot digest {position}")

    return mock.patch.object(kind, "apply", apply)
