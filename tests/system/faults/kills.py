"""Kills of the bank's web server, its database or its connections while tellers work, and checks of the record."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.support.load import Load
from tests.support.postgres import Cluster
from tests.support.programs import PASSWORD, Web, run
from tests.system.faults.books import Books, Verdict
from tests.system.faults.proxy import Proxy

LOGIN = ("teller", PASSWORD)
LONGEST_LIFE = 1.0
"""The largest number of seconds from the first acknowledgement after a kill to the next kill."""
PATIENCE = 240
"""The seconds within which a teller must be acknowledged after a kill."""


class Report(NamedTuple):
    """The figures of a run."""

    kills: int
    commands: int
    """All that were sent; each was acknowledged in the end."""
    in_flight: int
    """Commands that were sent and not acknowledged when the kill came."""
    recorded: int
    """The number of these that were recorded nevertheless, so that only their command ids prevented a duplicate."""
    error_pages: int
    """Answers to tasks that were neither a receipt, nor the page that says the bank cannot answer (503)."""
    verdict: Verdict
    check: int
    """The exit status of `replay_projections --check`."""
    integrity: str
    """The result of SQLite's integrity check: ok."""
    starts: int
    """The number of starts of serving processes."""

    @property
    def is_good(self) -> bool:
        return not any(self.verdict) and not self.check and not self.error_pages and self.integrity == "ok"


class Bank:
    """A separate bank on SQLite, or on its own PostgreSQL server behind a proxy."""

    def __init__(self, folder: Path, cluster: Cluster | None = None, line: Proxy | None = None) -> None:
        self.cluster, self.line, self.data = cluster, line, folder / "data"
        self.variables = {"BANK_TELLER_PASSWORD": PASSWORD, "BANK_ADMIN_PASSWORD": PASSWORD}
        log_position: str | Path = self.data / "bank.sqlite3"
        if cluster is not None and line is not None:
            log_position = cluster.create_database("bank")
            urls = {
                "DATABASE_URL": log_position,
                "PROJECTIONS_DATABASE_URL": cluster.create_database("bank_projections"),
            }
            for variable, url in urls.items():
                self.variables[variable] = url.replace(f":{cluster.port}/", f":{line.port}/")
        self.books = Books(log_position)
        self.web = Web(self.data, **self.variables)

    def integrity(self) -> str:
        if self.cluster is not None:
            return "ok"
        return str(self.books.rows("PRAGMA integrity_check")[0][0])


@contextmanager
def opened(folder: Path, *, on_postgres: bool) -> Iterator[Bank]:
    """Start a bank, and stop all of it at the end."""
    if not on_postgres:
        bank = Bank(folder)
        with bank.web:
            yield bank
        return
    with Cluster() as cluster, Proxy(cluster.port) as line:
        bank = Bank(folder, cluster, line)
        with bank.web:
            yield bank


def kill_server(bank: Bank) -> None:
    """Kill every process of the web server at once, and start it again."""
    bank.web.kill()
    bank.web.start()


def kill_database(bank: Bank) -> None:
    """Kill every process of PostgreSQL at once, and start it again. The web server stays up."""
    assert bank.cluster is not None
    bank.cluster.kill()
    bank.cluster.start()


def end_sessions(bank: Bank) -> None:
    """Terminate every PostgreSQL session of the bank."""
    assert bank.cluster is not None
    bank.cluster.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'bank%'")


def cut_line(bank: Bank) -> None:
    """Reset every connection between the bank and PostgreSQL. Data in flight is lost on both sides."""
    assert bank.line is not None
    bank.line.cut()


FAULTS = {"server": kill_server, "database": kill_database, "sessions": end_sessions, "line": cut_line}
"""The faults by name. In all but the first, the web server stays up."""


def run_kills(
    bank: Bank,
    kill: Callable[[Bank], None],
    kills: int,
    *,
    clients: int = 8,
    seed: int = 1,
    progress: Callable[[int], object] = lambda done: None,
) -> Report:
    """Let tellers work, kill at random moments, and compare the record with the tellers' answers."""
    chance = random.Random(seed)
    in_flight = []
    with Load([bank.web.port], LOGIN, clients=clients, seed=seed) as load:
        for number in range(kills):
            _wait_for_an_acknowledgement(load)
            time.sleep(chance.uniform(0, LONGEST_LIFE))
            waiting = [task.command_id for task in load.tasks if task.seconds is None]
            killed_at = datetime.now(UTC)
            kill(bank)
            in_flight += [(command_id, killed_at) for command_id in waiting]
            progress(number + 1)
    assert bank.web.stop() == 0, bank.web.output
    recorded_at = {event.command_id: event.at for event in bank.books.events()}
    statuses = [status for task in load.tasks for status in task.statuses]
    return Report(
        kills=kills,
        commands=len(load.tasks),
        in_flight=len(in_flight),
        recorded=sum(recorded_at[command_id] <= killed_at for command_id, killed_at in in_flight),
        error_pages=sum(status not in (303, 503) for status in statuses),
        verdict=bank.books.judge(load.tasks),
        check=run(bank.data, "replay_projections", "--check", **bank.variables).returncode,
        integrity=bank.integrity(),
        starts=bank.web.starts,
    )


def _wait_for_an_acknowledgement(load: Load) -> None:
    before = len(load.acknowledged)
    deadline = time.monotonic() + PATIENCE
    while len(load.acknowledged) == before:
        assert time.monotonic() < deadline, "nobody is acknowledged any more"
        if load.failures:
            raise load.failures[0]
        time.sleep(0.01)
