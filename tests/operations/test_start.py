"""`manage.py start` as a process, with a data folder and a port for each test."""

import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from django.core.management.base import CommandError

from bank.management.commands.start import bind, listen
from tests.support.databases import Urls, stranger
from tests.support.postgres import free_port
from tests.support.programs import PASSWORD, PATIENCE, ROOT, Web, environment
from tests.support.teller import logged_in

type Start = Callable[..., Web]


def command(port: int, *arguments: str) -> list[str]:
    return [sys.executable, "manage.py", "start", "--port", str(port), *arguments]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as started:

        def start(*arguments: str, **variables: str) -> Web:
            return started.enter_context(Web(tmp_path / "data", *arguments, **variables))

        yield start


def rows(url: str, sql: str) -> list[Sequence[object]]:
    with stranger(url) as database:
        found: list[Sequence[object]] = database.execute(sql).fetchall()
        return found


def test_the_first_start_prints_the_passwords_and_a_second_one_changes_nothing(
    start: Start, tmp_path: Path, empty_urls: Urls
) -> None:
    data, url = tmp_path / "data", empty_urls["DATABASE_URL"]
    server = start(**empty_urls)
    passwords = dict(re.findall(r"user (teller|admin) +password (\S+)", server.output))
    assert set(passwords) == {"teller", "admin"}
    assert f"http://127.0.0.1:{server.port}/" in server.output
    for name, password in passwords.items():
        logged_in(server, name, password)
    for key in ("secret_key", "pin_key", "seal_key"):
        assert stat.S_IMODE((data / key).stat().st_mode) == 0o600
    assert server.stop() == 0
    users = "SELECT username, password, is_superuser FROM auth_user ORDER BY id"
    before = rows(url, users), (data / "secret_key").read_text(), (data / "pin_key").read_text()

    again = start(**empty_urls)
    assert f"http://127.0.0.1:{again.port}/" in again.output
    assert "password" not in again.output
    assert (rows(url, users), (data / "secret_key").read_text(), (data / "pin_key").read_text()) == before
    logged_in(again, "teller", passwords["teller"])
    assert again.stop() == 0


@pytest.mark.only_on("sqlite", reason="what is said has nothing to do with the database")
def test_passwords_of_the_environment_are_used_and_not_printed(start: Start, urls: Urls) -> None:
    server = start(**urls, BANK_TELLER_PASSWORD=PASSWORD, BANK_ADMIN_PASSWORD=PASSWORD)
    assert PASSWORD not in server.output
    assert "(from BANK_TELLER_PASSWORD)" in server.output
    assert "(from BANK_ADMIN_PASSWORD)" in server.output
    logged_in(server, "admin", PASSWORD)
    assert server.stop() == 0


def test_weak_passwords_of_the_environment_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    weak = {"BANK_TELLER_PASSWORD": "tellerpw", "BANK_ADMIN_PASSWORD": "bankadmin2024!", "BANK_AUDITOR_PASSWORD": "q"}
    run = refused(command(free_port(), "--demo"), environment(tmp_path / "data", **weak))
    assert "BANK_TELLER_PASSWORD: This password is too short" in run.stderr
    assert "BANK_ADMIN_PASSWORD: This password is made of words that anybody would try at a bank." in run.stderr
    assert "BANK_AUDITOR_PASSWORD: This password is too short" in run.stderr
    assert "SUPERVISOR" not in run.stderr
    assert not any(password in run.stdout + run.stderr for password in list(weak.values())[:2])
    assert not list(tmp_path.glob("data/*.sqlite3*"))


def test_a_weak_password_is_refused_where_the_databases_are_there_and_empty(tmp_path: Path, empty_urls: Urls) -> None:
    variables = environment(tmp_path / "data", BANK_TELLER_PASSWORD="a", **empty_urls)
    run = refused(command(free_port()), variables)
    assert "BANK_TELLER_PASSWORD: This password is too short" in run.stderr


@pytest.mark.only_on("sqlite", reason="what is said has nothing to do with the database")
def test_a_password_that_is_no_longer_used_stops_no_start(start: Start, urls: Urls) -> None:
    first = start(**urls, BANK_TELLER_PASSWORD=PASSWORD)
    assert first.stop() == 0
    again = start(**urls, BANK_TELLER_PASSWORD="a", BANK_ADMIN_PASSWORD="a")
    logged_in(again, "teller", PASSWORD)


@pytest.mark.only_on("sqlite", reason="static files have nothing to do with the database")
def test_static_files_have_hashed_names_and_may_be_cached_for_ever(start: Start, urls: Urls) -> None:
    server = start(**urls)
    _, page, _ = server.request("GET", "/login/")
    [path] = re.findall(r'href="(/static/bank/bank\.[0-9a-f]{12}\.css)"', page)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == 200
    assert "immutable" in response.headers["Cache-Control"]
    connection.close()


def test_the_demonstration_fills_an_empty_bank_once(start: Start, empty_urls: Urls) -> None:
    url = empty_urls["DATABASE_URL"]
    server = start("--demo", **empty_urls, BANK_AUDITOR_PASSWORD=PASSWORD)
    assert set(re.findall(r"user (\w+) +password", server.output)) == {"teller", "supervisor", "auditor", "admin"}
    assert logged_in(server, "auditor", PASSWORD).get("/admin/eventstore/event/").status == 200
    count = "SELECT type, COUNT(*) FROM eventstore_event GROUP BY type"
    events = {str(name): number for name, number in rows(url, count)}
    assert events["bank_account_created"] == 26
    assert (events["pin_locked"], len(events)) == (1, 18)
    assert sum(int(str(number)) for number in events.values()) > 300
    assert rows(empty_urls["PROJECTIONS_DATABASE_URL"], "SELECT COUNT(*) FROM projections_accountsummary") == [(26,)]
    assert server.stop() == 0

    again = start("--demo", **empty_urls)
    assert "not empty" in again.output
    assert {str(name): number for name, number in rows(url, count)} == events


def test_a_taken_port_is_reported_before_anything_changes(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = refused(command(port), environment(tmp_path / "data"))
    assert f"Cannot serve on 127.0.0.1:{port}" in run.stderr
    assert "--port" in run.stderr
    assert not list(tmp_path.glob("data/*.sqlite3"))


def test_a_read_only_data_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = refused(
        command(free_port()),
        environment(tmp_path / "file" / "data", SECRET_KEY="one" * 20, PIN_KEYS="two" * 9, SEAL_KEYS="3" * 16),
    )
    assert "The data folder cannot be written to" in run.stderr
    assert "BANK_DATA_DIR" in run.stderr


def refused(arguments: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a start that must fail with a message and without a traceback."""
    run = subprocess.run(arguments, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    return run


@pytest.mark.only_on("sqlite", reason="no database has a part in it")
@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "::", "127.0.0.2"])
def test_the_printed_address_can_be_opened(start: Start, urls: Urls, host: str) -> None:
    server = start("--host", host, **urls)
    printed = re.search(r"The bank is open at (\S+)\n", server.output)
    assert printed
    with urlopen(printed[1], timeout=PATIENCE) as page:
        assert b"Log in" in page.read()


ADDRESSES = {
    "127.0.0.1": "http://127.0.0.1:PORT/",
    "[::1]": "http://[::1]:PORT/",
    "0:0:0:0:0:0:0:1": "http://[::1]:PORT/",
    "0": "http://127.0.0.1:PORT/",
    "127.1": "http://127.0.0.1:PORT/",
}


@pytest.mark.parametrize("host", ADDRESSES)
def test_the_printed_address_is_written_as_browsers_want_it(host: str) -> None:
    with bind(host, 0) as listener:
        address = listen(listener, host)
        assert address == ADDRESSES[host].replace("PORT", str(listener.getsockname()[1]))


def test_the_printed_address_is_one_that_is_answered(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".bank.example"]
    with bind("0.0.0.0", 0) as listener:
        assert listen(listener, "0.0.0.0") == f"http://bank.example:{listener.getsockname()[1]}/"
    settings.BANK_PUBLIC_URL = "https://bank.example"
    with bind("127.0.0.1", 0) as listener:
        assert listen(listener, "127.0.0.1").startswith("https://bank.example/ ")


def test_of_two_banks_that_start_at_the_same_address_the_second_is_refused() -> None:
    with bind("127.0.0.1", 0) as first, bind("127.0.0.1", first.getsockname()[1]) as second:
        listen(first, "127.0.0.1")
        with pytest.raises(CommandError, match="Cannot serve on 127"):
            listen(second, "127.0.0.1")
