"""Template filters for money and time."""

from datetime import date, datetime

from babel.dates import format_date, format_datetime
from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext

from bank.screens.dates import shown_day
from bank.screens.languages import cached_by_language, current_locale
from bank.screens.money import format_money
from bank.screens.rejections import in_users_language

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
def isolated(name: str) -> SafeString:
    """Return a name whose direction does not change the sentence around it."""
    return format_html("<bdi>{}</bdi>", name)


@register.filter
def when(moment: datetime) -> SafeString:
    """Format a time in the bank's time zone and the reader's locale, to the minute."""
    return _when(int(moment.timestamp()) // 60)


@register.filter
def clock(moment: datetime) -> SafeString:
    """Format the time of day in the bank's time zone, to the minute."""
    return _time(moment, timezone.localtime(moment).strftime("%H:%M"))


@register.filter
def exactly(moment: datetime) -> SafeString:
    """Format a time in the bank's time zone and the reader's locale, to the second."""
    pattern = pgettext("CLDR pattern of a time", "d MMM y, HH:mm:ss z")
    return _time(moment, format_datetime(timezone.localtime(moment), pattern, locale=current_locale()))


def _time(moment: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), text)


@register.filter
@cached_by_language
def on(day: date) -> str:
    """Format a day in the reader's locale."""
    return shown_day(day)


@register.filter
@cached_by_language
def weekday(day: date) -> str:
    """Format a day with its weekday in the reader's locale."""
    return format_date(day, "full", locale=current_locale())


@cached_by_language
def _when(minute: int) -> SafeString:
    moment = datetime.fromtimestamp(60 * minute, timezone.get_default_timezone())
    pattern = pgettext("CLDR pattern of a time", "d MMM y, HH:mm")
    return _time(moment, format_datetime(moment, pattern, locale=current_locale()))


@register.simple_tag
def currency() -> str:
    """Return the bank's currency, for labels."""
    return settings.BANK_CURRENCY


@register.filter
def rejection(sentence: str) -> str:
    """Return the recorded sentence of a rejection in the reader's language."""
    return in_users_language(sentence)


@register.simple_tag
def page_language() -> str:
    """Return the code of the page's language."""
    return get_language() or settings.LANGUAGE_CODE


@register.simple_tag
def bank_name() -> str:
    """The name of the bank, for what is printed."""
    return settings.BANK_NAME


@register.simple_tag
def bank_address() -> list[str]:
    """The lines of the bank's address, for what is printed."""
    return settings.BANK_ADDRESS


@register.simple_tag
def time_zone() -> str:
    """The name of the bank's time zone."""
    return settings.TIME_ZONE


@register.simple_tag
def now_exactly() -> SafeString:
    """This moment, as `exactly` shows it."""
    return exactly(timezone.now())
