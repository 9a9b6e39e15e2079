"""Transactions on SQLite, and the wait of a statement for a lock."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from eventstore.backends import backend_of
from projections.models import AccountSummary, BankTotals, RefusedWithdrawal, StatementLine
from tests.support.databases import Urls, another_connection, stranger
from tests.support.values import query

pytestmark = [
    pytest.mark.usefixtures("bank"),
    pytest.mark.only_on("sqlite", reason="PostgreSQL's transactions are Django's own"),
]

INSERT = "INSERT INTO thing VALUES (%s)"


@pytest.fixture
def connection(bank: Path) -> BaseDatabaseWrapper:
    query("CREATE TABLE thing (number UNIQUE)")
    return connections["default"]


def numbers() -> list[int]:
    return [number for (number,) in query("SELECT number FROM thing ORDER BY number")]


@pytest.mark.parametrize("model", [AccountSummary, StatementLine, RefusedWithdrawal, BankTotals])
def test_a_whole_number_that_is_a_key_is_the_rows_own_number_and_needs_no_index(model: type[Model]) -> None:
    table = model._meta.db_table
    assert "pk" not in [origin for _, _, _, origin, _ in query(f"PRAGMA index_list({table})", using="projections")]


def assert_idle(connection: BaseDatabaseWrapper) -> None:
    assert not connection.in_atomic_block
    assert not connection.needs_rollback
    assert connection.atomic_blocks == []
    assert connection.savepoint_ids == []
    assert connection.run_on_commit == []
    with another_connection() as other, other.cursor() as cursor:
        cursor.execute(INSERT, [999])  # no lock is left


def write(*numbers: int, then: type[BaseException] | None = None) -> None:
    with backend_of().transaction() as cursor:
        for number in numbers:
            cursor.execute(INSERT, [number])
        if then is not None:
            raise then("on purpose")


# Commits


def test_a_write_is_visible_to_others_only_after_the_commit(connection: BaseDatabaseWrapper, urls: Urls) -> None:
    with stranger(urls["DATABASE_URL"]) as other, backend_of().transaction() as cursor:
        cursor.execute(INSERT, [1])
        assert other.execute("SELECT COUNT(*) FROM thing").fetchone() == (0,)
    assert numbers() == [1]
    assert_idle(connection)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failed_transaction_is_rolled_back(connection: BaseDatabaseWrapper, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write(1, then=error)
    assert numbers() == []
    assert_idle(connection)


def test_errors_of_the_driver_come_as_djangos_and_roll_back(connection: BaseDatabaseWrapper) -> None:
    with pytest.raises(IntegrityError):
        write(1, 1)
    assert numbers() == []
    assert_idle(connection)


def test_a_failed_commit_is_rolled_back_and_raises(
    connection: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr(type(connection), "_commit", fail)
    with pytest.raises(OperationalError, match="disk full"):
        write(1)
    assert numbers() == []
    assert_idle(connection)


def test_on_commit_functions_run_after_the_commit_and_never_after_a_rollback(
    connection: BaseDatabaseWrapper,
) -> None:
    done: list[tuple[str, bool]] = []
    with backend_of().transaction():
        transaction.on_commit(lambda: done.append(("committed", connection.in_atomic_block)))
        assert done == []
    with suppress(RuntimeError), backend_of().transaction():
        transaction.on_commit(lambda: done.append(("rolled back", connection.in_atomic_block)))
        raise RuntimeError
    assert done == [("committed", False)]


# Nested and outer blocks of Django


def test_djangos_atomic_blocks_nest_within(connection: BaseDatabaseWrapper) -> None:
    with backend_of().transaction() as cursor:
        cursor.execute(INSERT, [1])
        with suppress(RuntimeError), transaction.atomic():
            cursor.execute(INSERT, [2])
            raise RuntimeError
        with transaction.atomic():
            cursor.execute(INSERT, [3])
    assert numbers() == [1, 3]
    assert_idle(connection)


def test_a_block_within_that_fails_without_a_savepoint_fails_all(connection: BaseDatabaseWrapper) -> None:
    def fail_within() -> None:
        with backend_of().transaction() as cursor:
            cursor.execute(INSERT, [1])
            with suppress(RuntimeError), transaction.atomic(savepoint=False):
                raise RuntimeError
            cursor.execute(INSERT, [2])

    with pytest.raises(transaction.TransactionManagementError):
        fail_within()
    assert numbers() == []
    assert_idle(connection)


def test_it_can_be_part_of_no_other_and_no_durable_block_part_of_it(connection: BaseDatabaseWrapper) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"), backend_of().transaction():
        pass
    with backend_of().transaction(), pytest.raises(RuntimeError, match="durable"), transaction.atomic(durable=True):
        pass
    assert numbers() == []
    assert_idle(connection)


def test_a_connection_that_is_closed_within_comes_back(connection: BaseDatabaseWrapper) -> None:
    def close_within() -> None:
        with backend_of().transaction() as cursor:
            cursor.execute(INSERT, [1])
            connection.close()

    with pytest.raises(transaction.TransactionManagementError):
        close_within()
    assert numbers() == []
    assert_idle(connection)


# Waits for a lock


@pytest.fixture
def holder(connection: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    """A connection that holds the write lock."""
    with another_connection() as other:
        other.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        yield other
        other.rollback()
        other.set_autocommit(True)


def test_a_waiting_statement_gets_the_lock_as_soon_as_it_is_free(
    connection: BaseDatabaseWrapper, holder: BaseDatabaseWrapper
) -> None:
    let_go = threading.Event()
    waited = threading.Thread(target=_write, args=(let_go,))
    waited.start()
    time.sleep(0.05)
    assert numbers() == []
    let_go.set()
    holder.rollback()
    waited.join()
    assert numbers() == [1]


def _write(may: threading.Event) -> None:
    with backend_of().transaction() as cursor:
        assert may.is_set(), "it wrote while somebody else did"
        cursor.execute(INSERT, [1])
    connections.close_all()


def test_a_wait_for_a_lock_ends_in_time(
    connection: BaseDatabaseWrapper, holder: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "patience", 0.05)
    started = time.monotonic()
    with pytest.raises(OperationalError, match="locked"), backend_of().transaction():
        pass
    assert time.monotonic() - started >= 0.05
    assert not connection.in_atomic_block


def test_a_write_on_an_outdated_snapshot_fails_without_waiting(connection: BaseDatabaseWrapper, urls: Urls) -> None:
    """A transaction that has read can no longer write once another one has written."""
    query(INSERT, 0)
    with stranger(urls["DATABASE_URL"]) as other, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM thing")
        cursor.fetchall()
        other.execute("INSERT INTO thing VALUES (1)")
        started = time.monotonic()
        with pytest.raises(DatabaseError, match="locked"):
            cursor.execute(INSERT, [2])
        assert time.monotonic() - started < connection.patience / 2  # type: ignore[attr-defined]
        cursor.execute("ROLLBACK")


def test_eight_writers_of_several_connections_are_all_served(connection: BaseDatabaseWrapper) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 20):
            with backend_of().transaction() as cursor:
                cursor.execute(INSERT, [number])
        connections.close_all()

    writers = [threading.Thread(target=work, args=(100 * number,)) for number in range(1, 9)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(numbers()) == 160
