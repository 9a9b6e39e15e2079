"""The databases of a test's bank: two SQLite files, or two databases of a PostgreSQL server.

The databases refuse to delete events, so tables cannot be emptied after a test. Instead a migrated pair is created
once, and copied for each test.
"""

import importlib.util
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresqlWrapper

VARIABLES = {"default": "DATABASE_URL", "projections": "PROJECTIONS_DATABASE_URL"}
FILES = {"default": "bank.sqlite3", "projections": "projections.sqlite3"}
SERVERS = [url for url in os.environ.get("TEST_POSTGRES_URL", "").split(",") if url]
"""A superuser's URLs of PostgreSQL servers for tests only, one for each test process."""
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""The number of this test process."""
SERVER = SERVERS[WORKER] if SERVERS else ""
VENDORS = ["sqlite", "postgresql"] if SERVER else ["sqlite"]


def needs(vendor: str) -> list[pytest.MarkDecorator]:
    """Return the marks of a test on this kind of database."""
    return [pytest.mark.skipif(vendor not in VENDORS, reason="TEST_POSTGRES_URL names no PostgreSQL server")]


type Urls = dict[str, str]
"""The environment variables with the URLs of the two databases."""


class Sqlite:
    """Creates pairs of SQLite files."""

    def empty(self, folder: Path) -> Urls:
        """Return the URLs of two databases that are not migrated yet."""
        return {variable: f"sqlite:///{folder / FILES[alias]}" for alias, variable in VARIABLES.items()}

    def copy(self, template: Urls, folder: Path) -> Urls:
        urls = self.empty(folder)
        for variable in VARIABLES.values():
            shutil.copy(template[variable].removeprefix("sqlite:///"), urls[variable].removeprefix("sqlite:///"))
        return urls

    def drop(self, urls: Urls) -> None:
        """Do nothing: the files are deleted with their folder."""


class Postgresql:
    """Creates pairs of databases on this process's server."""

    def __init__(self) -> None:
        self.run = secrets.token_hex(4)
        self.made = 0

    def empty(self, folder: Path) -> Urls:
        return self._make(dict.fromkeys(VARIABLES.values(), "template1"))

    def copy(self, template: Urls, folder: Path) -> Urls:
        return self._make({variable: name_in(template[variable]) for variable in VARIABLES.values()})

    def drop(self, urls: Urls) -> None:
        for variable in VARIABLES.values():
            server().execute(f'DROP DATABASE "{name_in(urls[variable])}" WITH (FORCE)'.encode())

    def _make(self, templates: Mapping[str, str]) -> Urls:
        self.made += 1
        urls = {}
        for (variable, template), side in zip(templates.items(), ("write", "read"), strict=True):
            name = f"bank_test_{self.run}_{self.made}_{side}"
            # The default strategy also writes each page to the server's write-ahead log.
            server().execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'.encode())
            urls[variable] = f"{SERVER.rpartition('/')[0]}/{name}"
        return urls


def is_sqlite(urls: Urls) -> bool:
    return all(url.startswith("sqlite:") for url in urls.values())


def name_in(url: str) -> str:
    """Return the database name in a server URL."""
    return url.rpartition("/")[2]


@cache
def server() -> psycopg.Connection:
    """Return a connection to the server that lasts as long as the tests."""
    return psycopg.connect(SERVER, autocommit=True)


MAKERS: dict[str, Sqlite | Postgresql] = {"sqlite": Sqlite(), "postgresql": Postgresql()}


@contextmanager
def empty_databases(vendor: str, folder: Path) -> Iterator[Urls]:
    """Create two databases without migrations, and drop them at the end."""
    urls = MAKERS[vendor].empty(folder)
    yield urls
    MAKERS[vendor].drop(urls)


@contextmanager
def migrated_databases(vendor: str, folder: Path) -> Iterator[Urls]:
    """Create two migrated databases without connections, empty except for the groups; drop them at the end."""
    from bank.operations import roles  # importable only once Django is ready

    with empty_databases(vendor, folder) as urls:
        with in_use(urls):
            for alias in VARIABLES:
                call_command("migrate", database=alias, verbosity=0)
            roles.make_groups()
            if vendor == "sqlite":
                for alias in VARIABLES:
                    with connections[alias].cursor() as cursor:
                        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield urls


@contextmanager
def copied_databases(vendor: str, template: Urls, folder: Path, options: Mapping[str, Any] = {}) -> Iterator[Urls]:
    """Copy a pair, use it, and drop it at the end. `options` overrides the connections' OPTIONS."""
    urls = MAKERS[vendor].copy(template, folder)
    try:
        with in_use(urls, options):
            yield urls
    finally:
        MAKERS[vendor].drop(urls)


@contextmanager
def in_use(urls: Urls, options: Mapping[str, Any] = {}) -> Iterator[None]:
    """Use these databases for the connections of all threads."""
    before = connections.settings
    forget_connections()
    settings = connections.configure_settings(settings_of(urls))
    for each in settings.values():
        if "pool" in each["OPTIONS"]:  # parallel tests are slow
            each["OPTIONS"]["pool"] |= {"timeout": 30}
        each["OPTIONS"] |= options
    connections.settings = settings
    try:
        yield
    finally:
        forget_connections()
        connections.settings = before


@contextmanager
def out_of_reach(urls: Urls, alias: str) -> Iterator[None]:
    """Make a database unavailable. A pool gives up sooner than in production."""
    variable = VARIABLES[alias]
    impatient = {"pool": {"min_size": 0, "max_size": 2, "timeout": 0.2}}
    with in_use({**urls, variable: f"{urls[variable]}/gone"}, {} if is_sqlite(urls) else impatient):
        yield


@contextmanager
def read_only(urls: Urls) -> Iterator[None]:
    """Make connections refuse writes, as on a read-only file system or a standby server."""
    if is_sqlite(urls):
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA query_only=ON")
        yield
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA query_only=OFF")
    else:
        with in_use(urls, {"options": "-c default_transaction_read_only=on"}):
            yield


def settings_of(urls: Urls) -> dict[str, dict[str, Any]]:
    """Return DATABASES as the application's settings derive it from these variables."""
    spec = importlib.util.find_spec("bank.settings")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for variable, url in urls.items():
            patch.setenv(variable, url)
        spec.loader.exec_module(module)
    databases: dict[str, dict[str, Any]] = module.DATABASES
    return databases


def forget_connections() -> None:
    """Close this thread's connections, and the pools that all threads share."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        del connections[connection.alias]
    pools = PostgresqlWrapper._connection_pools  # type: ignore[attr-defined]
    while pools:
        pools.popitem()[1].close()


@contextmanager
def stranger(url: str) -> Iterator[Any]:
    """Yield a plain driver connection in autocommit mode: another program."""
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def another_connection(alias: str = "default") -> Iterator[BaseDatabaseWrapper]:
    """Yield a second connection to a database, which sees only committed data."""
    connection = connections.create_connection(alias)
    try:
        yield connection
    finally:
        connection.close()
