"""Pages read from a real streaming replica that lags, is paused or is killed."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest

from tests.support import postgres
from tests.support.programs import PASSWORD, PATIENCE, Program, Web
from tests.support.teller import Answer, Teller, logged_in
from tests.system.servers.walk import USERS, once_caught_up, walk

pytestmark = pytest.mark.xdist_group("replicas")  # starts the shared fixture only once

LAG = 1.5
"""The seconds without data after which a replica counts as behind for all users."""


class Bank(NamedTuple):
    """A bank whose pages read from a replica."""

    primary: postgres.Cluster
    replica: postgres.Cluster
    web: Web

    def teller(self) -> Teller:
        """Return a browser without a read-your-writes token."""
        return logged_in(self.web, "teller", PASSWORD)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """The bank, with 30.00 in account 1."""
    postgres.require()
    folder = tmp_path_factory.mktemp("replicas")
    with postgres.Cluster(settings=postgres.THROW_AWAY) as primary:
        variables = {
            **USERS,
            "PROJECTION_MODE": "worker",
            "DATABASE_URL": primary.create_database("bank"),
            "PROJECTIONS_DATABASE_URL": primary.create_database("bank_projections"),
        }
        with primary.replica() as replica:
            variables["PROJECTIONS_REPLICA_URLS"] = replica.url("bank_projections")
            with (
                Web(folder / "data", **variables) as web,
                Program(folder / "data", "run_projections", **variables),
            ):
                walk(web)
                yield Bank(primary, replica, web)


@pytest.fixture
def bank(started: Bank) -> Iterator[Bank]:
    """The bank. Its replica is repaired after the test."""
    wait_until_read(started, started.teller())
    yield started
    if not started.replica.is_running:
        started.replica.start()
    started.replica.psql("SELECT pg_wal_replay_resume()")


def reads(bank: Bank) -> int:
    """Return the number of transactions that the replica's read side has executed."""
    # This query runs in another database, so it is not counted.
    query = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'bank_projections'"
    return int(bank.replica.psql(query)[0][0])


def wait_until_read(bank: Bank, teller: Teller) -> None:
    """Fetch pages until the replica answers one. A lost replica is tried again after some time."""
    before = reads(bank)
    deadline = time.monotonic() + PATIENCE
    while reads(bank) == before:
        assert time.monotonic() < deadline, "the replica is never asked"
        assert teller.get("/accounts/1/").status == 200
        time.sleep(0.1)


def balance_shown(page: Answer) -> str:
    """Return the balance on an account's page, which must not be stale."""
    assert page.status == 200, page.words
    assert "still catching up" not in page.words
    return page.words.partition(" Balance ")[2].split()[0]


def test_pages_read_the_replica_and_show_the_readers_own_writes(bank: Bank) -> None:
    teller = bank.teller()
    wait_until_read(bank, teller)
    receipt = once_caught_up(teller, teller.deposit(1, "1.00"))
    assert "New balance" in receipt.words
    wait_until_read(bank, teller)


def test_own_writes_are_shown_while_the_replica_is_paused(bank: Bank) -> None:
    teller = bank.teller()
    bank.replica.psql("SELECT pg_wal_replay_pause()")
    for _ in range(3):
        before = float(balance_shown(teller.get("/accounts/1/")))
        receipt = once_caught_up(teller, teller.deposit(1, "2.00"))
        assert f"New balance {before + 2:.2f}" in receipt.words
        assert float(balance_shown(teller.get("/accounts/1/"))) == before + 2


def test_a_replica_that_is_behind_is_left_out_for_everybody(bank: Bank) -> None:
    writer, reader = bank.teller(), bank.teller()
    bank.replica.psql("SELECT pg_wal_replay_pause()")
    before = float(balance_shown(reader.get("/accounts/1/")))
    once_caught_up(writer, writer.deposit(1, "4.00"))
    time.sleep(LAG)
    stale = "SELECT balance FROM projections_accountsummary WHERE account_id = 1"
    assert bank.replica.psql(stale, "bank_projections") == [(round(before * 100),)]
    assert float(balance_shown(reader.get("/accounts/1/"))) == before + 4


def test_pages_do_without_a_dead_replica_and_use_it_again_when_it_is_back(bank: Bank) -> None:
    teller = bank.teller()
    bank.replica.kill()
    for path in ("/", "/accounts/", "/accounts/1/", "/days/", "/accounts/open/"):
        assert teller.get(path).status == 200, path
    assert "New balance" in once_caught_up(teller, teller.deposit(1, "8.00")).words
    bank.replica.start()
    wait_until_read(bank, teller)


def test_a_replica_that_is_killed_in_the_middle_of_a_request_gives_no_error_page(bank: Bank) -> None:
    teller = bank.teller()
    expected = balance_shown(teller.get("/accounts/1/"))
    pages: list[Answer] = []
    reading = threading.Thread(target=lambda: pages.append(teller.get("/accounts/1/")))
    with psycopg.connect(bank.primary.url("bank_projections")) as locking:
        # The lock reaches the replica through the WAL, and blocks the page between two of its queries.
        locking.execute("LOCK TABLE projections_statementline IN ACCESS EXCLUSIVE MODE")
        bank.primary.psql("CREATE TABLE IF NOT EXISTS flushed (); DROP TABLE flushed")  # flushes the WAL
        stuck = "SELECT pid FROM pg_locks WHERE relation = 'projections_statementline'::regclass AND NOT granted"
        held = stuck.replace("NOT granted", "granted AND mode = 'AccessExclusiveLock'")
        wait_for(bank.replica, held)
        reading.start()
        wait_for(bank.replica, stuck)
        bank.replica.kill()
    reading.join(PATIENCE)
    [page] = pages
    assert balance_shown(page) == expected


def wait_for(server: postgres.Cluster, question: str) -> None:
    """Wait until a query of the read side returns a row."""
    deadline = time.monotonic() + PATIENCE
    while not server.psql(question, "bank_projections"):
        assert time.monotonic() < deadline, question
        time.sleep(0.05)
