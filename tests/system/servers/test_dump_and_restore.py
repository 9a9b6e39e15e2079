"""Dump and restore of a bank to a server whose transaction ids start again, or are already higher."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import postgres
from tests.support.programs import PASSWORD, Web
from tests.support.teller import logged_in
from tests.system.servers.walk import USERS, look_around, rebuild, walk

pytestmark = pytest.mark.xdist_group("dump_and_restore")  # starts the shared fixture only once

BURNT = 20_000
"""The number of transaction ids that a server is ahead of a new one."""
IN_ORDER = "SELECT position, transaction_id FROM eventstore_event ORDER BY transaction_id, position"
CHECKPOINTS = "SELECT DISTINCT transaction_id, position FROM projections_checkpoint"
EPOCHS = "SELECT COUNT(*) FROM eventstore_epoch"


class Old(NamedTuple):
    """A bank with 30.00 in account 1, and its dumps."""

    server: postgres.Cluster
    data: Path
    events: Path
    projections: Path


@contextmanager
def server(*, burnt: int = 0) -> Iterator[postgres.Cluster]:
    """Run a new server that has used this many transaction ids."""
    with postgres.Cluster(settings=postgres.THROW_AWAY) as cluster:
        for name in ("bank", "bank_projections"):
            cluster.create_database(name)
        if burnt:
            cluster.psql(f"DO $$ BEGIN FOR i IN 1..{burnt} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
        yield cluster


def dump(cluster: postgres.Cluster, database: str) -> Path:
    file = cluster.folder / f"{database}.dump"
    cluster.run("pg_dump", "--format=custom", "--no-owner", f"--file={file}", cluster.url(database))
    return file


def restore(file: Path, cluster: postgres.Cluster, database: str) -> None:
    cluster.run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={cluster.url(database)}", str(file))


def urls(events: postgres.Cluster, projections: postgres.Cluster, name: str = "bank_projections") -> dict[str, str]:
    return {**USERS, "DATABASE_URL": events.url("bank"), "PROJECTIONS_DATABASE_URL": projections.url(name)}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    postgres.require()
    data = tmp_path_factory.mktemp("old") / "data"
    with server(burnt=BURNT) as cluster:
        with Web(data, **urls(cluster, cluster)) as web:
            walk(web, 1)
            web.stop()
        yield Old(cluster, data, dump(cluster, "bank"), dump(cluster, "bank_projections"))


@pytest.mark.parametrize(
    ("burnt", "epochs", "read_side"),
    [
        pytest.param(0, 1, "going on", id="ids start over, read side going on"),
        pytest.param(2 * BURNT, 0, "restored", id="ids are higher, read side restored"),
    ],
)
def test_a_restored_bank_goes_on_where_it_was(old: Old, burnt: int, epochs: int, read_side: str) -> None:
    with ExitStack() as running:
        new = running.enter_context(server(burnt=burnt))
        restore(old.events, new, "bank")
        variables = urls(new, new)
        if read_side == "restored":
            restore(old.projections, new, "bank_projections")
        elif read_side == "going on":
            name = f"going_on_{burnt}"
            old.server.psql(f"CREATE DATABASE {name} TEMPLATE bank_projections")
            variables = urls(new, old.server, name)
        goes_on(old.data, new, variables, account_id=2)
        assert new.psql(EPOCHS, "bank") == [(epochs,)]


def test_a_bank_can_be_restored_again_and_again_without_its_read_side(old: Old) -> None:
    file, account_id = old.events, 2
    with ExitStack() as running:
        for epochs in (1, 2):
            new = running.enter_context(server())
            restore(file, new, "bank")
            goes_on(old.data, new, urls(new, new), account_id)
            assert new.psql(EPOCHS, "bank") == [(epochs,)]
            file, account_id = dump(new, "bank"), account_id + 1


def goes_on(data: Path, new: postgres.Cluster, variables: dict[str, str], account_id: int) -> None:
    """Serve a restored bank, do every task in it, and check the order of its events."""
    with Web(data, **variables) as web:
        look_around(logged_in(web, "teller", PASSWORD), 1)
        walk(web, account_id)
        output = rebuild(web)
        assert web.request("GET", "/readyz")[0] == 200
    events = new.psql(IN_ORDER, "bank")
    assert [position for position, _ in events] == list(range(1, len(events) + 1))
    last_position, last_transaction = events[-1]
    assert postgres.execute(variables["PROJECTIONS_DATABASE_URL"], CHECKPOINTS) == [(last_transaction, last_position)]
    assert f"from {len(events)} events" in output
