"""The bank on every pair of supported databases, selected only by URLs, from empty databases."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.programs import Web, run
from tests.system.servers.walk import USERS, rebuild, walk

type Urls = dict[str, str]


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[postgres.Cluster, postgres.Cluster]]:
    """Two PostgreSQL servers."""
    postgres.require()
    with ExitStack() as started:
        one, other = (started.enter_context(postgres.Cluster(settings=postgres.THROW_AWAY)) for _ in range(2))
        yield one, other


def sqlite_and_sqlite(one: postgres.Cluster, other: postgres.Cluster) -> Urls:
    return {}


def two_databases_of_one_server(one: postgres.Cluster, other: postgres.Cluster) -> Urls:
    return {
        "DATABASE_URL": one.create_database("one_server"),
        "PROJECTIONS_DATABASE_URL": one.create_database("one_server_projections"),
    }


def two_schemas_of_one_database(one: postgres.Cluster, other: postgres.Cluster) -> Urls:
    url = one.create_database("one_database")
    one.psql("CREATE SCHEMA projections", "one_database")
    return {"DATABASE_URL": url, "PROJECTIONS_DATABASE_URL": f"{url}?options=-c search_path=projections"}


def two_servers(one: postgres.Cluster, other: postgres.Cluster) -> Urls:
    return {
        "DATABASE_URL": one.create_database("two_servers"),
        "PROJECTIONS_DATABASE_URL": other.create_database("two_servers_projections"),
    }


def events_on_postgresql_projections_on_sqlite(one: postgres.Cluster, other: postgres.Cluster) -> Urls:
    return {"DATABASE_URL": one.create_database("events_alone")}


def events_on_sqlite_projections_on_postgresql(one: postgres.Cluster, other: postgres.Cluster) -> Urls:
    return {"PROJECTIONS_DATABASE_URL": one.create_database("projections_alone")}


@pytest.mark.parametrize(
    "shape",
    [
        sqlite_and_sqlite,
        two_databases_of_one_server,
        two_schemas_of_one_database,
        two_servers,
        events_on_postgresql_projections_on_sqlite,
        events_on_sqlite_projections_on_postgresql,
    ],
    ids=lambda shape: shape.__name__,
)
def test_the_whole_bank_works_on_these_databases(
    servers: tuple[postgres.Cluster, postgres.Cluster],
    shape: Callable[[postgres.Cluster, postgres.Cluster], Urls],
    tmp_path: Path,
) -> None:
    with Web(tmp_path / "data", **shape(*servers), **USERS) as web:
        walk(web)
        rebuild(web)
        assert web.request("GET", "/readyz")[0] == 200


@pytest.mark.parametrize("url", ["postgresql://bank@127.0.0.1:5432/bank", "sqlite:////tmp/bank.sqlite3"])
def test_one_database_for_both_is_refused_before_anything_is_done(url: str, tmp_path: Path) -> None:
    done = run(tmp_path, "start", DATABASE_URL=url, PROJECTIONS_DATABASE_URL=url)
    assert done.returncode == 1
    assert "name the same database" in done.stdout
    assert "Traceback" not in done.stdout
