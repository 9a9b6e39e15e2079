"""A clock that stops until a test moves it, so that waits do not depend on the machine's speed."""

import time
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from eventstore import shared_clock


class StoppedClock:
    """The current time of this process."""

    def __init__(self) -> None:
        self.seconds = time.time()

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def forward(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    clock = StoppedClock()
    monkeypatch.setattr(time, "time", lambda: clock.seconds)
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    monkeypatch.setattr(shared_clock, "ahead", lambda: 0.0)  # the database's clock cannot be stopped
    return clock
