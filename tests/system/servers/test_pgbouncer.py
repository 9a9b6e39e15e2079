"""The whole bank through PgBouncer in transaction mode, where transactions may use different connections."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.databases import stranger
from tests.support.programs import PASSWORD, Program, Web, manage
from tests.support.servers import cluster as cluster
from tests.support.teller import logged_in
from tests.system.servers import pgbouncer
from tests.system.servers.walk import USERS, once_caught_up, rebuild, walk


@pytest.fixture
def urls(cluster: postgres.Cluster) -> Iterator[dict[str, str]]:
    """Two databases behind a pooler."""
    pgbouncer.require()
    with pgbouncer.PgBouncer(cluster) as pooler:
        cluster.create_database("bank")
        cluster.create_database("bank_projections")
        yield {"DATABASE_URL": pooler.url("bank"), "PROJECTIONS_DATABASE_URL": pooler.url("bank_projections")}


def test_every_task_page_and_replay_works_behind_the_pooler(urls: dict[str, str], tmp_path: Path) -> None:
    with Web(tmp_path / "data", **urls, **USERS) as web:
        walk(web)
        rebuild(web)
        assert web.request("GET", "/readyz")[0] == 200


def test_workers_that_poll_keep_the_figures_caught_up_behind_the_pooler(urls: dict[str, str], tmp_path: Path) -> None:
    variables = {**urls, **USERS, "PROJECTION_MODE": "worker"}
    polling = ("run_projections", "--interval", "0.1")
    with (
        Web(tmp_path / "data", **variables) as web,
        Program(tmp_path / "one", *polling, **variables) as one,
        Program(tmp_path / "two", "run_projections", **variables) as two,  # detects that no notifications arrive
    ):
        walk(web)
        for worker in (one, two):  # the standby takes over
            teller = logged_in(web, "teller", PASSWORD)
            worker.kill()
            receipt = once_caught_up(teller, teller.deposit(1, "1.00"))
            assert "New balance" in receipt.words
            worker.start()
        output = manage(web.data, "replay_projections", "--check", **variables)
        assert "No difference" in output


def test_a_command_behind_the_pooler_limits_its_waits_and_leaves_no_setting_behind(
    urls: dict[str, str], tmp_path: Path, cluster: postgres.Cluster
) -> None:
    with Web(tmp_path / "data", **urls, **USERS) as web, stranger(cluster.url("bank")) as other:
        walk(web)
        teller = logged_in(web, "teller", PASSWORD)
        other.execute("BEGIN")
        other.execute("LOCK TABLE eventstore_event IN EXCLUSIVE MODE")
        answer = teller.fill_in("/accounts/1/deposit/", amount="1.00")
        assert answer.status == 503
        assert "Nothing has happened" in answer.words
        other.execute("ROLLBACK")
        assert "New balance" in teller.deposit(1, "1.00").words
        for url in urls.values():
            with stranger(url) as behind:
                assert behind.execute("SHOW lock_timeout").fetchone() == ("0",)
                assert behind.execute("SELECT COUNT(*) FROM pg_prepared_statements").fetchone() == (0,)
