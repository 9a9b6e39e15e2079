"""Fixtures. Each test that names `bank` has two databases of its own, with real commits and threads.

It runs on SQLite, and on PostgreSQL too if the environment variable TEST_POSTGRES_URL names servers and the code under
test depends on the kind of database. There are as many test processes as servers, or as suit this machine.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import databases, postgres
from tests.support.clocks import stopped_clock as stopped_clock
from tests.support.databases import Urls

SLOW = tuple(
    f"tests/{name}"
    for name in (
        "system/", "eventstore/test_tampering", "eventstore/test_peer_recorder", "eventstore/test_wal",
        "projections/test_projector_killed", "projections/test_replay_beside", "application/test_concurrency",
        "application/test_state_machine", "application/test_process_managers_killed", "application/test_database_away",
        "operations/test_restore", "operations/test_start", "operations/test_processes", "operations/test_server",
    )
)  # fmt: skip
"""The files with tests that take many seconds. They run first."""

ON_SQLITE = tuple(
    f"tests/{name}"
    for name in (
        "access/", "screens/", "application/test_account_cache", "application/test_clocks", "application/test_closing",
        "application/test_corrections", "application/test_old_log", "application/test_pin_lock",
        "application/test_pins", "application/test_tills.py", "eventstore/test_admin.py",
        "eventstore/test_causation_verified", "eventstore/test_chain", "eventstore/test_corrections_verified",
        "eventstore/test_decisions_verified", "eventstore/test_display", "eventstore/test_export",
        "eventstore/test_forged_snapshots", "eventstore/test_refusals", "operations/",
        "projections/test_kinds", "projections/test_name_search", "projections/test_parked_verified",
        "projections/test_pin_lock", "projections/test_projector_fails", "projections/test_quarantine",
        "projections/test_tills", "projections/test_time_zone", "system/browser/", "system/fuzz/",
    )
)  # fmt: skip
"""The tests of code that does not know the kind of database. They run on SQLite alone, except for those below."""
ON_BOTH = tuple(
    f"tests/{name}"
    for name in (
        "access/test_sessions", "access/test_throttle", "operations/test_backup", "operations/test_health",
        "operations/test_migrations", "operations/test_processes", "operations/test_record_schema",
        "operations/test_restore", "operations/test_start", "screens/test_page_cost",
        "screens/test_screens", "screens/test_unavailable",
    )
)  # fmt: skip
"""The tests among these whose queries, texts, failures or locks depend on it."""


def pytest_configure(config: pytest.Config) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise each of hundreds of processes compiles Django again
    # No test cuts the machine's power, so the temporary files may stay in memory.
    tempfile.tempdir = os.environ["TMPDIR"] = postgres.throw_away_folder()
    config.addinivalue_line("markers", "only_on(vendor, reason): a test about one database, with the reason")
    if os.environ.get("CI") and not databases.SERVER:
        raise pytest.UsageError("CI tests on PostgreSQL too: TEST_POSTGRES_URL has to name servers; see .ci/run")
    if databases.SERVERS and (config.getoption("numprocesses", None) or 1) > len(databases.SERVERS):
        raise pytest.UsageError("each process needs a PostgreSQL server of its own; TEST_POSTGRES_URL names too few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no process waits for one at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))


def pytest_xdist_auto_num_workers() -> int:
    return len(databases.SERVERS) or postgres.SIDE_BY_SIDE


def pytest_report_header() -> str:
    if databases.SERVER:
        return "databases: SQLite and PostgreSQL"
    return "databases: SQLite; to test on PostgreSQL too: uv run python -m tests.support.postgres uv run pytest"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses a database on every kind, on the one of its mark, or on SQLite alone."""
    if "vendor" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("only_on")
        assert mark is None or mark.kwargs["reason"], "a test that is about one database says why"
        file = metafunc.definition.nodeid
        is_alone = file.startswith(ON_SQLITE) and not file.startswith(ON_BOTH)
        wanted = mark.args if mark else databases.VENDORS[:1] if is_alone else databases.VENDORS
        metafunc.parametrize("vendor", [pytest.param(each, marks=databases.needs(each)) for each in wanted])


@pytest.fixture
def vendor(request: pytest.FixtureRequest) -> str:
    """The kind of database. unittest's test cases take no parameters, so there the class names it."""
    vendor: str = request.cls.vendor
    return vendor


@pytest.fixture(scope="session")
def templates(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Urls]]:
    """A migrated and empty pair of databases of each kind."""
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            migrated = {
                vendor: stack.enter_context(databases.migrated_databases(vendor, tmp_path_factory.mktemp(vendor)))
                for vendor in databases.VENDORS
            }
        yield migrated


@pytest.fixture
def urls(django_db_blocker: Any, templates: dict[str, Urls], vendor: str, tmp_path: Path) -> Iterator[Urls]:
    """The URLs of an empty bank's two databases, as environment variables for a separate process."""
    with django_db_blocker.unblock(), databases.copied_databases(vendor, templates[vendor], tmp_path) as urls:
        yield urls


@pytest.fixture
def empty_urls(vendor: str, tmp_path: Path) -> Iterator[Urls]:
    """The URLs of two databases without migrations."""
    (tmp_path / "data").mkdir(mode=0o700)
    with databases.empty_databases(vendor, tmp_path / "data") as urls:
        yield urls


@pytest.fixture
def bank(urls: Urls, tmp_path: Path) -> Path:
    """An empty bank: its data folder, with SQLite's files. The caches of this process are empty."""
    from bank.application import account_cache  # importable only once Django is ready

    account_cache._loaded.clear()
    return tmp_path


@pytest.fixture
def db(bank: Path) -> Path:
    """Required by pytest-django's own fixtures."""
    return bank


@pytest.fixture
def transactional_db(bank: Path) -> Path:
    """Required by pytest-django's live server."""
    return bank
