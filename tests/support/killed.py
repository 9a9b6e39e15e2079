"""The works of the read side that can be killed half-way, and a process that kills itself there.

    python -m tests.support.killed WORK NUMBER

does the work on the databases of the environment, and kills itself with SIGKILL after its statement of that number. If
there are fewer statements, it exits with status 0.
"""

import os
import signal
import sys
from collections.abc import Callable

import django
from django.db.backends.base.base import BaseDatabaseWrapper

BATCH = 5
"""The number of events in one transaction of a work with several."""


def catch_up() -> None:
    from projections import engine

    engine.catch_up()


def catch_up_in_batches() -> None:
    from projections import engine

    chosen = engine.projectors()
    while engine._advance(chosen, BATCH):
        pass


def catch_up_one_by_one() -> None:
    from projections import engine
    from projections.projectors import PROJECTORS

    for name in reversed(PROJECTORS):
        engine.catch_up([name])


def replay() -> None:
    from projections.workers import replay

    replay.replay()


def replay_in_batches() -> None:
    from projections.workers import rebuild

    whole, rebuild.BATCH = rebuild.BATCH, BATCH
    try:
        replay()
    finally:
        rebuild.BATCH = whole


def replay_two() -> None:
    from projections.workers import replay

    replay.replay(["totals", "statements"])


def check() -> None:
    from projections.workers import replay

    replay.check()


WORKS: dict[str, Callable[[], None]] = {
    work.__name__: work
    for work in (catch_up, catch_up_in_batches, catch_up_one_by_one, replay_in_batches, replay_two, check)
}


def main(name: str, number: int) -> None:
    from tests.support.statements import watched

    sent = 0

    def die(connection: BaseDatabaseWrapper, statement: str) -> None:
        nonlocal sent
        sent += 1
        if sent == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with watched(after=die):
        WORKS[name]()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main(sys.argv[1], int(sys.argv[2]))
