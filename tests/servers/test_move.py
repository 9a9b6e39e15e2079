"""Moving a bank to another kind of database with `manage.py copy_bank`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.databases import Urls, stranger
from tests.programs import PASSWORD, Web, manage, run
from tests.servers.walk import USERS, inspect, look_around, rebuild, walk
from tests.support import open_account
from tests.teller import logged_in


@pytest.fixture
def other_urls(vendor: str, tmp_path: Path) -> Iterator[Urls]:
    """Where two databases of the other kind are that nobody has migrated."""
    others = [each for each in databases.VENDORS if each != vendor]
    if not others:
        pytest.skip("TEST_POSTGRES_URL names no PostgreSQL server")
    (tmp_path / "other").mkdir()
    with databases.empty_databases(others[0], tmp_path / "other") as urls:
        yield urls


def chain(urls: Urls) -> list[tuple[int, bytes]]:
    """Return position and hash of every event."""
    with stranger(urls["DATABASE_URL"]) as database:
        found = database.execute("SELECT position, hash FROM eventstore_event ORDER BY position").fetchall()
    return [(position, bytes(digest)) for position, digest in found]


def test_a_bank_moves_with_all_its_positions_and_hashes(urls: Urls, other_urls: Urls, tmp_path: Path) -> None:
    data, old, new = tmp_path / "data", urls, other_urls
    with Web(data, **old, **USERS) as web:
        walk(web, 1)
        web.stop()
    manage(data, "migrate", **new)
    assert "Copied 5 events" in manage(data, "copy_bank", old["DATABASE_URL"], **new)
    before = chain(new)
    assert before == chain(old)
    with Web(data, **new) as web:
        look_around(logged_in(web, "teller", PASSWORD), 1)
        walk(web, 2)
        inspect(logged_in(web, "admin", PASSWORD))
        rebuild(web)
    after = chain(new)
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert "All of it fits together" in manage(data, "verify_events", **new)


@pytest.mark.usefixtures("bank")
def test_a_bank_that_has_events_is_not_copied_over(templates: dict[str, Urls], urls: Urls, tmp_path: Path) -> None:
    open_account(1)
    before = chain(urls)
    (tmp_path / "other").mkdir()
    other = databases.MAKERS["sqlite"].copy(templates["sqlite"], tmp_path / "other")
    done = run(tmp_path, "copy_bank", other["DATABASE_URL"], **urls)
    assert done.returncode == 1
    assert "This bank is not empty. Nothing was copied." in done.stdout
    assert "Traceback" not in done.stdout
    assert chain(urls) == before != []
