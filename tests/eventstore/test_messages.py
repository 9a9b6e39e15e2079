"""What a command projects on PostgreSQL in few messages: as much, as safe and as patient as it is done with many."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import DatabaseError, connections, transaction

from eventstore import store
from projections import engine, pipeline, queries
from projections.workers import replay
from tests.support.databases import another_connection
from tests.support.values import at_once, deposit, open_account, query, whole_log

pytestmark = [pytest.mark.usefixtures("josh"), pytest.mark.only_on("postgresql", reason="SQLite sends no messages")]

LOCK = "SELECT * FROM projections_checkpoint WHERE name = 'totals' FOR UPDATE"


@pytest.fixture
def josh(bank: object) -> None:
    open_account(1, "Josh", balance=100)


@pytest.fixture
def nothing_else(josh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is done in few messages."""
    monkeypatch.setattr(engine, "catch_up", lambda **arguments: pytest.fail("there was more to do"))


@contextmanager
def once_read(monkeypatch: pytest.MonkeyPatch, then: Any) -> Iterator[None]:
    """Let something happen when the events have been read, with the checkpoints locked and nothing written."""
    read = store.read_columns

    def read_and(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        then()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(store, "read_columns", read_and)
        yield


def balance() -> int:
    return queries.check_balance(1)


@pytest.mark.usefixtures("nothing_else")
def test_statements_stay_prepared_and_are_few_however_many_commands_come() -> None:
    for amount in range(1, 20):
        deposit(1, amount)
    assert balance() == 100 + sum(range(1, 20))
    assert 5 < query("SELECT COUNT(*) FROM pg_prepared_statements", using="projections")[0][0] < 20


@pytest.mark.usefixtures("nothing_else")
def test_what_the_server_has_let_go_of_is_prepared_anew() -> None:
    """Psycopg has it do so when it rolls back a transaction."""
    deposit(1, 5)
    query("DEALLOCATE ALL", using="projections")
    deposit(1, 7)
    assert balance() == 112


@pytest.mark.usefixtures("nothing_else")
def test_tables_that_take_each_others_place_or_are_altered_are_no_hindrance() -> None:
    deposit(1, 5)
    with another_connection("projections") as other, other.cursor() as cursor:
        cursor.execute("ALTER TABLE projections_checkpoint ALTER name TYPE varchar(60)")
        cursor.execute("ALTER TABLE projections_banktotals ALTER paid_in TYPE numeric")
    deposit(1, 7)
    replay.replay()
    deposit(1, 9)
    assert balance() == 121
    assert replay.check() == []


def test_more_events_than_few_are_left_to_the_long_way(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROJECTION_MODE = "worker"
    for _ in range(engine.FEW):
        deposit(1, 1)
    assert not engine.keep_up(whole_log()[-1:])
    deposit(1, 1)
    assert engine.keep_up(whole_log()[-1:])
    assert balance() == 101 + engine.FEW


def test_many_at_once_count_every_event_once() -> None:
    at_once([lambda n=n: deposit(1, n) for n in (1, 2, 3, 4, 5, 6)])  # type: ignore[misc]
    deposit(1, 7)  # whoever came last may have had to leave something
    assert balance() == 128
    assert replay.check() == []


def test_events_that_somebody_else_has_applied_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    deposit(1, 5)
    monkeypatch.setattr(store, "read_columns", lambda *args, **kwargs: pytest.fail("the log was read"))
    assert engine.keep_up(whole_log()[-1:])


def test_checkpoints_that_stay_locked_are_not_waited_for_for_long(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pipeline, "_BEGIN", [("BEGIN", ()), ("SET LOCAL lock_timeout = 10", ())])
    with another_connection("projections") as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(LOCK)
        deposit(1, 5)
        assert "could not catch up" in caplog.text
        assert balance() == 100
        cursor.execute("ROLLBACK")
    deposit(1, 7)
    assert balance() == 112


def test_a_connection_that_is_lost_in_between_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def end() -> None:
        process = connections["projections"].connection.info.backend_pid
        with another_connection("projections") as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [process])

    with once_read(monkeypatch, end):
        deposit(1, 5)
    assert "could not catch up" in caplog.text
    connections["projections"].close_if_unusable_or_obsolete()
    assert balance() == 100
    deposit(1, 7)
    assert balance() == 112
    assert replay.check() == []


def test_what_fails_rolls_all_of_it_back() -> None:
    with suppress(DatabaseError), pipeline.transaction(connections["projections"]) as cursor:
        cursor.execute("UPDATE projections_banktotals SET balance = %s", [0])
        cursor.execute("UPDATE projections_banktotals SET balance = %s", ["much"])
    assert queries.bank_figures().balance == 100


def test_what_is_broken_off_is_rolled_back() -> None:
    with suppress(ZeroDivisionError), pipeline.transaction(connections["projections"]) as cursor:
        cursor.execute("UPDATE projections_banktotals SET balance = %s RETURNING balance", [0])
        assert cursor.fetchall() == [(0,)]
        raise ZeroDivisionError
    assert queries.bank_figures().balance == 100


def test_more_may_be_sent_and_answered_than_a_connection_holds() -> None:
    text = "x" * 1000
    with pipeline.transaction(connections["projections"]) as cursor:
        cursor.executemany("SELECT %s::text", [[text]] * 5000)
        assert cursor.fetchall() == [(text,)]


def test_there_is_no_such_transaction_within_another() -> None:
    with (
        transaction.atomic(using="projections"),
        pytest.raises(transaction.TransactionManagementError),
        pipeline.transaction(connections["projections"]),
    ):
        pass
