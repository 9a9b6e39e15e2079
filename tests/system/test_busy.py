"""SQLite's write lock is held by another process: a web request waits for less time than a command."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.databases import MAKERS, Urls
from tests.support.programs import PASSWORD, Program, Web
from tests.support.teller import Teller, logged_in

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Let another process hold the write lock of a SQLite file."""
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate()  # closes its input


@pytest.fixture
def teller(templates: dict[str, Urls], tmp_path: Path) -> Iterator[Teller]:
    MAKERS["sqlite"].copy(templates["sqlite"], tmp_path)
    with Web(tmp_path, BANK_TELLER_PASSWORD=PASSWORD) as web:
        teller = logged_in(web, "teller", PASSWORD)
        teller.open_account(1)
        teller.deposit(1, "100")
        yield teller


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/accounts/open/", {"account_id": "12", "account_holder": "Grace Hopper", "pin": "4321"}),
        ("/accounts/1/deposit/", {"amount": "12.34"}),
        ("/accounts/1/withdraw/", {"amount": "12.34", "pin": "1234"}),
    ],
)
def test_a_busy_bank_keeps_the_form_and_answers_before_a_command_gives_up(
    teller: Teller, tmp_path: Path, path: str, fields: dict[str, str]
) -> None:
    teller.get(path)
    with held(tmp_path / "bank.sqlite3"), Program(tmp_path, "clearsessions") as command:
        answers = [teller.post(path, **fields) for _ in range(2)]
        assert command.is_running, "a command waits for 20 seconds, and two requests for less together"
    for answer in answers:
        assert answer.status == 503
        assert "Nothing has happened" in answer.words
        for name, value in fields.items():
            assert (f'value="{value}"' in answer.text) is (name != "pin")
    assert teller.receipt_of(teller.fill_in(path, **fields)).status == 200


def test_a_deposit_counts_though_the_read_side_is_locked(teller: Teller, tmp_path: Path) -> None:
    teller.get("/accounts/1/deposit/")
    with held(tmp_path / "projections.sqlite3"):
        answer = teller.post("/accounts/1/deposit/", amount="5")
        assert answer.status == 303
        assert "Recorded" in teller.get(answer.location).words
    assert "105.00" in teller.get("/accounts/1/").words


def test_a_log_in_at_a_busy_bank_can_be_tried_again(teller: Teller, tmp_path: Path) -> None:
    stranger = Teller(teller.port)
    stranger.get("/login/")
    with held(tmp_path / "bank.sqlite3"), Program(tmp_path, "clearsessions") as command:
        for _ in range(2):
            answer = stranger.post("/login/", username="teller", password=PASSWORD)
            assert answer.status == 503
            assert "The bank is busy" in answer.words
        assert command.is_running
    stranger.log_in("teller", PASSWORD)
