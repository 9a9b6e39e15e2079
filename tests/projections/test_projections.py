"""`engine.catch_up`: every event reaches every table exactly once, also after failures."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper

from eventstore import store
from eventstore.signals import events_appended
from projections import checkpoints, engine, freshness, queries
from projections.models import ParkedStream
from projections.projectors import PROJECTORS
from projections.projectors.base import Batch
from projections.projectors.totals import Totals
from projections.workers import resume
from tests.benchmarks import data
from tests.support.databases import Urls, stranger
from tests.support.values import PIN, at_once, deposit, open_account, query, whole_log, withdraw

pytestmark = pytest.mark.usefixtures("bank")

NAMES = ["accounts", "statements", "refusals", "totals", "daily", "names", "transfers", "tills", "till_movements"]


@pytest.fixture
def asleep(settings: Any) -> None:
    """Only the test wakes the projections."""
    settings.PROJECTION_MODE = "worker"


def tables() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the read side, without the times of checkpoints."""
    rows = {
        projector.model._meta.db_table: query(
            f"SELECT * FROM {projector.model._meta.db_table} ORDER BY 1", using="projections"
        )
        for projector in PROJECTORS.values()
    }
    rows["checkpoints"] = query("SELECT name, position FROM projections_checkpoint ORDER BY name", using="projections")
    return rows


def positions() -> dict[str, int]:
    return {state.name: state.position for state in freshness.projection_states()}


def a_days_work() -> None:
    """Record nine events of every kind."""
    open_account(1, "Josh", balance=100)
    open_account(2, "Luke", balance=10)
    withdraw(1, 30)
    withdraw(1, 30, PIN + 1)
    withdraw(2, 11)
    deposit(2, 5)
    withdraw(2, 15)


def assert_a_days_figures() -> None:
    assert queries.bank_figures() == (2, 70, 115, 45, 0)
    assert (queries.check_balance(1), queries.check_balance(2)) == (70, 0)
    assert len(queries.statement(1).rows) + len(queries.statement(2).rows) == 9
    assert positions() == dict.fromkeys(NAMES, 9)


def catch_up_totals_beside(other: Any) -> int:
    """Catch the totals up while a transaction is open, which commits as soon as they wait for it."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        caught_up = pool.submit(at_once, [lambda: engine.catch_up(["totals"])])
        deadline = time.monotonic() + 60
        while not query(waiting, using="projections"):
            assert time.monotonic() < deadline
        other.execute("COMMIT")
        return caught_up.result(60)[0]


# Exactly once


def test_events_reach_the_tables_before_the_command_is_acknowledged() -> None:
    a_days_work()
    assert_a_days_figures()


def test_catching_up_again_and_again_changes_nothing() -> None:
    a_days_work()
    before = tables()
    for _ in range(3):
        engine.catch_up()
        engine.catch_up(["totals"])
        engine.keep_up(whole_log())
        events_appended.send(sender=store.append, events=whole_log()[-1:])
    assert tables() == before


@pytest.mark.usefixtures("asleep")
@pytest.mark.parametrize("batch", [1, 2, 4, 9, 1000])
def test_the_tables_are_the_same_for_any_batches(
    batch: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    a_days_work()
    assert positions() == dict.fromkeys(NAMES, 0)
    monkeypatch.setattr(engine, "BATCH", batch)
    engine.catch_up()
    assert_a_days_figures()
    assert "A projection failed" not in caplog.text, "all of them go on together"


def test_many_accounts_in_one_batch_are_projected_together(caplog: pytest.LogCaptureFixture) -> None:
    """On PostgreSQL, this sends more than the connection's buffer holds, so results arrive in between."""
    data.write(data.business(range(1, 1501), 2))
    engine.catch_up()
    assert queries.bank_figures().accounts == 1500
    assert "A projection failed" not in caplog.text


@pytest.mark.usefixtures("asleep")
def test_events_handed_over_out_of_order_count_once_and_in_order() -> None:
    a_days_work()
    log = whole_log()
    for handed in (log[4:6], log[1:3], log[0:1], log[::-1], log):
        engine.keep_up(handed)
    engine.catch_up()
    assert_a_days_figures()


@pytest.mark.only_on("sqlite", reason="on PostgreSQL an event with a lower position may still be on its way")
@pytest.mark.usefixtures("asleep")
def test_events_in_hand_that_are_the_next_ones_are_used_without_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    engine.catch_up()  # creates the checkpoints
    a_days_work()
    log = whole_log()
    monkeypatch.setattr(store, "read_all", lambda *args, **kwargs: pytest.fail("the log was read"))
    engine.keep_up(log)
    assert_a_days_figures()


@pytest.mark.usefixtures("asleep")
def test_one_projection_catches_up_alone_and_the_others_later() -> None:
    a_days_work()
    engine.catch_up(["totals"])
    assert positions() == {**dict.fromkeys(NAMES, 0), "totals": 9}
    assert queries.bank_figures() == (2, 70, 115, 45, 0)
    assert queries.get_account_list() == []
    engine.catch_up()
    assert_a_days_figures()


def test_a_projection_that_lags_behind_is_caught_up_though_another_one_is_ahead(settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    engine.catch_up()  # creates the checkpoints
    a_days_work()
    engine.catch_up(["totals"])
    settings.PROJECTION_MODE = "inline"
    events_appended.send(sender=store.append, events=whole_log()[-1:])
    assert_a_days_figures()


@pytest.mark.usefixtures("asleep")
def test_many_that_catch_up_at_once_count_every_event_once() -> None:
    a_days_work()
    at_once([engine.catch_up] * 6)
    assert_a_days_figures()


@pytest.mark.only_on("postgresql", reason="SQLite has one writer at a time")
def test_a_checkpoint_that_somebody_else_inserts_and_moves_meanwhile_counts(urls: Urls) -> None:
    open_account(balance=100)
    query("DELETE FROM projections_checkpoint WHERE name = 'totals'", using="projections")
    last = whole_log()[-1].log_position
    with stranger(urls["PROJECTIONS_DATABASE_URL"]) as other:
        other.execute("BEGIN")
        other.execute(
            """INSERT INTO projections_checkpoint (name, transaction_id, position, updated_at, error, worker)
               VALUES ('totals', %s, %s, now(), '', '')""",
            last,
        )
        assert catch_up_totals_beside(other) == 0
    assert queries.get_total_deposits() == 100, "no event counts twice"


@pytest.mark.only_on("postgresql", reason="SQLite's writers are alone")
def test_an_event_that_another_process_is_applying_counts_once(urls: Urls, settings: Any) -> None:
    open_account(balance=100)
    settings.PROJECTION_MODE = "worker"
    deposit(1, 50)
    last = whole_log()[-1].log_position
    with stranger(urls["PROJECTIONS_DATABASE_URL"]) as other:
        other.execute("BEGIN")
        other.execute("UPDATE projections_banktotals SET balance = balance + 50, paid_in = paid_in + 50")
        move = "UPDATE projections_checkpoint SET transaction_id = %s, position = %s WHERE name = 'totals'"
        other.execute(move, last)
        assert catch_up_totals_beside(other) == 0
    assert queries.get_total_deposits() == 150


def test_an_unknown_projection_is_refused_by_name() -> None:
    with pytest.raises(engine.UnknownProjection, match="nonsense; there are accounts, statements"):
        engine.catch_up(["nonsense"])


@pytest.mark.usefixtures("asleep")
def test_in_worker_mode_a_command_leaves_the_tables_to_the_worker() -> None:
    open_account(balance=100)
    assert queries.get_account_list() == []
    engine.catch_up()
    assert queries.check_balance(1) == 100


# A projection that fails at every event. `test_projector_fails` has one that fails at a single event.


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make the bank's totals fail at every event. Call the result to repair them."""
    healthy = Totals.apply

    def apply(self: Totals, cursor: CursorWrapper, batch: Batch) -> None:
        healthy(self, cursor, batch)
        if batch:
            raise ZeroDivisionError(f"cannot digest {[recorded.position for _, recorded in batch]}")

    monkeypatch.setattr(Totals, "apply", apply)
    return lambda: monkeypatch.setattr(Totals, "apply", healthy)


def test_a_failing_projection_stops_neither_commands_nor_other_projections(broken: Callable[[], None]) -> None:
    a_days_work()
    assert store.last_position() == 9
    assert (queries.check_balance(1), queries.get_total_deposits()) == (70, 0)
    assert positions() == {**dict.fromkeys(NAMES, 9), "totals": 2}


def test_a_failing_projection_parks_one_stream_and_no_second_one(broken: Callable[[], None]) -> None:
    a_days_work()
    assert [(row.projection, row.stream) for row in ParkedStream.objects.all()] == [("totals", "bank_account-1")]
    states = {state.name: state for state in freshness.projection_states()}
    failed = states.pop("totals")
    assert "ZeroDivisionError: cannot digest [3]" in failed.error
    assert (failed.position, failed.behind, failed.failed_position) == (2, 7, 3)
    assert failed.failed_at is not None
    assert datetime.now(UTC) - failed.failed_at < timedelta(minutes=1)
    assert {(state.error, state.failed_position, state.failed_at) for state in states.values()} == {("", None, None)}


@pytest.mark.usefixtures("asleep")
def test_a_failing_projection_with_several_streams_before_it_parks_none(broken: Callable[[], None]) -> None:
    a_days_work()
    engine.catch_up()
    assert positions() == {**dict.fromkeys(NAMES, 9), "totals": 0}
    assert not ParkedStream.objects.exists()


def test_after_the_fix_the_next_wake_up_continues_and_clears_the_failure(
    broken: Callable[[], None],
) -> None:
    a_days_work()
    broken()
    events_appended.send(sender=store.append, events=())
    assert positions()["totals"] == 9
    assert resume.resume() == 1
    assert_a_days_figures()
    assert {(state.error, state.failed_position) for state in freshness.projection_states()} == {("", None)}


def test_a_read_side_that_does_not_answer_fails_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the read side is down")

    open_account()
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "move_all", down)
        patch.setattr(checkpoints, "lock", down)
        assert deposit(1, 50).version == 2
        with pytest.raises(OperationalError):
            engine.catch_up()
    assert [state.error for state in freshness.projection_states()] == [""] * len(NAMES), "it is no projection's fault"

    deposit(1, 5)
    assert queries.check_balance(1) == 55


def test_a_command_sent_again_wakes_projections_that_lack_its_events(settings: Any) -> None:
    open_account()
    settings.PROJECTION_MODE = "worker"
    command_id = uuid4()
    deposit(1, 50, command_id=command_id)
    settings.PROJECTION_MODE = "inline"
    assert deposit(1, 50, command_id=command_id).repeated
    assert queries.check_balance(1) == 50
