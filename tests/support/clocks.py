"""A clock that stands still until a test moves it, so that waits do not depend on the machine's speed."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone


class StoppedClock:
    """The current time of this process."""

    def __init__(self) -> None:
        self.seconds, self.now = time.time(), timezone.now()

    def forward(self, seconds: float) -> None:
        self.seconds += seconds
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    clock = StoppedClock()
    monkeypatch.setattr(time, "time", lambda: clock.seconds)
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock
