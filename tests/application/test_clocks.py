"""Different clocks: a stream's time never goes back, and a process whose clock is off carries out no command."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from bank.application import account_cache
from bank.application.clock_limit import ClockIsOff
from bank.operations.audit import audit
from eventstore import clock, shared_clock, store
from projections import queries
from tests.support.helpers import client_of, text_of
from tests.support.phones import is_in
from tests.support.things import append
from tests.support.values import count, deposit, open_account, whole_log

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("bank")


class OffClock:
    """A clock of this process that differs from the shared one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        real = time.time
        patch.setattr(time, "time", lambda: real() + self.seconds)
        patch.setattr(shared_clock, "_last", None)


@pytest.fixture
def off(monkeypatch: pytest.MonkeyPatch) -> OffClock:
    return OffClock(monkeypatch)


# Within a stream


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_time_of_a_stream_never_goes_back(*, in_memory: bool) -> None:
    with clock.set_to(NOON):
        open_account(1)
        for _ in range(20):
            deposit(1, 5)
    for hours in (-4, -1, 2, 1):
        if not in_memory:
            account_cache.forget("bank_account-1")
        with clock.set_to(NOON + hours * HOUR):
            deposit(1, 5)
    assert [event.recorded_at for event in whole_log()[-5:]] == [NOON, NOON, NOON, NOON + 2 * HOUR, NOON + 2 * HOUR]
    assert {line.recorded_at for line in queries.statement(1).rows} <= {NOON, NOON + 2 * HOUR}
    assert audit().findings == []


def test_an_append_that_reads_the_last_event_itself_is_no_earlier_either(settings: Settings) -> None:
    settings.PROJECTION_MODE = "worker"
    with clock.set_to(NOON):
        append("thing-1")
    with clock.set_to(NOON - HOUR):
        [event] = append("thing-1", after=1)
    assert event.recorded_at == NOON
    assert [event.recorded_at for event in store.read_stream("thing-1")] == [NOON, NOON]


# A process whose clock is off


@pytest.mark.parametrize("seconds", [-4 * 3600, -90])
def test_a_process_whose_clock_is_slow_carries_out_nothing(off: OffClock, seconds: float) -> None:
    open_account(1)
    off.seconds = seconds
    with pytest.raises(ClockIsOff, match=f"is {-seconds:,.0f} seconds behind"):
        deposit(1, 5)
    assert count("eventstore_commandrecord") == 1
    ready = Client().get("/readyz")
    assert ready.status_code == 503
    assert "seconds behind" in ready.json()["clock"]
    off.seconds = 0
    deposit(1, 5)
    assert Client().get("/readyz").status_code == 200


@pytest.mark.only_on("postgresql", reason="SQLite has no clock of its own")
def test_a_process_whose_clock_is_fast_carries_out_nothing(off: OffClock) -> None:
    open_account(1)
    off.seconds = 20 * 60
    with pytest.raises(ClockIsOff, match="is 1,200 seconds ahead of the database's"):
        deposit(1, 5)
    assert Client().get("/readyz").status_code == 503


def test_the_page_of_a_task_reports_that_the_clock_is_wrong(off: OffClock) -> None:
    open_account(1)
    teller = client_of("tina", "Tellers")
    off.seconds = -4 * 3600
    response = teller.post(
        "/accounts/1/deposit/", {"amount": "5", "command_id": "12345678-1234-1234-1234-123456789012"}
    )
    assert response.status_code == 503
    assert "the clock of this server is wrong" in text_of(response)


def test_a_clock_within_the_limit_is_no_fault(off: OffClock, settings: Settings) -> None:
    open_account(1)
    off.seconds = -50
    deposit(1, 5)
    settings.BANK_CLOCK_LIMIT = 1000
    off.seconds = -900
    deposit(1, 5)
    times = [event.recorded_at for event in whole_log()]
    assert times == sorted(times)


def test_an_old_last_event_is_no_fault_of_the_clock() -> None:
    with clock.set_to(NOON):
        open_account(1)
    deposit(1, 5)
    assert Client().get("/readyz").status_code == 200


def test_the_database_clock_is_not_queried_for_each_command(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def measure() -> float:
        measured.append(1)
        return 0.0

    monkeypatch.setattr(shared_clock, "_last", None)
    monkeypatch.setattr(shared_clock, "_measure", measure)
    open_account(1)
    for _ in range(5):
        deposit(1, 5)
    assert len(measured) == 1


# Sessions


@pytest.mark.only_on("postgresql", reason="SQLite has no clock of its own")
@pytest.mark.parametrize("minutes", [20, -20, 24 * 60])
def test_a_web_server_whose_clock_is_off_ends_nobodys_session(off: OffClock, minutes: int) -> None:
    teller = client_of("tina", "Tellers")
    other = client_of("tom", "Tellers")
    off.seconds = 60 * minutes
    assert is_in(teller)
    other.post("/logout/")
    other.post("/login/", {"username": "tom", "password": "correct horse"})
    off.seconds = 0
    assert is_in(teller)
