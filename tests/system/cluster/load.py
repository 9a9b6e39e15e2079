"""Clients that move money through several web processes, never give up a command, and check its effect.

The effect of every command on a balance is known beforehand. All clients share the hot accounts, which hold more than
all withdrawals together. A cold account has one client, which knows its balance. So the acknowledgements add up to the
balances.
"""

import random
import re
import threading
import time
from collections.abc import Sequence
from http.client import HTTPException
from typing import NamedTuple

from tests.support.load import PATIENCE, Task, carry_through, deposit, opening, withdrawal
from tests.support.programs import PASSWORD
from tests.support.teller import Answer, Teller

LOGIN = ("teller", PASSWORD)
HOT = range(1, 4)
PLENTY = 10**11
"""The first balance of a hot account, in cents."""
COLD_FROM = 1000
"""The number of the first cold account of the first client, and the distance to the next client's."""
CATCHING_UP = ("still catching up", "when the figures have caught up")
"""The texts of a page that does not claim to be current."""
LOOKS = 0.3
"""The probability that a client checks the effect of a command."""
NO_ANSWER = 503
"""The status of a page while a database is unavailable."""


class Roaming(Teller):
    """A teller who continues at the next web process after a failure."""

    def __init__(self, ports: Sequence[int], first: int = 0) -> None:
        self.ports = ports
        super().__init__(ports[first % len(ports)], patience=30, stays=True)

    def request(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        try:
            answer = super().request(method, path, body, **headers)
        except (OSError, HTTPException):
            self.go_on()
            raise
        if answer.status >= 500:
            self.go_on()
        return answer

    def go_on(self) -> None:
        self.move(self.ports[(self.ports.index(self.port) + 1) % len(self.ports)])


class Done(NamedTuple):
    """An acknowledged command. `effect` is its effect on the balance in cents; times are monotonic."""

    task: Task
    account_id: int
    effect: int
    begun: float
    acknowledged: float


class Client:
    """A teller who sends commands one after the other, and checks that the pages show their effects."""

    def __init__(self, ports: Sequence[int], number: int, seed: int = 1) -> None:
        self.teller = Roaming(ports, number)
        self.chance = random.Random(f"{seed} {number}")
        self.balances: dict[int, int] = {}
        self.next_account = COLD_FROM * (number + 1)
        self.done: list[Done] = []
        self.looks = self.waits = 0
        self.violations: list[str] = []

    def carry_through(self, task: Task, account_id: int, effect: int) -> Done:
        """Send a command until it is acknowledged.

        Raises:
            load.Unanswered
        """
        begun = time.monotonic()
        carry_through(self.teller, LOGIN, task)
        self.done.append(Done(task, account_id, effect, begun, time.monotonic()))
        if account_id in self.balances:
            self.balances[account_id] += effect
        return self.done[-1]

    def open_account(self) -> None:
        account_id = self.next_account
        self.next_account += 1
        self.carry_through(opening(account_id), account_id, 0)
        self.balances[account_id] = 0

    def step(self) -> None:
        """Send a command, and sometimes check its effect."""
        if self.chance.random() < 0.05:
            self.open_account()
        cents = self.chance.randint(1, 100_000)
        if self.chance.random() < 0.5:
            account_id = self.chance.choice(HOT)
            out = self.chance.random() < 0.4
            done = self.carry_through(
                (withdrawal if out else deposit)(account_id, cents), account_id, -cents if out else cents
            )
        else:
            done = self.move_own(self.chance.choice(list(self.balances)), cents)
        if self.chance.random() < LOOKS:
            self.look_at_receipt(done, cents)
            self.look_at_account(self.chance.choice(list(self.balances)))

    def move_own(self, account_id: int, cents: int) -> Done:
        balance, what = self.balances[account_id], self.chance.random()
        if what < 0.1:  # more than the balance
            task = withdrawal(account_id, balance + cents)
            return self.carry_through(task, account_id, 0)
        if what < 0.5 and balance >= cents:
            return self.carry_through(withdrawal(account_id, cents), account_id, -cents)
        return self.carry_through(deposit(account_id, cents), account_id, cents)

    # Checking the effect

    def look_at_receipt(self, done: Done, cents: int) -> None:
        page = self.look(f"/receipts/{done.task.command_id}/")
        if page and f"{cents / 100:,.2f}" not in page and done.effect:
            self.violations.append(f"the receipt of {done} says: {page}")

    def look_at_account(self, account_id: int) -> None:
        page = self.look(f"/accounts/{account_id}/")
        if page and f" Balance {self.balances[account_id] / 100:,.2f} USD " not in page:
            self.violations.append(f"account {account_id} has {self.balances[account_id]}, but the page says: {page}")

    def look(self, path: str) -> str:
        """Return the text of a page, or the empty string if it does not answer or is not current."""
        try:
            answer = self.teller.request("GET", path)
        except (OSError, HTTPException):
            return ""
        if answer.status == NO_ANSWER:
            return ""
        self.looks += 1
        if answer.status != 200:
            self.violations.append(f"{path} answers {answer.status}: {answer.words}")
            return ""
        if any(text in answer.words for text in CATCHING_UP):
            self.waits += 1
            return ""
        return re.sub(r"<[^>]+>", " ", answer.words)


class Load:
    """Clients at work until the end of the context, where each completes its last command."""

    def __init__(self, ports: Sequence[int], clients: int) -> None:
        self.probe = Client(ports, clients)
        self.clients = [Client(ports, number) for number in range(clients)]
        self.failures: list[str] = []
        self.began = self.ended = 0.0
        self._stop = threading.Event()
        self._logged_in = threading.Barrier(clients + 1)
        self._threads = [threading.Thread(target=self._work, args=[client]) for client in self.clients]

    def __enter__(self) -> "Load":
        for account_id in HOT:
            self.probe.carry_through(opening(account_id), account_id, 0)
            self.probe.carry_through(deposit(account_id, PLENTY), account_id, PLENTY)
        self.probe.open_account()
        for thread in self._threads:
            thread.start()
        self._logged_in.wait(PATIENCE)
        self.began = time.monotonic()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.ended = time.monotonic()
        for client in self.everybody:
            client.teller.close()

    def _work(self, client: Client) -> None:
        try:
            client.open_account()
            self._logged_in.wait(PATIENCE)
            while not self._stop.is_set():
                client.step()
        except Exception as error:
            self.failures.append(repr(error))
            self._logged_in.abort()

    @property
    def everybody(self) -> list[Client]:
        return [*self.clients, self.probe]

    @property
    def done(self) -> list[Done]:
        return [done for client in self.everybody for done in list(client.done)]

    @property
    def violations(self) -> list[str]:
        return [violation for client in self.everybody for violation in client.violations]
