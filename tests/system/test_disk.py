"""A full or read-only disk under a bank on SQLite: 503, no partial work, and recovery when it is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import close_old_connections, connections
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount
from projections.workers import replay
from tests.support.helpers import client_of, text_of
from tests.support.load import Task, carry_through, deposit, opening
from tests.support.programs import run
from tests.support.teller import Teller
from tests.support.values import count
from tests.system.faults.books import Books
from tests.system.faults.disk import Disk, mounted
from tests.system.faults.kills import LOGIN, Bank

MEGABYTES = 64
PAGES = ["/", "/accounts/", "/accounts/1/", "/accounts/1/deposit/", "/days/"]


def test_a_full_disk_refuses_writes_and_nothing_else(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", MEGABYTES) as disk:
        bank = Bank(disk.folder)
        with bank.web as web:
            teller = Teller(web.port)
            tasks = [opening(1)]
            carry_through(teller, LOGIN, tasks[0])
            disk.fill()
            refused = deposit_until_refused(teller, tasks)

            for page in PAGES:
                assert teller.get(page).status in (200, 503), page
            assert teller.get("/healthz").status == 200
            receipt = teller.get(f"/receipts/{refused.command_id}/")
            assert receipt.status == 404
            assert "Nothing is recorded" in receipt.words
            assert bank.books.judge(tasks).lost == 0

            disk.empty()
            carry_through(teller, LOGIN, refused)
            tasks.append(refused)
            assert [teller.get(page).status for page in PAGES] == [200] * len(PAGES)
            assert teller.get("/readyz").status == 200
            assert teller.get(f"/receipts/{refused.command_id}/").status == 200
            assert web.starts == 1
            assert web.stop() == 0
        assert not any(Books(disk.folder / "data" / "bank.sqlite3").judge(tasks))
        assert run(bank.data, "replay_projections", "--check").returncode == 0
        assert bank.integrity() == "ok"


def deposit_until_refused(teller: Teller, tasks: list[Task]) -> Task:
    """Deposit until the write-ahead log has no more room on the disk. Return the refused task."""
    for _ in range(2000):
        task = deposit(1, 100)
        answer = teller.post(task.path, **task.fields, command_id=task.command_id)
        if answer.status != 303:
            assert answer.status == 503, answer.words
            assert "may have been recorded or not" in answer.words
            return task
        tasks.append(task)
    raise AssertionError("the disk was never full")


@pytest.mark.only_on("sqlite", reason="the disk is that of SQLite's files")
def test_a_disk_that_becomes_read_only_is_503_until_it_can_be_written_again(bank: Path) -> None:
    handle(CreateBankAccount(1, "Josh", 1234))
    client = client_of("tina", "Tellers")
    client.raise_request_exception = False
    command_id = uuid4()
    with moved_to_a_disk(bank) as disk:
        assert client.get("/").status_code == 200
        connections.close_all()
        disk.remount("ro")
        for page in PAGES:
            assert between_requests(client).get(page).status_code == 503
        for _ in range(2):
            response = send(between_requests(client), command_id)
            assert response.status_code == 503
            assert "may have been recorded or not" in text_of(response)
        assert client.get("/healthz").status_code == 200
        assert between_requests(client).get("/readyz").status_code == 503

        close_old_connections()
        disk.remount("rw")
        assert [between_requests(client).get(page).status_code for page in PAGES] == [200] * len(PAGES)
        assert count("eventstore_event") == count("eventstore_commandrecord") == 1
        assert send(between_requests(client), command_id).status_code == 303
        assert between_requests(client).get("/readyz").status_code == 200
        assert replay.check() == []


@pytest.mark.only_on("sqlite", reason="the disk is that of SQLite's files")
def test_a_file_that_was_opened_read_only_is_opened_anew(bank: Path) -> None:
    """SQLite opens a file without write permission read-only, and the connection never retries."""
    handle(CreateBankAccount(1, "Josh", 1234))
    client = client_of("tina", "Tellers")
    client.raise_request_exception = False
    with moved_to_a_disk(bank, with_logs=True) as disk:  # the files beside it make it readable on a read-only disk
        disk.remount("ro")
        assert between_requests(client).get("/").status_code == 200
        disk.remount("rw")
        assert send(between_requests(client), uuid4()).status_code == 503, "it does not know yet"
        assert send(between_requests(client), uuid4()).status_code == 303


@contextmanager
def moved_to_a_disk(bank: Path, *, with_logs: bool = False) -> Iterator[Disk]:
    """Move a bank's files to a separate disk, with or without the write-ahead logs that a crash leaves."""
    if not with_logs:
        connections.close_all()
    files = {path.name: path.read_bytes() for path in bank.iterdir()}
    connections.close_all()
    with mounted(bank, MEGABYTES) as disk:
        for name, content in files.items():
            (bank / name).write_bytes(content)
        yield disk
        connections.close_all()


def between_requests(client: Client) -> Client:
    """Do the work of a server between two requests, which Django's client skips."""
    close_old_connections()
    return client


def send(client: Client, command_id: UUID) -> Any:
    return client.post("/accounts/1/deposit/", {"command_id": str(command_id), "amount": "5"})
