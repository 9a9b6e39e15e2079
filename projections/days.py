"""The days of the bank's time zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django.utils import timezone


def day_of(moment: datetime | str) -> tuple[date, Any, Any]:
    """Return a moment's day in the bank's time zone, and when that begins and when it is over, in UTC.

    Where the moment is text as SQLite gives it, the others are so too: texts in this form compare as moments do.
    """
    zone = timezone.get_default_timezone()
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    day = known.astimezone(zone).date()
    begins, ends = _bounds_of(day, zone)
    return (day, str(begins), str(ends)) if isinstance(moment, str) else (day, begins, ends)


@lru_cache(maxsize=64)
def _bounds_of(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    return _begin_of(day, zone), _begin_of(day + timedelta(days=1), zone)


def _begin_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
