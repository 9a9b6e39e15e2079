"""Fixtures. Each test that names `bank` has two databases of its own, with real commits and threads.

It runs on SQLite and, where the environment variable TEST_POSTGRES_URL names servers, on PostgreSQL as well. As many
processes test side by side as there are servers, or as are good for this machine.
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
        "application/test_state_machine", "application/test_database_away", "operations/test_restore",
        "operations/test_start", "operations/test_processes", "operations/test_server",
    )
)  # fmt: skip
"""The files with tests that take many seconds. They begin first."""


def pytest_configure(config: pytest.Config) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of hundreds of processes compiles Django anew
    # No test pulls the plug of the machine, so what has to reach the disk may as well stay in memory.
    tempfile.tempdir = os.environ["TMPDIR"] = postgres.throw_away_folder()
    config.addinivalue_line("markers", "only_on(vendor, reason): a test about one database, with the reason")
    if os.environ.get("CI") and not databases.SERVER:
        raise pytest.UsageError("CI tests on PostgreSQL too: TEST_POSTGRES_URL has to name servers; see .ci/run")
    if databases.SERVERS and (config.getoption("numprocesses", None) or 1) > len(databases.SERVERS):
        raise pytest.UsageError("each process needs a PostgreSQL server of its own; TEST_POSTGRES_URL names too few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, else all but one process may wait for it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))


def pytest_xdist_auto_num_workers() -> int:
    return len(databases.SERVERS) or postgres.SIDE_BY_SIDE


def pytest_report_header() -> str:
    if databases.SERVER:
        return "databases: SQLite and PostgreSQL"
    return "databases: SQLite; to test on PostgreSQL too: uv run python -m tests.support.postgres uv run pytest"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test that uses a database run on every one, or on the one that it is about."""
    if "vendor" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("only_on")
        assert mark is None or mark.kwargs["reason"], "a test that is about one database says why"
        wanted = databases.VENDORS if mark is None else mark.args
        metafunc.parametrize("vendor", [pytest.param(each, marks=databases.needs(each)) for each in wanted])


@pytest.fixture
def vendor(request: pytest.FixtureRequest) -> str:
    """The kind of database. Test cases of unittest's style take no parameters, so there the class says it."""
    vendor: str = request.cls.vendor
    return vendor


@pytest.fixture(scope="session")
def templates(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Urls]]:
    """Of each kind of database a pair, migrated and empty."""
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            migrated = {
                vendor: stack.enter_context(databases.migrated_databases(vendor, tmp_path_factory.mktemp(vendor)))
                for vendor in databases.VENDORS
            }
        yield migrated


@pytest.fixture
def urls(django_db_blocker: Any, templates: dict[str, Urls], vendor: str, tmp_path: Path) -> Iterator[Urls]:
    """Where an empty bank's two databases are, as environment variables for a process of its own."""
    with django_db_blocker.unblock(), databases.copied_databases(vendor, templates[vendor], tmp_path) as urls:
        yield urls


@pytest.fixture
def empty_urls(vendor: str, tmp_path: Path) -> Iterator[Urls]:
    """Where two databases are that nobody has migrated."""
    (tmp_path / "data").mkdir(mode=0o700)
    with databases.empty_databases(vendor, tmp_path / "data") as urls:
        yield urls


@pytest.fixture
def bank(urls: Urls, tmp_path: Path) -> Path:
    """An empty bank: its data folder, in which SQLite's files are. The process remembers nothing of the one before."""
    from bank.application import account_cache  # when Django is ready

    account_cache._accounts.clear()
    return tmp_path


@pytest.fixture
def db(bank: Path) -> Path:
    """What pytest-django's own fixtures ask for."""
    return bank


@pytest.fixture
def transactional_db(bank: Path) -> Path:
    """What pytest-django's live server asks for."""
    return bank
