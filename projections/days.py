"""The days of the bank's time zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django.utils import timezone


def day_of(moment: Any) -> tuple[date, Any, Any]:
    """Return a moment's day in the bank's time zone, and when that begins and when it is over, in UTC.

    Args:
        moment: a datetime in UTC, or text as SQLite gives it; then the others are so too, and compare as moments do.
    """
    global _last
    zone = timezone.get_default_timezone()
    for_zone, day, begins, ends = _last
    if for_zone is zone and type(begins) is type(moment) and begins <= moment < ends:
        return day, begins, ends  # mostly it is today
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    day = known.astimezone(zone).date()
    begins, ends = _bounds_of(day, zone)
    if isinstance(moment, str):
        begins, ends = str(begins), str(ends)
    _last = zone, day, begins, ends
    return day, begins, ends


_last: tuple[Any, Any, Any, Any] = None, None, None, None
"""What was told last: the zone, the day, and when it begins and ends."""


@lru_cache(maxsize=64)
def _bounds_of(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    return _begin_of(day, zone), _begin_of(day + timedelta(days=1), zone)


def _begin_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
