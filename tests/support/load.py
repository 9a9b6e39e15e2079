"""Load over HTTP as tellers' browsers make it: log in, send forms with own command ids, repeat unanswered ones.

Nothing here uses the bank's code, so its proofs hold for the program as a whole.
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
"""The seconds that a task may stay unacknowledged before the load gives up."""
PAUSE = 0.05
"""The seconds before an unanswered task is sent again."""


class Unanswered(Exception):
    """A task was never acknowledged, though it was sent repeatedly."""


@dataclass
class Task:
    """One command of a teller, and its result."""

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
    """Send a task under the same command id until the bank acknowledges it, and store the result.

    Raises:
        Unanswered: the bank refuses the task, or does not answer for too long.
    """
    started = time.monotonic()
    last_answer = "nothing"
    while time.monotonic() - started < PATIENCE:
        try:
            if not teller.hidden.get("csrfmiddlewaretoken"):
                _log_in(teller, login)
            task.sent += 1
            answer = teller.post(task.path, **task.fields, command_id=task.command_id)
        except (OSError, HTTPException) as error:
            last_answer = repr(error)
        else:
            last_answer = f"{answer.status} {answer.words}"
            task.statuses.append(answer.status)
            if answer.status == 303 and str(task.command_id) in answer.location:
                task.seconds = time.monotonic() - started
                return
            if answer.status == 422:
                break
            if answer.status in (302, 403):  # the session was lost with the failure
                teller.hidden.clear()
        time.sleep(PAUSE)
    raise Unanswered(f"{task.path} was sent {task.sent} times; at last the answer was: {last_answer}")


def _log_in(teller: Teller, login: tuple[str, str]) -> None:
    """Log in, and fetch a form's token if the bank answers; otherwise the next try starts here again."""
    teller.cookies.clear()
    teller.get("/login/")
    answer = teller.post("/login/", username=login[0], password=login[1])
    teller.hidden.clear()
    if answer.status == 302:
        teller.get("/accounts/open/")


class Load:
    """Clients that send one task after the other to accounts opened beforehand, until they are stopped.

    As a context manager it starts the clients, and at the end lets each complete its last task.

    Args:
        ports: the ports of the web processes on this machine, distributed over the clients.
        login: name and password.
        clients: the number of clients. Each has its own connection.
        accounts: the account numbers. All clients use all of them.
        seed: the seed for accounts and amounts.
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
        self._threads = [
            threading.Thread(target=self._work, args=each, daemon=True) for each in enumerate(self.tellers)
        ]

    def __enter__(self) -> "Load":
        first, *others = self.tellers
        for account_id in self.accounts:
            self._carry_through(first, opening(account_id))
        for teller in others:  # one log-in for all, because simultaneous log-ins of one user are throttled
            teller.cookies, teller.hidden = dict(first.cookies), dict(first.hidden)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if exception[0] is not None:  # the clients may wait for servers that are gone
            return
        for thread in self._threads:
            thread.join()
        for teller in self.tellers:
            teller.close()
        if self.failures:
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
                make = chance.choice([deposit, deposit, withdrawal])  # some withdrawals exceed the balance
                self._carry_through(teller, make(chance.choice(self.accounts), chance.randint(1, 100_000)))
        except BaseException as error:
            self.failures.append(error)

    def _carry_through(self, teller: Teller, task: Task) -> None:
        self.tasks.append(task)  # `append` is thread-safe
        carry_through(teller, self.login, task)
