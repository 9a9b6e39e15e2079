"""Template tags of entries, and of links from figures to their events."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from babel.dates import format_date
from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from bank.domain.streams import stream_of
from bank.screens.languages import cached_by_language, current_locale
from projections.queries import Entry

register = template.Library()


@register.simple_tag(takes_context=True)
def rows_of(context: Context, entries: Iterable[Entry], with_account: bool, with_teller: bool = False) -> SafeString:
    """Render entries as the rows of a table: each with its account and holder, or those of one account by day.

    `with_teller` adds the teller to a refusal.
    """
    prefix, with_event = get_script_prefix(), may_inspect(context.get("user"))
    parts: list[SafeString] = []
    last: date | None = None
    for entry in entries:
        if not with_account and (day := _day_of(entry.recorded_at)) != last:
            parts.append(_day_head(last := day))
        parts.append(_row(entry, with_account, bool(with_teller), with_event, prefix))
    return SafeString("".join(parts))


@lru_cache(maxsize=4096)
def _day_of(moment: datetime) -> date:
    return timezone.localdate(moment)


@cached_by_language
def _day_head(day: date) -> SafeString:
    """Render the row above the entries of a day."""
    words = format_date(day, "full", locale=current_locale())
    head = '<tr role="row" class="day"><th role="rowheader" scope="rowgroup" colspan="5">{}</th></tr>'
    return format_html(head, words)


@cached_by_language
def _row(entry: Entry, with_account: bool, with_teller: bool, with_event: bool, prefix: str) -> SafeString:
    """Render a row once: an entry never changes, and many pages show it (docs/performance.md)."""
    context = {"entry": entry, "with_account": with_account, "with_teller": with_teller, "with_event": with_event}
    return render_to_string("bank/entries.html#row", context)


@register.filter
def what_happened(entry: Entry) -> SafeString:
    """Return the words of an entry, with the name of the other account's holder isolated from their direction."""
    if not (entry.before_other and entry.other_holder):
        return conditional_escape(entry.words)
    return format_html("{} {} <bdi>{}</bdi>", entry.before_other, entry.other_account_id, entry.other_holder)


def may_inspect(user: Any) -> bool:
    """Return whether a user may see events in the inspector."""
    return bool(user and user.is_staff and user.has_perm("eventstore.view_event"))


@register.simple_tag(takes_context=True)
def event_page(context: Context, position: int) -> str:
    """Return the URL of an event in the inspector, or the empty string for users who may not see it."""
    return reverse("admin:eventstore_event_change", args=[position]) if may_inspect(context.get("user")) else ""


@register.simple_tag(takes_context=True)
def events_page(context: Context, account_id: int) -> str:
    """Return the URL of an account's events in the inspector, or the empty string for users who may not see them."""
    if not may_inspect(context.get("user")):
        return ""
    return f"{reverse('admin:eventstore_event_changelist')}?{urlencode({'q': stream_of(account_id)})}"
