"""Moving a bank to another kind of database with `manage.py copy_bank`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.programs import PASSWORD, Web, manage, run
from tests.servers.walk import USERS, inspect, look_around, rebuild, walk
from tests.teller import logged_in

type Urls = dict[str, str]


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    postgres.require()
    with postgres.Cluster(settings=postgres.THROW_AWAY) as cluster:
        yield cluster


def new_urls(cluster: postgres.Cluster, name: str) -> Urls:
    return {
        "DATABASE_URL": cluster.create_database(name),
        "PROJECTIONS_DATABASE_URL": cluster.create_database(f"{name}_projections"),
    }


def sqlite_urls(folder: Path) -> Urls:
    return {
        "DATABASE_URL": f"sqlite:///{folder}/bank.sqlite3",
        "PROJECTIONS_DATABASE_URL": f"sqlite:///{folder}/projections.sqlite3",
    }


def chain(data: Path, urls: Urls) -> str:
    """Return position and hash of every event."""
    said = "print([(e.position, bytes(e.hash).hex()) for e in Event.objects.order_by('position')])"
    return manage(data, "shell", "--no-imports", "-c", f"from eventstore.models import Event; {said}", **urls)


@pytest.mark.parametrize("back", [False, True], ids=["from SQLite to PostgreSQL", "and back"])
def test_a_bank_moves_with_all_its_positions_and_hashes(cluster: postgres.Cluster, back: bool, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    there, here = new_urls(cluster, f"bank_{back}"), sqlite_urls(data)
    old, new = (there, here) if back else (here, there)
    with Web(data, **old, **USERS) as web:
        walk(web, 1)
        web.stop()
    manage(data, "migrate", **new)
    assert "Copied 5 events" in manage(data, "copy_bank", old["DATABASE_URL"], **new)
    before = chain(data, new)
    assert before == chain(data, old)
    with Web(data, **new) as web:
        look_around(logged_in(web, "teller", PASSWORD), 1)
        walk(web, 2)
        inspect(logged_in(web, "admin", PASSWORD))
        rebuild(web)
    after = chain(data, new)
    assert after.startswith(before.strip().rstrip("]"))
    assert after != before
    assert "All of it fits together" in manage(data, "verify_events", **new)


def test_a_bank_that_has_events_is_not_copied_over(cluster: postgres.Cluster, tmp_path: Path) -> None:
    there, here = new_urls(cluster, "not_empty"), sqlite_urls(tmp_path)
    for urls in (there, here):
        manage(tmp_path, "migrate", **urls)
    make = "from tests.support import open_account; open_account(1)"
    manage(tmp_path, "shell", "--no-imports", "-c", make, **there, PROJECTION_MODE="worker")
    before = chain(tmp_path, there)
    done = run(tmp_path, "copy_bank", here["DATABASE_URL"], **there)
    assert done.returncode == 1
    assert "This bank is not empty. Nothing was copied." in done.stdout
    assert "Traceback" not in done.stdout
    assert chain(tmp_path, there) == before
