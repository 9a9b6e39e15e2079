"""A run: a bank with accounts, processes that send transfers, and kills of all of them and of PostgreSQL."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.postgres import Cluster
from tests.support.programs import ROOT, Program, environment, manage, migrate
from tests.system.faults.books import Books
from tests.system.transfers.judge import Verdict, judge

KEYS = {"SECRET_KEY": "a" * 16, "PIN_KEYS": "b" * 16, "SEAL_KEYS": "c" * 16}
BALANCE = 5_000
"""The money in each account at first, in cents."""
LONGEST_LIFE = 3.0
"""The longest time in seconds from one kill to the next."""
POLL = 0.2
"""Seconds between two looks at the clients or the log."""
PATIENCE = 300
"""The seconds within which the last transfers must end once nothing is killed any more."""
OPEN = """
from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
for account_id in range(1, {accounts} + 1):
    handle(CreateBankAccount(account_id, f"Holder {{account_id}}", 1234))
    handle(DepositMoneyIntoBankAccount(account_id, {balance}))
"""


class Plan(NamedTuple):
    """The size of a run. `mode` is the PROJECTION_MODE, and `kills` the number of kills."""

    transfers: int
    accounts: int
    processes: int
    kills: int
    mode: str = "inline"
    seed: int = 1


class Report(NamedTuple):
    """The result of a run. `sound` is whether `verify_events` and `replay_projections --check` find nothing."""

    verdict: Verdict
    kills: int
    sound: bool
    set_back: int
    """The number of events after all subscriptions were set back to 0 and had read the log again: 0."""

    @property
    def is_good(self) -> bool:
        return self.verdict.is_good and self.sound and not self.set_back


class Client:
    """A process that sends its share of the transfers; see `client.py`."""

    def __init__(self, data: Path, number: int, count: int, plan: Plan, variables: dict[str, str]) -> None:
        self.file = data.parent / f"client-{number}"
        arguments = [number, count, plan.accounts, plan.seed, self.file]
        self.command = [sys.executable, "-m", "tests.system.transfers.client", *map(str, arguments)]
        self.environment = environment(data, **variables, DJANGO_SETTINGS_MODULE="bank.settings")
        self.start()

    def start(self) -> None:
        with self.file.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def is_done(self) -> bool:
        status = self.process.poll()
        assert status in (None, 0, -signal.SIGKILL), self.file.with_suffix(".log").read_text()[-3000:]
        return status == 0

    def kill(self) -> None:
        """Kill the process, and start it again unless it had finished."""
        if not self.is_done:
            os.kill(self.process.pid, signal.SIGKILL)
            if self.process.wait() != 0:
                self.start()


def run(folder: Path, plan: Plan, cluster: Cluster | None, progress: Callable[[str], object] = print) -> Report:
    """Carry out a plan on SQLite, or on a PostgreSQL server that is killed too."""
    data, variables = folder / "data", {**KEYS, "PROJECTION_MODE": plan.mode}
    place: str | Path = data / "bank.sqlite3"
    if cluster is not None:
        variables["DATABASE_URL"] = place = cluster.create_database("bank")
        variables["PROJECTIONS_DATABASE_URL"] = cluster.create_database("bank_projections")
    migrate(data, OPEN.format(accounts=plan.accounts, balance=BALANCE), **variables)
    books = Books(place)
    with _workers(data, variables) as workers:
        killed = _send(data, plan, variables, cluster, workers if plan.mode == "worker" else [], progress)
        _wait_until_ended(books)
    before = books.rows("SELECT COUNT(*) FROM eventstore_event")
    manage(data, "subscriptions", "--set-back", "transfers", "--yes", **variables)
    with _workers(data, variables):
        _wait_until_read(data, variables)
    after = books.rows("SELECT COUNT(*) FROM eventstore_event")
    manage(data, "replay_projections", "--check", **variables)
    sound = "All of it fits together." in manage(data, "verify_events", **variables)
    return Report(judge(books), killed, sound, after[0][0] - before[0][0])


def _send(
    data: Path,
    plan: Plan,
    variables: dict[str, str],
    cluster: Cluster | None,
    workers: list[Program],
    progress: Callable[[str], object],
) -> int:
    """Let all clients send their transfers, and kill. Return the number of kills."""
    chance = random.Random(plan.seed)
    shares = [len(range(number, plan.transfers, plan.processes)) for number in range(plan.processes)]
    clients = [Client(data, number, share, plan, variables) for number, share in enumerate(shares)]
    kills = 0
    while not all(client.is_done for client in clients):
        if kills == plan.kills:
            time.sleep(POLL)
            continue
        time.sleep(chance.uniform(0.5, LONGEST_LIFE))
        kills += 1
        what = chance.choice(["one", "all", "workers", "database"])
        progress(f"kill {kills}: {what}")
        if what == "database" and cluster is not None:
            cluster.kill()
            cluster.start()
        elif what == "workers" and workers:
            for worker in workers:
                worker.kill()
                worker.start()
        else:
            for client in chance.sample(clients, 1) if what == "one" else clients:
                client.kill()
    return kills


@contextmanager
def _workers(data: Path, variables: dict[str, str]) -> Iterator[list[Program]]:
    """Run the two workers, which finish what killed processes have left in either mode."""
    with (
        Program(data, "run_process_managers", **variables) as managers,
        Program(data, "run_projections", **variables) as projections,
    ):
        yield [managers, projections]


def _wait_until_ended(books: Books) -> None:
    deadline = time.monotonic() + PATIENCE
    while judge(books).on_its_way:
        assert time.monotonic() < deadline, f"money is on its way for ever: {judge(books)}"
        time.sleep(POLL)


def _wait_until_read(data: Path, variables: dict[str, str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while "up to date" not in (listed := manage(data, "subscriptions", **variables)):
        assert time.monotonic() < deadline, listed
        time.sleep(POLL)
