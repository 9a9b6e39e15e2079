"""A replay beside pages, commands and a verification: all of them continue, with the right figures."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections

from bank.operations.audit import audit
from projections import engine, freshness, queries
from projections.projectors import PROJECTORS
from projections.verification import figures
from projections.workers import replay
from tests.support.databases import Urls, stranger
from tests.support.helpers import client_of
from tests.support.values import deposit, do_business, query

PATIENCE = 120.0
"""Seconds that a step may take on a slow machine."""
TABLES = [projector.model._meta.db_table for projector in PROJECTORS.values()]
WAITING = """
    SELECT relation::regclass::text FROM pg_locks
    WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation IS NOT NULL
"""

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def apart() -> Iterator[Callable[..., Future[Any]]]:
    """Return a function that runs another in a thread with connections of its own."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda work: pool.submit(_and_disconnect, work)


def _and_disconnect(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connections.close_all()


@contextmanager
def reading(urls: Urls, table: str) -> Iterator[Any]:
    """Yield a connection that is reading a table."""
    with stranger(urls["PROJECTIONS_DATABASE_URL"]) as reader:
        reader.execute("BEGIN")
        reader.execute("SET LOCAL lock_timeout = 30000")
        reader.execute(f"SELECT * FROM {table}")
        yield reader
        reader.execute("COMMIT")


def wait_until_it_waits_for(table: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while (table,) not in query(WAITING, using="projections"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.only_on("postgresql", reason="on SQLite nobody who reads waits")
@pytest.mark.parametrize("table", TABLES)
def test_a_reader_of_two_tables_never_deadlocks_with_a_replay(
    table: str, urls: Urls, apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may query several tables at once, which locks them one after the other."""
    do_business()
    monkeypatch.setattr(replay, "WAITS", (PATIENCE, PATIENCE))  # it never gives way
    with reading(urls, table) as reader:
        replayed = apart(replay.replay)
        wait_until_it_waits_for(table)
        for other in TABLES:
            if other != table:
                reader.execute(f"SELECT * FROM {other}").fetchall()
    assert replayed.result(PATIENCE) == 68
    assert replay.check() == []


@pytest.mark.only_on("postgresql", reason="on SQLite nobody who reads waits")
def test_a_replay_gives_way_to_readers_again_and_again_while_one_holds_a_table(
    urls: Urls, apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_business()
    client = client_of("tina", "Tellers")
    monkeypatch.setattr(replay, "WAITS", (0.05, 0.05))
    with reading(urls, "projections_accountsummary"):
        replayed = apart(replay.replay)
        wait_until_it_waits_for("projections_accountsummary")
        for balance in range(1, 6):
            deposit(3, 1)
            assert client.get("/accounts/3/").status_code == 200
            assert freshness.look().current, "the live tables go on"
            assert queries.get_total_paid_in() == TOTAL_PAID_IN + balance
        assert not replayed.done()
    replayed.result(PATIENCE)
    assert queries.get_total_paid_in() == TOTAL_PAID_IN + 5
    assert replay.check() == []


TOTAL_PAID_IN = 10_290
"""The sum of `do_business`."""


@pytest.mark.only_on("postgresql", reason="on SQLite nobody who reads waits")
def test_a_replay_that_cannot_lock_a_table_reports_it_and_leaves_the_figures_right(
    urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_business()
    monkeypatch.setattr(replay, "WAITS", (0.01, 0.01))
    monkeypatch.setattr(replay, "PATIENCE", 0.0)
    with (
        reading(urls, "projections_refusedwithdrawal"),
        pytest.raises(CommandError, match=r"^projections_refusedwithdrawal is in use: .* Run it again later\.$"),
    ):
        call_command("replay_projections", stdout=StringIO())
    assert replay.check() == []
    assert not [name for name in connections["projections"].introspection.table_names() if replay.SUFFIX in name]
    replay.replay()
    assert replay.check() == []


def test_events_that_come_while_a_table_is_in_use_are_in_the_rebuilt_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try applies them to the rebuilt table, and a failed try is rolled back."""
    do_business()
    take, tried = replay._take_place, set[str]()

    def fail_at_first(editor: Any, projector: Any) -> None:
        take(editor, projector)
        if projector.name not in tried:
            tried.add(projector.name)
            raise OperationalError("database is locked")

    def between(seconds: float) -> None:
        deposit(1, 1)

    monkeypatch.setattr(replay, "_take_place", fail_at_first)
    monkeypatch.setattr(time, "sleep", between)
    replay.replay()
    monkeypatch.undo()
    assert len(tried) == len(PROJECTORS)
    assert replay.check() == []
    assert engine.catch_up() == 0


@pytest.mark.only_on("postgresql", reason="on SQLite a check is the one that writes")
def test_the_live_tables_go_on_while_a_check_compares(apart: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    do_business()
    differences, seen = replay._differences, list[int]()

    def deposit_and_compare(*of: Any) -> Any:
        apart(lambda: deposit(1, 1)).result(PATIENCE)
        seen.append(apart(queries.get_total_paid_in).result(PATIENCE))
        return differences(*of)

    monkeypatch.setattr(replay, "_differences", deposit_and_compare)
    assert replay.check() == []
    assert seen == [TOTAL_PAID_IN + number for number in range(1, len(PROJECTORS) + 1)]
    assert replay.check() == [], "with another deposit in the middle"


def test_a_verification_that_reads_while_tables_change_places_finds_nothing(
    apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_business()
    monkeypatch.setattr(replay, "WAITS", (0.05, 0.05))
    monkeypatch.setattr(replay, "PATIENCE", 0.0)
    live, replayed = figures._live, list[BaseException | None]()

    def replay_and_read(name: str) -> Any:
        if not replayed:
            replayed.append(apart(replay.replay).exception(PATIENCE))
        return live(name)

    monkeypatch.setattr(figures, "_live", replay_and_read)
    assert audit().findings == []
    [error] = replayed
    assert error is None or isinstance(error, replay.TableInUse), "on PostgreSQL it has to wait for the reader"


def test_pages_and_commands_get_on_beside_replays() -> None:
    do_business()
    client = client_of("tina", "Tellers")
    done = threading.Event()
    statuses: list[int] = []

    def look() -> None:
        while not done.is_set():
            for path in ("/", "/accounts/", "/accounts/?q=holder", "/accounts/1/", "/days/", "/readyz"):
                statuses.append(client.get(path).status_code)

    def serve() -> None:
        while not done.is_set():
            deposit(1, 1)

    def rebuild() -> None:
        try:
            for _ in range(5):
                replay.replay()
            assert replay.check() == []
        finally:
            done.set()

    with ThreadPoolExecutor(5) as pool:
        works = [pool.submit(_and_disconnect, work) for work in (look, look, serve, serve, rebuild)]
        for work in works:
            work.result(PATIENCE)
    assert set(statuses) == {200}
    assert replay.check() == []
