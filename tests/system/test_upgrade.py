"""An upgrade beside the open bank: the version before works on while the databases are migrated, and afterwards."""

import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.load import Load
from tests.support.programs import PASSWORD, ROOT, Web, manage, run_version
from tests.system.faults.books import Books

PROGRAM = Path(__file__).parents[1] / "versions" / "program.tar.xz"
"""The version before the first migration that a running bank may meet. See `tests/versions/README.md`."""
LOGIN = ("teller", PASSWORD)
SECONDS = 1.0
"""For how long tellers work before and after each step."""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the version before."""
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(PROGRAM) as archive:
        archive.extractall(folder, filter="data")
    return folder


@contextmanager
def databases(*, on_postgres: bool, folder: Path) -> Iterator[tuple[dict[str, str], str | Path]]:
    """Yield the variables of a new bank's databases, and where its write side is."""
    if not on_postgres:
        yield {}, folder / "data" / "bank.sqlite3"
        return
    postgres.require()
    with postgres.Cluster(settings=postgres.THROW_AWAY) as cluster:
        url = cluster.create_database("bank")
        yield {"DATABASE_URL": url, "PROJECTIONS_DATABASE_URL": cluster.create_database("projections")}, url


@pytest.mark.parametrize("on_postgres", [True], ids=["PostgreSQL"])
def test_no_post_fails_while_a_bank_is_upgraded_and_while_it_goes_back(
    before: Path, tmp_path: Path, on_postgres: bool
) -> None:
    data = tmp_path / "data"
    with databases(on_postgres=on_postgres, folder=tmp_path) as (urls, write_side):
        variables = {"BANK_TELLER_PASSWORD": PASSWORD, "BANK_ADMIN_PASSWORD": PASSWORD, **urls}
        old, new = Web(data, **variables), Web(data, **variables)
        old.root = before
        with old, Load([old.port], LOGIN, clients=4) as load:
            time.sleep(SECONDS)
            for alias in ("default", "projections"):
                manage(data, "migrate", "--database", alias, **variables)
            time.sleep(SECONDS)
            with new:
                for teller in load.tellers[::2]:
                    teller.port = new.port
                time.sleep(SECONDS)
                for teller in load.tellers:
                    teller.port = old.port
                time.sleep(SECONDS)
                assert new.stop() == 0, new.output
        assert {status for task in load.tasks for status in task.statuses} == {303}, old.output + new.output
        assert not any(Books(write_side).judge(load.tasks))
        for root in (before, ROOT):
            done = run_version(root, data, "replay_projections", "--check", **variables)
            assert done.returncode == 0, done.stdout
        done = run_version(ROOT, data, "verify_events", **variables)
        assert done.returncode == 0, done.stdout
        done = run_version(before, data, "verify_events", **variables)
        assert "1 found that do not fit" in done.stdout, done.stdout
        assert "eventstore_commandrecord, " in done.stdout, "it finds the column that the migrations have added"
        assert "causation" in done.stdout
