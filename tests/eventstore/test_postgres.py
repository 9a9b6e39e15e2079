"""The PostgreSQL servers of other tests: commits survive a crash, and a standby follows."""

import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.support import postgres


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    postgres.require()
    with postgres.Cluster() as cluster:
        yield cluster


def test_a_server_that_is_killed_starts_again_with_all_that_was_committed(cluster: postgres.Cluster) -> None:
    cluster.psql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
    with psycopg.connect(cluster.url()) as open_transaction:
        open_transaction.execute("INSERT INTO kept VALUES (2)")
        cluster.kill()
        with pytest.raises(psycopg.OperationalError):
            open_transaction.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        cluster.psql("SELECT 1")
    cluster.start()
    assert cluster.psql("SELECT n FROM kept") == [(1,)]


def test_a_standby_follows_and_refuses_to_write(cluster: postgres.Cluster) -> None:
    cluster.create_database("bank")
    with cluster.replica() as standby:
        cluster.psql("CREATE TABLE seen (n int)", "bank")
        for _ in range(600):
            if standby.psql("SELECT to_regclass('seen') IS NOT NULL", "bank") == [(True,)]:
                break
            time.sleep(0.1)
        assert standby.psql("SELECT * FROM seen", "bank") == []
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            standby.psql("INSERT INTO seen VALUES (1)", "bank")


def test_a_command_finds_its_servers_and_no_trace_is_left() -> None:
    postgres.require()
    program = """if True:
        import os, psycopg
        for url in os.environ["TEST_POSTGRES_URL"].split(","):
            with psycopg.connect(url) as connection:
                connection.execute("SELECT 1")
            print(url)
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.postgres", sys.executable, "-c", program], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    urls = done.stdout.split()
    assert len(urls) == postgres.SIDE_BY_SIDE
    for url in urls:
        with pytest.raises(psycopg.OperationalError):
            postgres.execute(url, "SELECT 1")
