"""The days of the bank's time zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from django.utils import timezone

NEVER = datetime.max.replace(tzinfo=UTC)


def day_of(moment: datetime) -> tuple[date, datetime, datetime]:
    """Return a moment's day in the bank's time zone, and when that begins and when it is over, in UTC."""
    zone = timezone.get_default_timezone()
    day = moment.astimezone(zone).date()
    return day, _begin_of(day, zone), _begin_of(day + timedelta(days=1), zone)


@lru_cache(maxsize=64)
def _begin_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
