"""Template filters for money and time."""

from datetime import date, datetime
from functools import lru_cache

from babel.dates import format_date, format_datetime
from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString

from bank.screens.money import format_money

register = template.Library()


@register.filter
def digits(number: int) -> SafeString:
    """Format an integer without separators. Django's own formatting looks up the language each time."""
    return SafeString(int(number))


@register.filter
def money(minor_units: int) -> str:
    """Format minor units as "1,234.56"."""
    return format_money(minor_units)


@register.filter
def unsigned(minor_units: int) -> str:
    """Format minor units without their sign."""
    return format_money(abs(minor_units))


@register.filter
def signed(minor_units: int) -> str:
    """Format minor units with a sign: "+5.00"."""
    return f"+{format_money(minor_units)}" if minor_units > 0 else format_money(minor_units)


@register.filter
def when(moment: datetime) -> str:
    """Format a time in the bank's time zone and locale, to the minute."""
    return _when(int(moment.timestamp()) // 60)


@register.filter
def exactly(moment: datetime) -> str:
    """Format a time in the bank's time zone and locale, to the second."""
    return format_datetime(timezone.localtime(moment), "d MMM y, HH:mm:ss z", locale=settings.BANK_LOCALE)


@register.filter
@lru_cache(maxsize=512)
def on(day: date) -> str:
    """Format a day in the bank's locale."""
    return format_date(day, "d MMM y", locale=settings.BANK_LOCALE)


@lru_cache(maxsize=4096)
def _when(minute: int) -> str:
    moment = datetime.fromtimestamp(60 * minute, timezone.get_default_timezone())
    return format_datetime(moment, "d MMM y, HH:mm", locale=settings.BANK_LOCALE)


@register.simple_tag
def currency() -> str:
    """Return the bank's currency, for labels."""
    return settings.BANK_CURRENCY


@register.simple_tag
def bank_name() -> str:
    """The name of the bank, for what is printed."""
    return settings.BANK_NAME


@register.simple_tag
def time_zone() -> str:
    """The name of the bank's time zone."""
    return settings.TIME_ZONE


@register.simple_tag
def now_exactly() -> str:
    """This moment, as `exactly` shows it."""
    return exactly(timezone.now())
