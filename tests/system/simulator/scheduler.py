"""Who runs next: threads of which only one is ever let go, switched at statements as a seed says.

It knows threads, statements and chance, and nothing of the bank. The same seed makes the same run.
"""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from unittest import mock

from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.support.statements import COMMIT, Death, mortal

PATIENCE = 60
"""Seconds that a thread may take to end when it is told to."""
MOST_STEPS = 200_000
"""More steps than any run takes; one that takes more goes round in circles."""


STEP = 0.002
"""Seconds that a step takes for whoever looks at `time.monotonic`."""


class Stopped(BaseException):
    """The run is over for a thread because another one has failed."""


class Stuck(AssertionError):
    """Nobody gets on."""


class Task:
    """One of those that take turns."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name, self.work = name, work
        self.gate = threading.Semaphore(0)
        self.is_done = False


class Scheduler:
    """Lets one task run at a time, and another go on at whichever statement chance wants.

    Args:
        switch: how likely another task is let go on at a statement.
        death: how likely whoever sent a statement is killed after it.
        patience: how often a statement that meets a lock is tried before the database says that it is locked.
    """

    def __init__(self, chance: random.Random, *, switch: float, death: float, patience: int) -> None:
        self.chance, self.switch, self.death, self.patience = chance, switch, death, patience
        self.tasks: list[Task] = []
        self.current: Task | None = None
        self.failure: BaseException | None = None
        self.steps = 0
        self.deaths = 0
        self.locked = 0
        self.trace: list[str] = []
        self.digest = hashlib.sha256()
        self._over = threading.Semaphore(0)

    def run(self, works: Mapping[str, Callable[[], None]]) -> None:
        """Let all tasks run to their ends; what one of them raises ends them all and is raised here."""
        self.tasks = [Task(name, work) for name, work in works.items()]
        threads = [threading.Thread(target=self._live, args=[task], daemon=True) for task in self.tasks]
        for thread in threads:
            thread.start()
        with mock.patch.object(time, "sleep", self._sleep), mock.patch.object(time, "monotonic", self._seconds):
            self._let_go(self._choose())
            self._over.acquire()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a thread does not end"
        if self.failure is not None:
            raise self.failure

    def pause(self, where: str = "pause") -> None:
        """Take a note of where the running task is, and let another one go on if chance wants it."""
        task = self.current
        assert task is not None, "only a task takes turns"
        self._note(task, where)
        if self.failure is not None:
            raise Stopped
        if self.chance.random() < self.switch:
            self._change_from(task)

    @contextmanager
    def process(self, committed: Callable[[str], None]) -> Iterator[Death]:
        """Run the block as a process that is switched at statements and killed by chance.

        Args:
            committed: is called with a database's alias after each commit there.
        """
        with mortal(_Chance(self, committed), self._wait_for_lock) as death:
            yield death

    def _wait_for_lock(self, connection: BaseDatabaseWrapper, statement: str, error: OperationalError) -> bool:
        """Let the others go on: whoever has the lock is one of them."""
        if "locked" not in str(error) or self.failure is not None:
            return False
        self.locked += 1
        task = self.current
        assert task is not None
        if self.chance.random() < 1 / self.patience:
            self._note(task, "gives up waiting")
            return False
        self._note(task, "waits")
        self._change_from(task)
        return True

    def _live(self, task: Task) -> None:
        task.gate.acquire()
        try:
            if self.failure is None:
                task.work()
        except Stopped:
            pass
        except BaseException as error:
            self.failure = self.failure or error
        finally:
            connections.close_all()
            task.is_done = True
            if waiting := self._waiting():
                self._let_go(waiting[0] if self.failure else self.chance.choice(waiting))
            else:
                self._over.release()

    def _waiting(self) -> list[Task]:
        return [task for task in self.tasks if not task.is_done]

    def _choose(self) -> Task:
        return self.chance.choice(self._waiting())

    def _let_go(self, task: Task) -> None:
        self.current = task
        task.gate.release()

    def _change_from(self, task: Task) -> None:
        """Let a task go on that chance chooses, which may be this one, and wait for its turn to come again."""
        following = self._choose()
        if following is not task:
            self._let_go(following)
            task.gate.acquire()
        if self.failure is not None:
            raise Stopped

    def _seconds(self) -> float:
        """Return what a clock says on which each step takes a while."""
        return self.steps * STEP

    def _sleep(self, seconds: float) -> None:
        self.pause("sleep")

    def _note(self, task: Task, where: str) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS and self.failure is None:
            raise Stuck(f"{self.steps} steps, and {[task.name for task in self._waiting()]} are not done")
        line = f"{task.name}: {where}"
        self.trace.append(line)
        self.digest.update(line.encode())


class _Chance(Death):
    """Lets others in before each statement, and kills after it if chance wants it."""

    def __init__(self, scheduler: Scheduler, committed: Callable[[str], None]) -> None:
        super().__init__()
        self.scheduler, self.committed = scheduler, committed

    def before(self, connection: BaseDatabaseWrapper, statement: str) -> None:
        super().before(connection, statement)
        self.scheduler.pause(f"{connection.alias} {' '.join(statement.split())[:60]}")

    def after(self, connection: BaseDatabaseWrapper, statement: str) -> None:
        if statement == COMMIT:
            self.committed(connection.alias)
        if self.scheduler.chance.random() < self.scheduler.death:
            self.scheduler.deaths += 1
            self.die(statement)
