"""SQLite's checkpoints never run beside a writer if SQLite has the WAL-reset race."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.test import Client

from bank.operations.environment import SQLITE_OPTIONS
from bank.settings import DATABASES
from eventstore import checks
from eventstore.sqlite import base, wal
from tests.support.programs import PATIENCE, ROOT, environment
from tests.support.values import open_account

FULL = next(rows for rows in range(10**6) if base.pages_of(rows) >= base.DUE)
"""The number of rows after which a connection checkpoints."""
WRITE_LOCK, CHECKPOINT_LOCK = 120, 121
"""The bytes of the -shm file that a writer and a checkpoint lock: https://sqlite.org/walformat.html."""
ENOUGH = 20
"""The number of observations of a running checkpoint that are needed. Without the guard, one is enough."""
WRITER = """
import sys, django
from eventstore.sqlite import base, wal
wal.HAS_RACE = sys.argv[1] == "guarded"
base.DUE //= 10  # checkpoints come more often, so that they are seen sooner
django.setup()
from bank.domain.commands import DepositMoneyIntoBankAccount
from bank.application.dispatch import handle
while True:
    handle(DepositMoneyIntoBankAccount(int(sys.argv[2]), 1))
"""

type Connect = Callable[[], BaseDatabaseWrapper]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.sqlite3"


@pytest.fixture
def connect(file: Path, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Return a function that connects to one file with this backend and its settings, as if SQLite had the race."""
    monkeypatch.setattr(wal, "HAS_RACE", True)
    options = {**SQLITE_OPTIONS, "init_command": "PRAGMA journal_mode=WAL"}
    made: list[BaseDatabaseWrapper] = []

    def connect() -> BaseDatabaseWrapper:
        handler = ConnectionHandler({"default": {"ENGINE": "eventstore.sqlite", "NAME": str(file), "OPTIONS": options}})
        made.append(handler["default"])
        return made[-1]

    with django_db_blocker.unblock():
        yield connect
        for connection in made:
            connection.rollback()
            connection.close()


def write(connection: BaseDatabaseWrapper, rows: int) -> None:
    """Write this many rows in one transaction."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS thing (text)")
        connection.set_autocommit(False)
        cursor.executemany("INSERT INTO thing VALUES (%s)", [("x" * 1000,)] * rows)
        connection.commit()
        connection.set_autocommit(True)


def is_in_the_file(file: Path) -> bool:
    """Return whether the written rows are in the database file, and not only in its log."""
    return b"xxxxxxxx" in file.read_bytes()


@pytest.mark.parametrize(
    ("version", "race"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 45, 9), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_the_race_is_in_these_versions_and_fixed_in_those(version: tuple[int, int, int], race: bool) -> None:
    assert wal.has_race(version) is race


def test_no_connection_checkpoints_by_itself_where_sqlite_has_the_race(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect().cursor() as cursor:
        assert cursor.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    monkeypatch.setattr(wal, "HAS_RACE", False)
    with connect().cursor() as cursor:
        assert cursor.execute("PRAGMA wal_autocheckpoint").fetchone() == (1000,), "SQLite's own way, where it is safe"


def test_the_log_is_checkpointed_when_enough_was_written(connect: Connect, file: Path) -> None:
    connection, other = connect(), connect()
    other.ensure_connection()  # the last connection to a file would checkpoint when it closes
    write(connection, FULL - 1)
    assert not is_in_the_file(file)
    write(connection, 1)
    assert is_in_the_file(file)


def test_a_connection_leaves_nothing_in_the_log_for_others_to_checkpoint(connect: Connect, file: Path) -> None:
    connection, other = connect(), connect()
    other.ensure_connection()
    write(connection, 1)
    assert not is_in_the_file(file)
    connection.close()
    assert is_in_the_file(file)


def test_no_checkpoint_begins_beside_a_writer_and_none_fails_a_commit(
    connect: Connect, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "PATIENCE", 0.1)
    connection = connect()
    write(connection, 1)
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert wal.checkpoint(str(file)) is False
        connection.close()
        assert not is_in_the_file(file)
    assert wal.checkpoint(str(file)) is True
    assert is_in_the_file(file)


def test_a_connection_that_meets_a_lock_closes_without_waiting_for_it_again(
    connect: Connect, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect()
    write(connection, 1)
    monkeypatch.setattr(connection, "patience", 0)
    monkeypatch.setattr(wal, "checkpoint", lambda path: pytest.fail("it waits"))
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="is locked"):
            write(connection, 1)
        connection.close_if_unusable_or_obsolete()
    assert connection.connection is None


def test_a_checkpoint_that_fails_does_not_fail_the_commit(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(wal, "checkpoint", full)
    connection = connect()
    write(connection, FULL)
    with connection.cursor() as cursor:
        assert cursor.execute("SELECT COUNT(*) FROM thing").fetchone() == (FULL,)


def test_a_checkpoint_makes_no_file_where_there_is_none(file: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        wal.checkpoint(str(file))
    assert not file.exists()


@pytest.mark.parametrize("within", [False, True], ids=["alone", "in a transaction that is rolled back"])
def test_a_connection_is_not_used_again_after_an_error(connect: Connect, within: bool) -> None:
    connection = connect()
    connection.set_autocommit(not within)
    with connection.cursor() as cursor, pytest.raises(Exception, match="no such table"):
        cursor.execute("SELECT * FROM missing")
    if within:
        connection.rollback()
        connection.set_autocommit(True)
    connection.close_if_unusable_or_obsolete()
    assert connection.connection is None


def test_a_check_and_readyz_warn_of_a_database_exposed_to_the_race(
    client: Client, django_db_blocker: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"init_command": "PRAGMA journal_mode=WAL"}
    plain = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": options}
    ours = {**plain, "ENGINE": "eventstore.sqlite"}
    handler = ConnectionHandler({"default": plain, "projections": ours})
    monkeypatch.setattr(checks, "connections", handler)
    monkeypatch.setattr("bank.operations.health.connections", handler)
    monkeypatch.setattr("bank.operations.health._check_migrated", lambda alias: None)
    with django_db_blocker.unblock():
        monkeypatch.setattr(wal, "HAS_RACE", False)
        assert checks.check_checkpoints() == []
        assert not wal.is_exposed(handler["default"])

        monkeypatch.setattr(wal, "HAS_RACE", True)
        [warning] = checks.check_checkpoints()
        assert warning.id == "eventstore.W001"
        assert "'default'" in warning.msg
        handler["default"].close()
        response = client.get("/readyz")
        assert response.status_code == 503
        states = response.json()["databases"]
        assert states["default"] == f"SQLite {sqlite3.sqlite_version} can lose what is committed here"
        assert states["projections"] == "ok"
        handler.close_all()


@pytest.mark.parametrize(("alias", "synchronous"), [("default", 2), ("projections", 1)], ids=["FULL", "NORMAL"])
def test_the_write_side_syncs_each_commit_and_the_read_side_does_not(
    file: Path, django_db_blocker: Any, alias: str, synchronous: int
) -> None:
    ours = {**DATABASES[alias], "NAME": str(file)}
    assert ours["ENGINE"] == "eventstore.sqlite", "the test needs the settings of a bank that nobody has configured"
    connection = ConnectionHandler({"default": ours})["default"]
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", synchronous), ("recursive_triggers", 1)):
            assert cursor.execute(f"PRAGMA {pragma}").fetchone() == (value,)
        connection.close()


# The proof: SQLite's own locks, observed while two processes write


@contextmanager
def writers(data: Path, how: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run two processes that deposit without pause, with one thread each."""
    variables = environment(data, DJANGO_SETTINGS_MODULE="bank.settings")
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, how, str(number)], cwd=ROOT, env=variables) for number in (1, 2)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def descriptor_of(process: subprocess.Popen[bytes], file: Path) -> Path | None:
    """Return the path of an open file of a process in /proc, or None."""
    folder = Path(f"/proc/{process.pid}/fd")
    for descriptor in folder.iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime
            if descriptor.readlink() == file:
                return folder.parent / "fdinfo" / descriptor.name
    return None


def locked_in(descriptor: Path) -> set[int]:
    """Return the exclusively locked bytes of an open file, all read at one moment."""
    lines = descriptor.read_text().splitlines()
    held = [line.split() for line in lines if line.startswith("lock:") and " WRITE " in line]
    return {byte for lock in held for byte in range(int(lock[-2]), int(lock[-1]) + 1)}


@pytest.mark.only_on("sqlite", reason="the files are SQLite's")
@pytest.mark.parametrize("name", ["bank.sqlite3", "projections.sqlite3"])
@pytest.mark.parametrize("how", ["guarded", "left to SQLite"])
def test_no_checkpoint_ever_runs_without_the_write_lock_under_load(bank: Path, name: str, how: str) -> None:
    """A checkpointing process must hold the write lock too. Without the guard, the same test finds that none does.

    Each process has one thread, so a write lock beside a checkpoint is the guard's.
    """
    for number in (1, 2):
        open_account(number)
    connections.close_all()
    shared = bank / f"{name}-shm"
    alone = guarded = largest = 0
    deadline = time.monotonic() + PATIENCE
    with writers(bank, how) as processes:
        descriptors: list[Path] = []
        while len(descriptors) < len(processes) and time.monotonic() < deadline:
            descriptors = [found for process in processes if (found := descriptor_of(process, shared))]
        while guarded < ENOUGH and not alone and time.monotonic() < deadline:
            for descriptor in descriptors:
                locked = locked_in(descriptor)
                guarded += CHECKPOINT_LOCK in locked and WRITE_LOCK in locked
                alone += CHECKPOINT_LOCK in locked and WRITE_LOCK not in locked
            largest = max(largest, (bank / f"{name}-wal").stat().st_size)
        assert all(process.poll() is None for process in processes)
    if how == "guarded":
        assert guarded > 0, "no checkpoint was seen"
        assert alone == 0
        assert largest < 50 * 2**20, "the log is emptied again and again"
    else:
        assert alone > 0
