"""Load over HTTP, as tellers' browsers make it: log in, send forms with ids of our own, repeat what was not answered.

Nothing here knows the bank's code: what is proven with it holds for the program as a whole.
"""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from uuid import UUID, uuid4

from tests.support.teller import Teller

PIN = 1234
PATIENCE = 240
"""Seconds for which a task may stay unacknowledged before a load gives up."""
PAUSE = 0.05
"""Seconds before a task that was not acknowledged is sent again."""


class Unanswered(Exception):
    """A task was not acknowledged, however often it was sent."""


@dataclass
class Task:
    """One command that a teller sends, and what became of it."""

    path: str
    fields: Mapping[str, str]
    command_id: UUID = field(default_factory=uuid4)
    sent: int = 0
    seconds: float | None = None
    """From the first sending to the acknowledgement; None as long as there is none."""
    statuses: list[int] = field(default_factory=list)
    """Of all the answers that came."""


def opening(account_id: int, holder: str = "Josh") -> Task:
    fields = {"account_id": str(account_id), "account_holder": holder, "pin": f"{PIN:04}"}
    return Task("/accounts/open/", fields)


def deposit(account_id: int, cents: int) -> Task:
    return Task(f"/accounts/{account_id}/deposit/", {"amount": f"{cents / 100:.2f}"})


def withdrawal(account_id: int, cents: int) -> Task:
    return Task(f"/accounts/{account_id}/withdraw/", {"amount": f"{cents / 100:.2f}", "pin": f"{PIN:04}"})


def carry_through(teller: Teller, login: tuple[str, str], task: Task) -> None:
    """Send a task under the same id until the bank acknowledges it, and write down what became of it.

    Raises:
        Unanswered: the bank refuses it, or does not answer for too long.
    """
    started = time.monotonic()
    said = "nothing"
    while time.monotonic() - started < PATIENCE:
        try:
            if not teller.hidden.get("csrfmiddlewaretoken"):
                _log_in(teller, login)
            task.sent += 1
            answer = teller.post(task.path, **task.fields, command_id=task.command_id)
        except (OSError, HTTPException) as error:
            said = repr(error)
        else:
            said = f"{answer.status} {answer.words}"
            task.statuses.append(answer.status)
            if answer.status == 303 and str(task.command_id) in answer.location:
                task.seconds = time.monotonic() - started
                return
            if answer.status == 422:
                break
            if answer.status in (302, 403):  # the session did not outlive what happened to the bank
                teller.hidden.clear()
        time.sleep(PAUSE)
    raise Unanswered(f"{task.path} was sent {task.sent} times; at last the answer was: {said}")


def _log_in(teller: Teller, login: tuple[str, str]) -> None:
    """Log in and fetch a form's token, if the bank lets us; else the next try begins here again."""
    teller.cookies.clear()
    teller.get("/login/")
    said = teller.post("/login/", username=login[0], password=login[1])
    teller.hidden.clear()
    if said.status == 302:
        teller.get("/accounts/open/")


class Load:
    """Clients that each send one task after the other, to accounts that are opened first, until they are stopped.

    As a context manager it starts the clients, and at the end lets each carry its last task through.

    Args:
        ports: of the web processes on this machine, which the clients share out.
        login: name and password.
        clients: how many, each with a connection of its own.
        accounts: their numbers; all clients use all of them.
        seed: of the choice of accounts and amounts.
    """

    def __init__(
        self,
        ports: Sequence[int],
        login: tuple[str, str],
        *,
        clients: int = 8,
        accounts: Sequence[int] = range(1, 5),
        seed: int = 1,
    ) -> None:
        self.login, self.accounts, self.seed = login, accounts, seed
        self.tellers = [Teller(ports[number % len(ports)]) for number in range(clients)]
        self.tasks: list[Task] = []
        self.failures: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=each) for each in enumerate(self.tellers)]

    def __enter__(self) -> "Load":
        first, *others = self.tellers
        for account_id in self.accounts:
            self._carry_through(first, opening(account_id))
        for teller in others:  # one log-in for all: many at once of one user are slowed down
            teller.cookies, teller.hidden = dict(first.cookies), dict(first.hidden)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for teller in self.tellers:
            teller.close()
        if self.failures and exception[0] is None:
            raise self.failures[0]

    @property
    def acknowledged(self) -> list[Task]:
        return [task for task in self.tasks if task.seconds is not None]

    @property
    def repeated(self) -> list[Task]:
        """The tasks that were sent more than once."""
        return [task for task in self.tasks if task.sent > 1]

    def _work(self, number: int, teller: Teller) -> None:
        chance = random.Random(f"{self.seed} {number}")
        try:
            while not self._stop.is_set():
                make = chance.choice([deposit, deposit, withdrawal])  # some withdrawals are of more than there is
                self._carry_through(teller, make(chance.choice(self.accounts), chance.randint(1, 100_000)))
        except BaseException as error:
            self.failures.append(error)

    def _carry_through(self, teller: Teller, task: Task) -> None:
        self.tasks.append(task)  # which is safe between threads
        carry_through(teller, self.login, task)
