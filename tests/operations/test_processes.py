"""The processes of `manage.py start`: how they stop, come back, and end together. Each test has a bank of its own."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.databases import Urls, is_sqlite, stranger
from tests.support.postgres import free_port
from tests.support.programs import PASSWORD, PATIENCE, ROOT, Program, Web, environment
from tests.support.teller import Answer, logged_in

type Start = Callable[..., Web]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as started:
        yield lambda *arguments, **variables: started.enter_context(Web(tmp_path / "data", *arguments, **variables))


@pytest.mark.parametrize("ctrl_c", [False, True], ids=["SIGTERM", "Ctrl-C"])
def test_a_stop_finishes_the_deposit_in_flight(start: Start, urls: Urls, ctrl_c: bool) -> None:
    server = start(**urls, BANK_TELLER_PASSWORD=PASSWORD)
    teller = logged_in(server, "teller", PASSWORD)
    teller.open_account(1)
    teller.get("/accounts/1/deposit/")
    url = urls["DATABASE_URL"]
    before = count(url)
    answers: list[Answer] = []

    with stranger(url) as other:
        if is_sqlite(urls):
            other.execute("BEGIN IMMEDIATE")
        else:
            other.execute("BEGIN")
            other.execute("LOCK TABLE eventstore_event IN EXCLUSIVE MODE")
        deposit = threading.Thread(target=lambda: answers.append(teller.post("/accounts/1/deposit/", amount="12.34")))
        deposit.start()
        time.sleep(0.7)
        if ctrl_c:  # a terminal signals the whole process group
            os.killpg(server.pid, signal.SIGINT)
        else:
            os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.3)  # a request waits two seconds for the lock
        assert server.is_running, "it did not wait for the request"
        assert not answers
        other.execute("ROLLBACK")
    deposit.join(PATIENCE)

    assert server.wait() == 0
    assert [answer.status for answer in answers] == [303]
    assert count(url) == before + 1


STOPS = {"SIGTERM": signal.SIGTERM, "Ctrl-C": signal.SIGINT}


@pytest.mark.only_on("sqlite", reason="no database has a part in it")
def test_a_web_process_gets_ctrl_c_from_its_parent_alone(start: Start, urls: Urls) -> None:
    server = start(**urls)
    [web] = web_processes_of(server)
    os.kill(web, signal.SIGINT)
    time.sleep(1)
    assert web_processes_of(server) == [web], "it was not replaced"
    assert server.request("GET", "/healthz")[0] == 200
    assert server.stop(signal.SIGINT) == 0


@pytest.mark.only_on("sqlite", reason="no database has a part in it")
@pytest.mark.parametrize("number", STOPS.values(), ids=STOPS)
def test_repeated_signals_to_all_processes_end_an_idle_bank_at_once(
    start: Start, urls: Urls, number: signal.Signals
) -> None:
    server = start("--workers", "2", **urls)
    for attempt in range(5):
        if attempt:
            server.start()
        idle = [HTTPConnection("127.0.0.1", server.port) for _ in range(3)]
        for connection in idle:
            connection.connect()
        began = time.monotonic()
        for _ in range(1 + attempt % 3):
            os.killpg(server.pid, number)
            time.sleep(random.uniform(0, 0.01))
        assert server.wait() == 0
        assert time.monotonic() - began < 10
        for connection in idle:
            connection.close()


@pytest.mark.only_on("sqlite", reason="no database has a part in it")
def test_a_signal_during_the_start_ends_it(start: Start, urls: Urls) -> None:
    server = start("--workers", "2", **urls)
    assert server.stop() == 0
    began = time.monotonic()
    server.start()
    took = time.monotonic() - began
    assert server.stop() == 0
    for _ in range(5):
        Program.start(server)
        time.sleep(random.uniform(0, 1.2 * took))
        os.killpg(server.pid, signal.SIGTERM)
        os.killpg(server.pid, signal.SIGTERM)
        assert server.wait() in (0, -signal.SIGTERM)
    assert "Traceback" not in server.output


@pytest.mark.only_on("sqlite", reason="no database has a part in it")
def test_a_killed_process_is_replaced_while_the_others_go_on(start: Start, urls: Urls) -> None:
    server = start("--workers", "2", **urls)
    first, _ = sorted(web_processes_of(server))
    for _ in range(10):
        [victim] = set(web_processes_of(server)) - {first}
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda gone=victim: len(set(web_processes_of(server)) - {gone}) == 2)  # type: ignore[misc]
    assert first in web_processes_of(server)
    for _ in range(10):
        for pid in web_processes_of(server):
            os.kill(pid, signal.SIGKILL)
        time.sleep(random.uniform(0, 0.1))
    server.wait_until_it_answers()
    assert len(web_processes_of(server)) == 2
    assert server.stop() == 0


@pytest.mark.only_on("sqlite", reason="no database has a part in it")
def test_web_processes_do_not_outlive_their_parent(start: Start, urls: Urls) -> None:
    server = start("--workers", "2", **urls)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    wait_until(lambda: is_free(server.port))
    server.start()
    assert server.stop() == 0


@pytest.mark.only_on("sqlite", reason="no database has a part in it")
def test_a_bank_whose_web_process_fails_reports_it_and_ends(tmp_path: Path, urls: Urls) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import waitress.server\n"
        "def fail(*arguments, **options): raise OSError('no room')\n"
        "waitress.server.TcpWSGIServer.__init__ = fail\n"
    )
    variables = environment(tmp_path / "data", **urls, PYTHONPATH=str(broken))
    run = subprocess.run(
        [sys.executable, "manage.py", "start", "--port", str(free_port()), "--workers", "2"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert run.returncode == 1
    assert "OSError: no room" in run.stderr
    assert "CommandError: The bank cannot start" in run.stderr


def test_a_process_that_is_killed_is_replaced_and_repairs_the_read_side(
    start: Start, tmp_path: Path, urls: Urls
) -> None:
    server = start(**urls)
    script = (
        "import django; django.setup()\n"
        "from bank.domain.commands import CreateBankAccount as Create\n"
        "from bank.application.dispatch import handle\n"
        "handle(Create(99, 'Josh', 1234))\n"
    )
    worker = {"PROJECTION_MODE": "worker", "DJANGO_SETTINGS_MODULE": "bank.settings"}
    unprojected = environment(tmp_path / "data", **worker, **urls)

    [web] = web_processes_of(server)
    os.kill(web, signal.SIGKILL)
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=unprojected, check=True, timeout=PATIENCE)
    server.wait_until_it_answers()
    wait_until(lambda: '"lag": 0,' in server.request("GET", "/readyz")[1])
    assert server.stop() == 0


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def web_processes_of(server: Web) -> list[int]:
    """Return the web processes that run."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [int(pid) for pid in children if "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]]


def count(url: str) -> int:
    """Return the number of events."""
    with stranger(url) as database:
        [(number,)] = database.execute("SELECT COUNT(*) FROM eventstore_event").fetchall()
        return int(str(number))
