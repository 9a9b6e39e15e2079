"""The bank's programs as processes of their own: web processes, workers, and `manage.py`'s commands.

Each gets its settings from nothing but the environment that is made for it here.
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
"""How long a start, a stop or a command may take, in seconds: machines are slow."""
PASSWORD = "correct horse battery"
"""Of the first users, where a test lets `start` make them."""
MIGRATE = """
from django.core.management import call_command
for alias in ("default", "projections"):
    call_command("migrate", database=alias, verbosity=0)
"""


def environment(data: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a machine that knows nothing of the bank but its data folder and these variables."""
    ours = (
        "BANK_", "COVERAGE", "DATABASE_URL", "DEBUG", "DJANGO_", "PIN_KEYS", "PROJECTION", "SEAL_KEYS", "SECRET_KEY",
        "TEST_",
    )  # fmt: skip
    others = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**others, "BANK_DATA_DIR": str(data), **variables}


def run(data: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `manage.py` to its end; what it prints is in `stdout`, errors among it."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(data, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )


def manage(data: Path, *arguments: str, **variables: str) -> str:
    """Run a command of `manage.py` that must succeed; return what it prints."""
    done = run(data, *arguments, **variables)
    assert done.returncode == 0, done.stdout
    return done.stdout


def migrate(data: Path, and_then: str = "", **variables: str) -> str:
    """Migrate both databases and execute some code, all in one process; return what it prints."""
    return manage(data, "shell", "--no-imports", "-c", MIGRATE + and_then, **variables)


class Program:
    """A command of `manage.py` that runs until it is stopped, with all the processes that it starts.

    As a context manager it is started, and killed at the end if it still runs.

    Args:
        data: the data folder; what it prints goes into a file beside it.
        arguments: of `manage.py`.
        variables: of the environment.
    """

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
        """Start it, again too."""
        assert not self.is_running, "it runs already"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *self.arguments],
                cwd=ROOT,
                env=environment(self.data, **self.variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Ask it to stop; return its exit status."""
        os.kill(self.pid, signal_number)
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended; return its exit status."""
        assert self.process is not None, "it was never started"
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill it and all its processes at once, as a crash of the machine does."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()


class Web(Program):
    """`manage.py start` on a free port of this machine, which it keeps when it is started again.

    The first that this process starts collects static files, and all others find those there already.
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
        """Start it, and wait until it answers.

        Raises:
            AssertionError: it ended, or does not answer; with what it said.
        """
        static = self.data / "static"
        if Web.collected and not static.exists():
            static.symlink_to(Web.collected)
        super().start()
        self.wait_until_it_answers()
        Web.collected = Web.collected or kept(static)

    @property
    def starts(self) -> int:
        """How many web processes it has started, in all its runs."""
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


def kept(folder: Path) -> Path:
    """Return a copy of a folder that is there until this process ends."""
    parent = Path(tempfile.mkdtemp(prefix="bank-static-"))
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    return Path(shutil.copytree(folder, parent / folder.name))


def cookies_of(headers: list[str]) -> dict[str, str]:
    """Return the cookies that an answer sets; an empty one is to be forgotten."""
    pairs = [header.partition(";")[0].partition("=") for header in headers]
    return {name: value for name, _, value in pairs}
