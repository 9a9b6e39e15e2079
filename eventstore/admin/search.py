"""Parsing of the inspector's search terms, and formatting of its values."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .display import display


def number_in(term: str) -> int | None:
    """Return the number in a search term, or None if it is no number or too large for a column."""
    digits = term.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 19):
        return None
    number = int(digits)
    return number if number < 2**63 else None


def uuid_in(term: str) -> UUID | None:
    """Return the UUID in a search term, or None."""
    try:
        return UUID(term)
    except ValueError:
        return None


def streams_of(number: int) -> list[str]:
    """Return the names of the streams that a number may stand for."""
    return [f"{category}-{number}" for category in getattr(settings, "EVENTSTORE_CATEGORIES", ())]


def readable(data: dict[str, Any]) -> str:
    """Return a payload in one line: "accountId 7, amount 12.50 USD". Of an id only the beginning is shown."""
    return ", ".join(f"{name} {_shortened(display().inline(name, value))}" for name, value in sorted(data.items()))


def _shortened(text: str) -> str:
    return f"{text[:8]}…" if len(text) == 36 and uuid_in(text) else text


def pretty(value: object) -> SafeString:
    """Return indented JSON with sorted keys, the order that is hashed. PostgreSQL's JSONB has another order."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def moment(time: datetime, precision: str = "seconds", *, zone: bool = True) -> SafeString:
    """Return a time in the time zone of the settings, with the name of the zone unless the column's heading has it."""
    local = timezone.localtime(time)
    text = local.replace(tzinfo=None).isoformat(" ", precision) + (f" {local:%Z}" if zone else "")
    return format_html('<time datetime="{}">{}</time>', time.isoformat(), text)


def isolated(text: object) -> SafeString:
    """Return a text whose direction does not change the text around it."""
    return format_html("<bdi>{}</bdi>", text)


def _time_heading(text: object) -> str:
    return f"{text} ({settings.TIME_ZONE})"


time_heading = lazy(_time_heading, str)
"""Return the heading of a column of times, with their time zone."""


def link(model: type[Model], key: object, text: object) -> SafeString:
    """Return a link to the admin page of a row."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[key]), text)


def hex_of(value: bytes | memoryview) -> SafeString:
    """Return bytes or a memoryview as hexadecimal HTML."""
    return format_html("<code>{}</code>", bytes(value).hex())
