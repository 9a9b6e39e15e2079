"""A real PgBouncer in transaction mode in front of a PostgreSQL server, for tests."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.postgres import PATIENCE, SUPERUSER, Cluster, free_port

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
SETTINGS = """
[databases]
* = host=127.0.0.1 port={server} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 8
max_client_conn = 200
"""


def require() -> None:
    """Skip the test if PgBouncer is not installed; fail in CI."""
    if PROGRAM is None:
        reason = "there is no PgBouncer on this machine"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


class PgBouncer:
    """A pooler in front of a server. As a context manager it is started, and stopped at the end."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.port = cluster, free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="bank-pgbouncer-", dir="/tmp"))
        self.log = self.folder / "log"

    def __enter__(self) -> "PgBouncer":
        assert PROGRAM is not None
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(SETTINGS.format(server=self.cluster.port, port=self.port, user=SUPERUSER))
        as_server: dict[str, Any] = {}
        if os.getuid() == 0:  # PgBouncer refuses to run as root
            shutil.chown(self.folder, SUPERUSER)
            shutil.chown(settings, SUPERUSER)
            as_server = {"user": SUPERUSER, "group": SUPERUSER, "extra_groups": []}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([PROGRAM, str(settings)], stdout=log, stderr=log, **as_server)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=30).close()
        except psycopg.OperationalError:
            return False
        return True
