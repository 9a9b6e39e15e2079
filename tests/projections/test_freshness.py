"""Freshness of the figures, and the wait of a page for them."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from eventstore import clock
from eventstore.events import LogPosition
from projections import engine, freshness
from tests.support.clocks import StoppedClock
from tests.support.values import deposit, open_account

pytestmark = pytest.mark.usefixtures("bank")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_read_side_that_is_behind_reports_by_how_much_and_since_when(settings: Any) -> None:
    with clock.set_to(NOON):  # time never goes back within a stream
        open_account()
        settings.PROJECTION_MODE = "worker"
        deposit(1, 5)
    deposit(1, 5)
    assert freshness.look()[1:] == (2, NOON, False, True, False)
    assert {state.behind for state in freshness.projection_states()} == {2}

    engine.catch_up()
    assert freshness.look()[1:] == (0, None, True, True, False)


def test_a_moment_behind_counts_as_current_except_for_the_reader_of_the_missing_event(
    settings: Any, stopped_clock: StoppedClock
) -> None:
    opened = open_account()
    settings.PROJECTION_MODE = "worker"
    with clock.set_to(stopped_clock.now):
        ack = deposit(1, 5)
    assert freshness.look().current
    assert freshness.look(opened.token).current
    assert not freshness.look(ack.token).current


@pytest.mark.parametrize("hours", [2, -2])
def test_a_changed_clock_makes_no_figures_current_that_are_behind(
    hours: int, settings: Any, stopped_clock: StoppedClock
) -> None:
    settings.PROJECTION_MODE = "worker"
    with clock.set_to(stopped_clock.now):
        open_account()
    stopped_clock.forward(3600 * hours)
    fresh = freshness.look()
    assert (fresh.behind, fresh.current) == (1, False)


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_changes_meanwhile_does_not_change_how_long_a_page_waits(
    hours: int, settings: Any, stopped_clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROJECTION_MODE = "worker"
    settings.PROJECTION_WAIT = 0.2
    ack = open_account()
    pauses: list[float] = []
    sleep = time.sleep

    def set_clock(seconds: float) -> None:
        stopped_clock.forward(3600 * hours)
        pauses.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", set_clock)
    assert not freshness.look(ack.token).reached
    assert 1 < len(pauses) < 30, "neither given up at once nor without end"


def test_a_token_beyond_the_end_of_the_log_is_waited_for_up_to_that_end(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This happens after a restored backup: the reader knows of an event that the log no longer has."""
    ack = open_account()
    beyond = LogPosition(10**15, 10**6).token
    assert LogPosition.of_token(beyond) > LogPosition.of_token(ack.token)
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", lambda seconds: pytest.fail("it waited for what never comes"))
        assert freshness.look(beyond) == freshness.look(ack.token)

    settings.PROJECTION_MODE, settings.PROJECTION_WAIT = "worker", 0
    deposit(1, 5)
    engine.catch_up(["accounts"])
    assert not freshness.look(beyond).reached, "the last event of the log is still missing"


def test_the_slowest_projection_decides_how_fresh_the_figures_are(settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    open_account(balance=5)
    engine.catch_up(["accounts", "statements", "totals", "daily", "names", "transfers", "tills", "till_movements"])
    assert freshness.look().behind == 2
    assert {state.name: state.behind for state in freshness.projection_states() if state.behind} == {"refusals": 2}
