"""The data of contenders: fresh databases, migrated once and copied, and npm packages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from tests.benchmarks.contenders import Contender
from tests.support import postgres
from tests.support.postgres import Cluster
from tests.support.programs import ROOT, migrate

HERE = Path(__file__).parent
KEYS = {"SECRET_KEY": "a key for benchmarks only", "PIN_KEYS": "a PIN key for benchmarks only"}
DJANGO = {**KEYS, "DJANGO_SETTINGS_MODULE": "bank.settings"}
FILES = {"default": "bank.sqlite3", "projections": "projections.sqlite3"}
NPM = ROOT / "var" / "benchmarks" / "npm"
"""The folder of npm's packages, which later runs reuse. git ignores it."""
HEADERS = Path("/usr/include/node")
"""Debian's headers of Node for builds; without them node-gyp downloads some."""
PACKAGES = {
    "message-db": ["@eventide/message-db@1.3.1"],
    "emmett-sqlite": ["@event-driven-io/emmett@0.38.5", "@event-driven-io/emmett-sqlite@0.38.5", "sqlite3@5.1.7"],
    "emmett-postgresql": ["@event-driven-io/emmett@0.42.0", "@event-driven-io/emmett-postgresql@0.42.0"],
}
"""The npm packages of each contender. emmett's two stores were not published for the same version of it."""


class Absent(Exception):
    """A contender that is absent on this machine. The text gives the reason."""


def modules(package: str, *, install: bool) -> Path:
    """Return the folder of a contender's npm packages. Install them if necessary and allowed.

    Raises:
        Absent: npm, Node or the packages are missing.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Absent(f"{package}: there is no npm or no Node on this machine")
    folder = NPM / package
    done = folder / "installed"
    if not done.exists():
        if not install:
            raise Absent(f"{package}: not installed yet; a full run installs it")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder)]
        result = subprocess.run([*command, *PACKAGES[package]], env=_building(), capture_output=True, text=True)
        if result.returncode:
            raise Absent(f"{package}: npm cannot install it: {result.stderr.strip().splitlines()[-1]}")
        done.touch()
    return folder / "node_modules"


def _building() -> dict[str, str]:
    """Return the environment for npm to build C code without a prebuilt binary."""
    here = {"npm_config_python": sys.executable}  # node-gyp needs setuptools, which this Python has
    if HEADERS.exists():
        here["npm_config_nodedir"] = "/usr"
    return {**os.environ, **here}


class Places:
    """Databases for contenders in one temporary folder. `close` ends and deletes them."""

    def __init__(self, folder: Path, *, install: bool) -> None:
        self.folder = folder
        self.install = install
        self._running = ExitStack()

    def close(self) -> None:
        self._running.close()

    @cached_property
    def _migrated(self) -> Path:
        """A folder with the bank's two SQLite files, empty."""
        folder = self.folder / "migrated"
        folder.mkdir()
        migrate(folder, **KEYS)
        return folder

    def sqlite(self, name: str, program: str = "ours", *, clients: int = 1, **variables: str) -> Contender:
        """Return a contender on the bank's tables in SQLite files of its own."""
        folder = self.folder / name
        folder.mkdir()
        for file in FILES.values():
            shutil.copy(self._migrated / file, folder / file)
        return Contender(program, {**DJANGO, **variables}, folder, clients)

    @cached_property
    def cluster(self) -> Cluster:
        """A PostgreSQL server that syncs, on the disk of the temporary folder.

        Raises:
            Absent
        """
        if postgres.reason():
            raise Absent(postgres.reason())
        folder = self.folder / "postgresql"
        for parent in (self.folder, *self.folder.parents[:-1]):
            parent.chmod(parent.stat().st_mode | 0o011)  # the server's own user needs access
        cluster: Cluster = self._running.enter_context(Cluster(folder))
        variables = {
            "DATABASE_URL": cluster.create_database("template_bank"),
            "PROJECTIONS_DATABASE_URL": cluster.create_database("template_projections"),
        }
        data = self.folder / "migrating"
        data.mkdir()
        migrate(data, **KEYS, **variables)
        return cluster

    def postgresql_variables(self, name: str) -> Mapping[str, str]:
        """Return the environment of a bank on two databases of its own on the server. Its read side need not sync."""
        for side in ("bank", "projections"):
            self.cluster.psql(f'CREATE DATABASE "{name}-{side}" TEMPLATE template_{side}')
        self.cluster.psql(f'ALTER DATABASE "{name}-projections" SET synchronous_commit = off')
        return {
            "DATABASE_URL": self.cluster.url(f"{name}-bank"),
            "PROJECTIONS_DATABASE_URL": self.cluster.url(f"{name}-projections"),
        }

    def postgresql(self, name: str, program: str = "ours", *, clients: int = 1, **variables: str) -> Contender:
        """Return a contender on the bank's tables in PostgreSQL."""
        own = self.postgresql_variables(name)
        folder = self.folder / f"{name}-postgresql"
        folder.mkdir()
        return Contender(program, {**DJANGO, **own, **variables}, folder, clients)

    # The peers

    def eventsourcing_sqlite(self, mode: str) -> Contender:
        file = self.folder / f"eventsourcing-{mode}.sqlite3"
        variables = {"BENCH_MODE": mode, "PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(file)}
        return Contender("eventsourcing_bank", variables, self.folder)

    def eventsourcing_postgresql(self, name: str, mode: str, clients: int = 1) -> Contender:
        self.cluster.create_database(name)
        variables = {
            "BENCH_MODE": mode,
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": name,
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(self.cluster.port),
            "POSTGRES_USER": postgres.SUPERUSER,
            "POSTGRES_PASSWORD": "trusted",
        }
        return Contender("eventsourcing_bank", variables, self.folder, clients)

    def message_db(self, name: str, clients: int = 1) -> Contender:
        """Return message-db in its own database, which its own script sets up."""
        script = modules("message-db", install=self.install) / "@eventide" / "message-db" / "database" / "install.sh"
        own = {
            "DATABASE_NAME": name, "PGHOST": "127.0.0.1", "PGPORT": str(self.cluster.port),
            "PGUSER": postgres.SUPERUSER, "PATH": f"{Path(postgres.tool('psql')).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        result = subprocess.run(["bash", str(script)], env={**os.environ, **own}, capture_output=True, text=True)
        if result.returncode:
            raise Absent(f"message-db: its script fails: {result.stderr.strip()}")
        return Contender("message_db", {"BENCH_URL": self.cluster.url(name)}, self.folder, clients)

    def emmett_sqlite(self) -> Contender:
        found = self._emmett_modules("emmett-sqlite")
        return self._emmett(found, "EMMETT_SQLITE", str(self.folder / "emmett.sqlite3"), 1)

    def emmett_postgresql(self, name: str, clients: int = 1) -> Contender:
        found = self._emmett_modules("emmett-postgresql")
        return self._emmett(found, "EMMETT_POSTGRESQL", self.cluster.create_database(name), clients)

    def _emmett_modules(self, package: str) -> Path:
        if not self.install:
            raise Absent("emmett: left out of the quick form, in which it would take most of the time")
        return modules(package, install=True)

    def _emmett(self, found: Path, variable: str, database: str, clients: int) -> Contender:
        command = ["node", str(HERE / "programs" / "emmett.mjs")]
        return Contender(command, {"EMMETT_MODULES": str(found), variable: database}, self.folder, clients)
