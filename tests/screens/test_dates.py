"""Parsing of typed days, and the times at which days begin and end."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bank.screens import dates
from bank.screens.dates import NotADay, beginning_of, end_of, parse_day

DAY = date(2026, 11, 7)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en_US", "2026-11-07"),
        ("en_US", "2026-11-7"),
        ("en_US", "2026/11/07"),
        ("en_US", "11/7/2026"),
        ("en_US", "7 Nov 2026"),
        ("en_US", "Nov 7, 2026"),
        ("en_US", "7 NOVEMBER 2026"),
        ("en_US", " 7  Nov.\u00a02026 "),
        ("en_US", "2026 Nov 7"),
        ("en_GB", "07/11/2026"),
        ("de_DE", "7.11.2026"),
        ("de_DE", "07. November 2026"),
        ("de_DE", "2026-11-07"),
        ("sv_SE", "2026-11-07"),
        ("en_US", "\uff12\uff10\uff12\uff16-\uff11\uff11-\uff10\uff17"),
        ("ar_EG", "\u0667/\u0661\u0661/\u0662\u0660\u0662\u0666"),
    ],
)
def test_a_day_is_understood_as_the_locale_writes_it(locale: str, text: str, settings: Any) -> None:
    settings.BANK_LOCALE = locale
    assert parse_day(text) == DAY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tomorrow", "Enter a day such as 27 Nov 2026 or 2026-11-27."),
        ("7 Nov", "Enter a day such as"),
        ("7 2026 Nov", "Write the year with four digits"),
        ("7 Foo 2026", "Enter a day such as"),
        ("Nov Nov 2026", "Enter a day such as"),
        ("2026-11-07-08", "Enter a day such as"),
        ("2026-11-07T10:00", "Enter a day such as"),
        ("-", "Enter a day such as"),
        ("2026-02-30", "There is no such day"),
        ("31/12/2026", "There is no such day"),
        ("2026-00-01", "There is no such day"),
        ("11/7/26", "Write the year with four digits, from 1900 to 2199."),
        ("0000-00-00", "Write the year"),
        ("9999-12-31", "Write the year"),
        ("1899-12-31", "Write the year"),
        ("2200-01-01", "Write the year"),
        ("9" * 5000, "Enter a day such as"),
        ("9" * 5000 + "/1/2026", "Enter a day such as"),
        ("1" * 9 + "/1/2026", "Enter a day such as"),
        ("²026-11-07", "Enter a day such as"),
        ("\u202e2026-11-07", "Enter a day such as"),
    ],
)
def test_an_invalid_day_is_refused_with_an_example(text: str, reason: str) -> None:
    with pytest.raises(NotADay) as caught:
        parse_day(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # without a midnight
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("America/Havana", date(2026, 11, 1), 25),  # with two midnights
        ("Pacific/Apia", date(2011, 12, 30), 0),  # this day did not exist
    ],
)
def test_a_day_has_the_hours_of_the_banks_time_zone(zone: str, day: date, hours: int, settings: Any) -> None:
    settings.TIME_ZONE = zone
    assert (end_of(day) - beginning_of(day)).total_seconds() == hours * 3600


def test_a_day_begins_at_midnight_in_the_banks_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    assert beginning_of(DAY) == datetime(2026, 11, 6, 15, tzinfo=UTC)
    for year in (dates.YEARS[0], dates.YEARS[-1]):
        assert beginning_of(date(year, 1, 1)) < end_of(date(year, 12, 31))
