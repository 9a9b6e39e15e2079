"""The days of the bank's time zone, whatever form a database gives a moment in."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from projections.days import day_of

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _zone(settings: Any) -> None:
    settings.TIME_ZONE = ZONE.key


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOMENTS | MOMENTS.map(lambda moment: moment.replace(microsecond=0)), MOMENTS)
def test_moments_and_their_texts_fall_on_the_same_day(moment: datetime, other: datetime) -> None:
    day, begins, ends = day_of(moment)
    assert day == moment.astimezone(ZONE).date()
    assert begins <= moment < ends
    assert day_of(str(moment)) == (day, str(begins), str(ends))
    assert (str(begins) <= str(other) < str(ends)) == (begins <= other < ends)


@pytest.mark.parametrize("day", [datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 7, 1)])
def test_a_day_ends_where_the_next_one_begins_though_the_clocks_change(day: datetime) -> None:
    begins = day.replace(tzinfo=ZONE).astimezone(UTC)
    ends = (day + timedelta(days=1)).replace(tzinfo=ZONE).astimezone(UTC)
    a_moment = timedelta(microseconds=1)
    for moment in (begins, begins + a_moment, ends - a_moment):
        assert day_of(str(moment)) == (day.date(), str(begins), str(ends))
        assert str(begins) <= str(moment) < str(ends)
    assert day_of(str(ends))[0] == day_of(str(begins - a_moment))[0] + timedelta(days=2)
