"""Real PostgreSQL servers for tests: made in a moment, killed like in a crash, followed by a standby, thrown away.

It knows PostgreSQL's own programs and nothing of the bank.

    uv run python -m tests.support.postgres uv run pytest

runs a command beside throw-away servers, one for each process that tests side by side. The command finds them in the
environment variable TEST_POSTGRES_URL, separated by commas.
"""

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
import pytest

SUPERUSER = "postgres"
"""The role of the database, and the user of the machine that a server runs as where we are root, whom it refuses."""
SERVERS = Path("/usr/lib/postgresql")
"""Where Debian keeps what is not in PATH, a folder per version."""
PATIENCE = 180
"""How long a server may take to start or to stop, in seconds: machines are slow, and a crash means recovery."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "wal_level": "replica",
    "max_wal_senders": "10",
    "wal_keep_size": "512MB",  # a standby that was away finds what it missed
    "hot_standby": "on",
    "fsync": "on",
}
THROW_AWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_keep_size": "0",
    "max_wal_size": "128MB",
    "autovacuum": "off",  # its transactions hold the reading of the log back for a moment
}
"""For a server whose data nobody wants back after a crash."""
MEMORY = Path("/dev/shm")
"""Where such a server lives if there is room: a pair of databases is copied there in 40 ms, on a busy disk in 700."""
ROOM = 2**29
"""How much room it may need, and how much the files of a process that tests, in bytes."""
SIDE_BY_SIDE = min(os.process_cpu_count() or 1, 8) + 2
"""How many processes test at once: two more than there are processors, some of which only wait."""
STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
"""Waits for clients to leave; ends their transactions and writes all down; stops as if the machine had crashed."""


def throw_away_folder() -> str:
    """Return where what nobody wants back is to live: in memory, where no commit waits for a disk, if there is room."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2 * ROOM * SIDE_BY_SIDE
    return str(MEMORY) if roomy else "/tmp"


def find_tool(name: str) -> str | None:
    """Return the path of one of PostgreSQL's programs, the newest version's before what is in PATH, if there is one."""
    versions = [folder for folder in SERVERS.glob("*") if (folder / "bin" / name).exists()]
    if versions:
        return str(max(versions, key=lambda folder: float(folder.name)) / "bin" / name)
    return shutil.which(name)


def tool(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, `pg_dump` for one."""
    path = find_tool(name)
    assert path, f"PostgreSQL's {name} is not on this machine"
    return path


def reason() -> str:
    """Say why no PostgreSQL server can run on this machine; nothing where one can."""
    if missing := [name for name in ("initdb", "postgres", "pg_basebackup") if find_tool(name) is None]:
        return f"there is no PostgreSQL on this machine ({', '.join(missing)})"
    return ""


def require() -> None:
    """Skip the test where no PostgreSQL server can run; in CI, fail."""
    if reason():
        if os.environ.get("CI"):
            pytest.fail(reason())
        pytest.skip(reason())


def free_port() -> int:
    """Return a port that nobody serves on, by chance one of those that no connection outwards is given by itself."""
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


class Cluster:
    """A PostgreSQL server with data of its own, on 127.0.0.1, where everybody is trusted.

    As a context manager it is created unless it is already, started, and thrown away at the end.

    Args:
        folder: where data, log and socket live, which the user `postgres` must be able to reach; a new temporary
            folder when it is not given.
        port: a free one when it is not given.
        settings: what differs from SETTINGS, which a real bank's server has too.
    """

    def __init__(self, folder: Path | None = None, port: int | None = None, settings: Mapping[str, str] = {}) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="bank-postgres-", dir=throw_away_folder()))
        self.folder.mkdir(exist_ok=True)
        self.port = port or free_port()
        self.settings = {**SETTINGS, **settings}
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._as_server = _as_server(self.folder)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Cluster":
        if not self.data.exists():
            self.create()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def create(self) -> None:
        """Make the server's data, empty: a copy of the first that this process has made."""
        subprocess.run(["cp", "-a", str(_empty_data()), str(self.data)], check=True, **self._as_server)

    def start(self) -> None:
        """Start the server, after a crash too, and wait until it answers."""
        assert self._process is None, "it runs already"
        own = {**self.settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [part for name, value in own.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [tool("postgres"), "-D", str(self.data), *options],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, **self._as_server,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, in one of PostgreSQL's three ways: smart, fast or immediate."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(STOP[mode])
        self._process.wait(PATIENCE)
        self._process = None

    def kill(self) -> None:
        """Kill the server and every process of it at once, as a crash does. It can be started again."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGSTOP)  # it makes no more children
        children = [pid for pid, parent in _living().items() if parent == self._process.pid]
        for pid in children:
            _kill(pid)
        self._process.kill()
        self._process.wait(PATIENCE)
        self._process = None
        deadline = time.monotonic() + PATIENCE
        while not _living().keys().isdisjoint(children):
            assert time.monotonic() < deadline, "a process outlives its being killed"
            time.sleep(0.01)
        # They are all gone; by the time it starts again somebody else may have the number in there.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop the server if it runs, and delete all of it."""
        if self._process is not None:
            self.stop("immediate")  # waits for every process of it, and leaves no memory shared, as a kill does
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def replica(self, folder: Path | None = None, port: int | None = None) -> "Cluster":
        """Return a standby that streams from this server, created and not yet started.

        It is asynchronous; `settings` of both may be changed before they start.
        """
        standby = Cluster(folder, port, self.settings)
        standby.run("pg_basebackup", "-D", str(standby.data), "-d", self.url("postgres"), "-R", "-X", "stream",
                    "-c", "fast", "--no-sync")  # fmt: skip
        return standby

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, as DATABASE_URL takes it."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def psql(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute SQL outside of any transaction, on a connection of its own; return the rows of the last statement.

        Raises:
            psycopg.Error
        """
        return execute(self.url(database), sql)

    def create_database(self, name: str) -> str:
        """Make an empty database; return its URL."""
        self.psql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def run(self, name: str, *arguments: str) -> bytes:
        """Run one of PostgreSQL's programs as the server's user; return what it prints.

        Raises:
            subprocess.CalledProcessError
        """
        printed: bytes = subprocess.check_output([tool(name), *arguments], **self._as_server)
        return printed

    def _answers(self) -> bool:
        try:
            self.psql("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def _as_server(folder: Path) -> dict[str, Any]:
    """Give a folder to the server's user; return what lets a subprocess run there as that user."""
    if os.getuid() != 0:
        return {"cwd": folder}
    shutil.chown(folder, SUPERUSER)
    return {"cwd": folder, "user": SUPERUSER, "group": SUPERUSER, "extra_groups": []}


@cache
def _empty_data() -> Path:
    """Return the data of a new server, which takes a second to make, and a tenth of that to copy."""
    folder = Path(tempfile.mkdtemp(prefix="bank-postgres-", dir=throw_away_folder()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [tool("initdb"), "-D", str(folder / "data"), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "-N", "-k",
               "--locale=C.UTF-8"]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_as_server(folder))
    return folder / "data"


def execute(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Execute SQL as `Cluster.psql` does, on any server."""
    with psycopg.connect(url, autocommit=True, connect_timeout=30) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def _living() -> dict[int, int]:
    """Return the parent of every process that has not ended; one that is only waited for has."""
    parents = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in "ZX":
            parents[int(file.parent.name)] = int(parent)
    return parents


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def main(command: Sequence[str]) -> int:
    """Run a command beside throw-away servers; return its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with contextlib.ExitStack() as stack:
        urls = []
        for _ in range(SIDE_BY_SIDE):
            urls.append(stack.enter_context(Cluster(settings=THROW_AWAY)).url())
        return subprocess.run(command, env={**os.environ, "TEST_POSTGRES_URL": ",".join(urls)}).returncode


if __name__ == "__main__":
    sys.exit(reason() or main(sys.argv[1:]))
