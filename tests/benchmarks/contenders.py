"""The contenders: programs with databases of their own, and one or several clients of each."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.support.programs import ROOT, environment

PATIENCE = 600
"""The seconds that a program may take to end."""


class Client:
    """One process of a contender; see `programs/protocol.py` for the protocol."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment(folder, **variables), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def tell(self, *words: object) -> None:
        self._pipe(self.process.stdin).write(" ".join(map(str, words)) + "\n")
        self._pipe(self.process.stdin).flush()

    def hear(self) -> str:
        """Wait for the answer.

        Raises:
            AssertionError: the program has ended; its output has the reason.
        """
        answer = self._pipe(self.process.stdout).readline()
        assert answer, f"{self.process.args!r} has ended"
        return answer.strip()

    def ask(self, *words: object) -> str:
        self.tell(*words)
        return self.hear()

    def close(self) -> None:
        self._pipe(self.process.stdin).close()
        self._pipe(self.process.stdout).close()
        self.process.wait(PATIENCE)

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


class Contender:
    """A bank of one kind, with several simultaneous clients. As a context manager it starts and ends.

    Args:
        program: a module of `programs`, or the whole command.
        variables: environment variables.
        folder: its data folder.
        clients: the number of simultaneous processes.
    """

    def __init__(
        self, program: str | Sequence[str], variables: Mapping[str, str], folder: Path, clients: int = 1
    ) -> None:
        if isinstance(program, str):
            program = [sys.executable, "-m", f"tests.benchmarks.programs.{program}"]
        self.command, self.folder = program, folder
        self.count = clients
        self.variables = variables
        self.clients: list[Client] = []
        self._next = 1

    def __enter__(self) -> "Contender":
        self.clients = [self._start()]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self.clients:
            client.close()

    def _start(self) -> Client:
        return Client(self.command, self.variables, self.folder)

    def fill(self, accounts: int, events: int) -> None:
        """Open accounts from number 1 on, each with a history of this many events."""
        self.fill_from(1, accounts, events)
        self._join()

    def fill_from(self, first: int, accounts: int, events: int) -> None:
        self.clients[0].ask("fill", first, accounts, events)

    def _join(self) -> None:
        """Start the other clients one after the other. The tables exist by now, which some clients check."""
        while len(self.clients) < self.count:
            self.clients.append(self._start())
            self.clients[-1].ask("prepare", 1, 0, 1)

    def measure(self, *words: object) -> float:
        """Return a figure that the one client measures; the program defines the figures."""
        return float(self.clients[0].ask("measure", *words))

    def rate(self, deposits: int, *, warm: bool = True) -> float:
        """Return deposits a second of all clients together, each deposit at an account of its own.

        If `warm`, the same client has just made a deposit there.
        """
        return self._rate([(self._reserve(deposits), deposits, 1) for _ in self.clients], warm)

    def rate_at(self, account_id: int, deposits: int) -> float:
        """Return deposits a second with all clients at one account."""
        return self._rate([(account_id, deposits, 0) for _ in self.clients], False)

    def fresh_rate_at(self, account_id: int, deposits: int) -> float:
        """Return the same for a new process."""
        client = self._start()
        try:
            client.ask("prepare", account_id, deposits, 0)
            return deposits / float(client.ask("go"))
        finally:
            client.close()

    def _reserve(self, accounts: int) -> int:
        first = self._next
        self._next += accounts
        return first

    def _rate(self, orders: Sequence[tuple[int, int, int]], warm: bool) -> float:
        for client, order in zip(self.clients, orders, strict=True):
            client.ask("prepare", *order)
        if warm:
            self._all("warm")
        started = time.perf_counter()
        self._all("go")
        return sum(deposits for _, deposits, _ in orders) / (time.perf_counter() - started)

    def _all(self, order: str) -> None:
        for client in self.clients:
            client.tell(order)
        for client in self.clients:
            client.hear()
