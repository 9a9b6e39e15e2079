"""The scheduler: threads of which only one runs at a time, switched at statements by the seed.

It handles threads, statements and chance, and knows nothing of the bank. The same seed makes the same run.
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

from eventstore import shared_clock
from tests.support.statements import COMMIT, Death, mortal

PATIENCE = 60
"""The seconds that a thread may take to end after a stop."""
MOST_STEPS = 200_000
"""More steps than any run needs; a run with more is in an endless loop."""


STEP = 0.002
"""The seconds that `time.monotonic` advances with each step."""


class Stopped(BaseException):
    """Ends a thread, because another thread of the run has failed."""


class Stuck(AssertionError):
    """No task makes progress."""


class Task:
    """A scheduled task."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name, self.work = name, work
        self.gate = threading.Semaphore(0)
        self.is_done = False


class Scheduler:
    """Runs one task at a time, and switches to another at random statements.

    Args:
        switch: the likelihood of a switch at a statement.
        death: the likelihood that the sender of a statement is killed after it.
        patience: the number of tries of a statement that meets a lock, before the database reports it as locked.
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
        """Run all tasks to their ends. An exception in one of them ends them all and is raised here."""
        self.tasks = [Task(name, work) for name, work in works.items()]
        threads = [threading.Thread(target=self._live, args=[task], daemon=True) for task in self.tasks]
        for thread in threads:
            thread.start()
        with (
            mock.patch.object(time, "sleep", self._sleep),
            mock.patch.object(time, "monotonic", self._seconds),
            mock.patch.object(shared_clock, "ahead", return_value=0.0),  # it compares the clock with the real one
        ):
            self._let_go(self._choose())
            self._over.acquire()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a thread does not end"
        if self.failure is not None:
            raise self.failure

    def pause(self, where: str = "pause") -> None:
        """Note the place of the running task, and switch to another one at random."""
        task = self.current
        assert task is not None, "only a task takes turns"
        self._note(task, where)
        if self.failure is not None:
            raise Stopped
        if self.chance.random() < self.switch:
            self._change_from(task)

    @contextmanager
    def process(self, committed: Callable[[str], None]) -> Iterator[Death]:
        """Run the block as a process that is switched at statements and killed at random.

        Args:
            committed: called with a database's alias after each commit there.
        """
        with mortal(_Chance(self, committed), self._wait_for_lock) as death:
            yield death

    def _wait_for_lock(self, connection: BaseDatabaseWrapper, statement: str, error: OperationalError) -> bool:
        """Switch to the other tasks, one of which holds the lock."""
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
        """Switch to a random task, possibly this one, and wait for this task's next turn."""
        following = self._choose()
        if following is not task:
            self._let_go(following)
            task.gate.acquire()
        if self.failure is not None:
            raise Stopped

    def _seconds(self) -> float:
        """Return the time of a clock that advances with each step."""
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
    """Switches before each statement, and kills after it, at random."""

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
