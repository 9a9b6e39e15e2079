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
from tests.support.teller import logged_in
from tests.system.faults.books import Books

PROGRAM = Path(__file__).parents[1] / "versions" / "program.tar.xz"
"""The version before process managers, transfers and tills. See `tests/versions/README.md`."""
LOGIN = ("teller", PASSWORD)
OTHER_LOGIN = ("admin", PASSWORD)
"""Of the user who does what is new: the till of a user is that of all the user's sessions."""
NEW = 901, 902
"""Accounts with events that the version before does not know."""
NEW_COMMANDS = 10
"""The commands of `do_what_is_new` with those that follow from them."""
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
                do_what_is_new(new)
                time.sleep(SECONDS)
                for teller in load.tellers:
                    teller.port = old.port
                time.sleep(SECONDS)
                assert new.stop() == 0, new.output
            meet_what_is_new(old)
        assert {status for task in load.tasks for status in task.statuses} == {303}, old.output + new.output
        assert Books(write_side).judge(load.tasks) == (0, 0, NEW_COMMANDS, 0, 0)
        for how in ("--resume", "--check"):
            done = run_version(ROOT, data, "replay_projections", how, **variables)
            assert (done.returncode, "without" in done.stdout) == (0, False), done.stdout
        done = run_version(ROOT, data, "verify_events", **variables)
        assert done.returncode == 0, done.stdout
        done = run_version(before, data, "verify_events", **variables)
        assert "4 found that do not fit" in done.stdout, done.stdout
        assert done.stdout.count("it names another actor or command") == 3, "each event of a process manager"
        assert "eventstore_commandrecord, " in done.stdout, "it finds the column that the migrations have added"
        assert "causation" in done.stdout


def do_what_is_new(web: Web) -> None:
    """Send a transfer, and take a deposit through a till: rows and events that the version before does not know."""
    teller = logged_in(web, *OTHER_LOGIN)
    for account_id in NEW:
        teller.open_account(account_id)
    teller.deposit(NEW[0], "50.00")
    teller.transfer(NEW[0], NEW[1], "20.00")
    assert teller.fill_in("/tills/open/", till_id=7, amount="100.00").status == 303
    teller.deposit(NEW[1], "5.00")
    assert teller.fill_in("/tills/7/1/close/", pieces_10000="1", pieces_500="1").status == 303


def meet_what_is_new(web: Web) -> None:
    """Look at the accounts of the transfer with the version before, and try to pay into one of them."""
    teller = logged_in(web, *OTHER_LOGIN)
    for account_id in NEW:
        page = teller.get(f"/accounts/{account_id}/")
        assert page.status == 200, page.words
        assert "Deposit" in page.words
        answer = teller.fill_in(f"/accounts/{account_id}/deposit/", amount="1.00")
        assert answer.status == 503, answer.words
        assert "Nothing was changed" in answer.words
