"""The bank's programs as separate processes: web processes, workers and `manage.py` commands.

Each gets its settings only from the environment that this module creates.
"""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

from eventstore.private_files import make_folder
from tests.support.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
"""The seconds that a start, a stop or a command may take on a slow machine."""
PASSWORD = "correct horse battery"
"""The password of the first users where a test lets `start` create them."""
MIGRATE = """
from django.core.management import call_command
for alias in ("default", "projections"):
    call_command("migrate", database=alias, verbosity=0)
"""


def environment(data: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a machine with only this data folder and these variables of the bank."""
    ours = (
        "BANK_", "COVERAGE", "DATABASE_URL", "DEBUG", "DJANGO_", "PIN_KEYS", "PROJECTION", "SEAL_KEYS", "SECRET_KEY",
        "TEST_",
    )  # fmt: skip
    others = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**others, "BANK_DATA_DIR": str(data), **variables}


def run(data: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a `manage.py` command to its end. `stdout` contains its errors too."""
    return run_version(ROOT, data, *arguments, **variables)


def run_version(root: Path, data: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a `manage.py` command of the version of the program in this folder; see `run`."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=root,
        env=environment(data, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )


def manage(data: Path, *arguments: str, **variables: str) -> str:
    """Run a `manage.py` command that must succeed, and return its output."""
    done = run(data, *arguments, **variables)
    assert done.returncode == 0, done.stdout
    return done.stdout


def migrate(data: Path, and_then: str = "", **variables: str) -> str:
    """Migrate both databases and execute some code in one process. Return the output."""
    return manage(data, "shell", "--no-imports", "-c", MIGRATE + and_then, **variables)


class Program:
    """A `manage.py` command that runs until it is stopped, with all its child processes.

    As a context manager it is started, and killed at the end if it still runs.

    Args:
        data: the data folder. The output goes into a file beside it.
        arguments: the arguments of `manage.py`.
        variables: the environment variables.
    """

    root = ROOT
    """The folder of the program's version."""

    def __init__(self, data: Path, *arguments: str, **variables: str) -> None:
        self.arguments, self.variables, self.data = arguments, variables, data
        make_folder(data)
        self.log = data.with_name(f"{data.name}-{arguments[0]}-{free_port()}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Program":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.is_running:
            self.kill()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None, "it was never started"
        return self.process.pid

    @property
    def output(self) -> str:
        return self.log.read_text()

    def start(self) -> None:
        """Start the program, for the first time or again."""
        assert not self.is_running, "it runs already"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *self.arguments],
                cwd=self.root,
                env=environment(self.data, **self.variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Send a stop signal, and return the exit status."""
        os.kill(self.pid, signal_number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end, and return the exit status."""
        assert self.process is not None, "it was never started"
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill the program and all its processes at once, as a crash of the machine does."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()


class Web(Program):
    """`manage.py start` on a free port of this machine. A restart uses the same port.

    The first one in this test process collects static files, and the others reuse them.
    """

    collected: Path | None = None

    def __init__(self, data: Path, *arguments: str, **variables: str) -> None:
        self.port = free_port()
        host = arguments[arguments.index("--host") + 1].strip("[]") if "--host" in arguments else "127.0.0.1"
        self.host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        super().__init__(data, "start", "--port", str(self.port), *arguments, **variables)

    def __enter__(self) -> "Web":
        super().__enter__()
        return self

    def start(self) -> None:
        """Start the program, and wait until it answers.

        Raises:
            AssertionError: it ended or does not answer; the message has its output.
        """
        static = self.data / "static"
        if Web.collected and not static.exists():
            static.symlink_to(Web.collected)
        super().start()
        self.wait_until_it_answers()
        Web.collected = Web.collected or copy_of(static)

    @property
    def starts(self) -> int:
        """The number of web processes started in all runs."""
        return len(re.findall(r"Web process \d+ started", self.output))

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.is_running, self.output
            try:
                if self.request("GET", "/healthz")[:2] == (200, "ok\n"):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self.output)

    def request(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
        """Return the status, the page and the cookies of an answer."""
        connection = HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read().decode(), cookies_of(response.headers.get_all("Set-Cookie", []))
        finally:
            connection.close()


def copy_of(folder: Path) -> Path:
    """Return a copy of a folder that is deleted when this process ends."""
    parent = Path(tempfile.mkdtemp(prefix="bank-static-"))
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    return Path(shutil.copytree(folder, parent / folder.name))


def cookies_of(headers: list[str]) -> dict[str, str]:
    """Return the cookies that an answer sets. An empty one deletes the cookie."""
    pairs = [header.partition(";")[0].partition("=") for header in headers]
    return {name: value for name, _, value in pairs}
