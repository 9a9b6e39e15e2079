"""Real PostgreSQL servers for tests: created in a moment, killed as in a crash, replicated to a standby, deleted.

The module uses PostgreSQL's own programs, and knows nothing of the bank.

    uv run python -m tests.support.postgres uv run pytest

runs a command beside temporary servers, one for each test process. The command finds their URLs in the environment
variable TEST_POSTGRES_URL, separated by commas.
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
"""The database role, and the system user that runs the server if we are root, which PostgreSQL refuses."""
SERVERS = Path("/usr/lib/postgresql")
"""Debian's folder of PostgreSQL programs that are not in PATH, with a folder per version."""
PATIENCE = 180
"""The seconds that a server may take to start or stop, including recovery on a slow machine."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "max_prepared_transactions": "5",
    "wal_level": "replica",
    "max_wal_senders": "10",
    "wal_keep_size": "512MB",  # a disconnected standby finds the WAL that it missed
    "hot_standby": "on",
    "fsync": "on",
}
THROW_AWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_keep_size": "0",
    "max_wal_size": "128MB",
    "autovacuum": "off",  # its transactions would briefly hold back readers of the log
}
"""The settings of a server whose data need not survive a crash."""
MEMORY = Path("/dev/shm")
"""The folder of temporary servers, in memory, if it has room."""
ROOM = 2**29
"""The room in bytes that such a server may need, and the files of a test process."""
SIDE_BY_SIDE = min(os.cpu_count() or 1, 8) + 3
"""The number of test processes: three more than processors, because some only wait."""
STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
"""The signal of each shutdown mode: wait for clients, abort their transactions, or stop without a checkpoint."""


def throw_away_folder() -> str:
    """Return the folder for temporary data: in memory if there is room, where no commit waits for a disk."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2 * ROOM * SIDE_BY_SIDE
    return str(MEMORY) if roomy else "/tmp"


def find_tool(name: str) -> str | None:
    """Return the path of a PostgreSQL program, of the newest version before the one in PATH, or None."""
    versions = [folder for folder in SERVERS.glob("*") if (folder / "bin" / name).exists()]
    if versions:
        return str(max(versions, key=lambda folder: float(folder.name)) / "bin" / name)
    return shutil.which(name)


def tool(name: str) -> str:
    """Return the path of a PostgreSQL program, such as `pg_dump`."""
    path = find_tool(name)
    assert path, f"PostgreSQL's {name} is not on this machine"
    return path


def reason() -> str:
    """Return why no PostgreSQL server can run on this machine, or the empty string."""
    if missing := [name for name in ("initdb", "postgres", "pg_basebackup") if find_tool(name) is None]:
        return f"there is no PostgreSQL on this machine ({', '.join(missing)})"
    return ""


def require() -> None:
    """Skip the test if no PostgreSQL server can run; fail in CI."""
    if reason():
        if os.environ.get("CI"):
            pytest.fail(reason())
        pytest.skip(reason())


def free_port() -> int:
    """Return an unused random port outside the range that the system uses for outgoing connections."""
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


class Cluster:
    """A PostgreSQL server with its own data on 127.0.0.1 that trusts everybody.

    As a context manager it is created if necessary, started, and deleted at the end.

    Args:
        folder: the folder of data, log and socket, which the user `postgres` must be able to reach; a new temporary
            folder by default.
        port: a free port by default.
        settings: the differences from SETTINGS, which a real bank's server has too.
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
        """Create the server's empty data as a copy of the first data that this process has created."""
        subprocess.run(["cp", "-a", str(_empty_data()), str(self.data)], check=True, **self._as_server)

    def start(self) -> None:
        """Start the server, also after a crash, and wait until it answers."""
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
        """Stop the server in one of PostgreSQL's three modes: smart, fast or immediate."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(STOP[mode])
        self._process.wait(PATIENCE)
        self._process = None

    def kill(self) -> None:
        """Kill all processes of the server at once, as a crash does. It can be started again."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGSTOP)  # it forks no more children
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
        # All processes have ended, and another process may get the pid in this file before the next start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop the server if it runs, and delete all its files."""
        if self._process is not None:
            self.stop("immediate")  # unlike a kill, waits for all processes and frees shared memory
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def replica(self, folder: Path | None = None, port: int | None = None) -> "Cluster":
        """Return a standby that streams from this server, created and not started.

        It is asynchronous. `settings` of both may be changed before they start.
        """
        standby = Cluster(folder, port, self.settings)
        standby.run("pg_basebackup", "-D", str(standby.data), "-d", self.url("postgres"), "-R", "-X", "stream",
                    "-c", "fast", "--no-sync")  # fmt: skip
        return standby

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database, in the form of DATABASE_URL."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def psql(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute SQL in autocommit mode on its own connection, and return the rows of the last statement.

        Raises:
            psycopg.Error
        """
        return execute(self.url(database), sql)

    def create_database(self, name: str) -> str:
        """Create an empty database, and return its URL."""
        self.psql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def run(self, name: str, *arguments: str) -> bytes:
        """Run a PostgreSQL program as the server's user, and return its output.

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
    """Give a folder to the server's user, and return the subprocess arguments to run as that user."""
    if os.getuid() != 0:
        return {"cwd": folder}
    shutil.chown(folder, SUPERUSER)
    return {"cwd": folder, "user": SUPERUSER, "group": SUPERUSER, "extra_groups": []}


@cache
def _empty_data() -> Path:
    """Return the data of a new server. A copy takes a tenth of the second that initdb takes."""
    folder = Path(tempfile.mkdtemp(prefix="bank-postgres-", dir=throw_away_folder()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [tool("initdb"), "-D", str(folder / "data"), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "-N", "-k",
               "--locale=C.UTF-8"]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_as_server(folder))
    return folder / "data"


def execute(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Execute SQL on any server, as `Cluster.psql` does."""
    with psycopg.connect(url, autocommit=True, connect_timeout=30) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def _living() -> dict[int, int]:
    """Return the parent of every live process. A zombie is not alive."""
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
    """Run a command beside temporary servers, and return its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with contextlib.ExitStack() as stack:
        urls = []
        for _ in range(SIDE_BY_SIDE):
            urls.append(stack.enter_context(Cluster(settings=THROW_AWAY)).url())
        return subprocess.run(command, env={**os.environ, "TEST_POSTGRES_URL": ",".join(urls)}).returncode


if __name__ == "__main__":
    sys.exit(reason() or main(sys.argv[1:]))
