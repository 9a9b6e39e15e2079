"""What is typed into the inspector's search fields, and how it shows what it finds."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def number_in(term: str) -> int | None:
    """Return the number that was typed, if it is one that a column can hold."""
    digits = term.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 19):
        return None
    number = int(digits)
    return number if number < 2**63 else None


def uuid_in(term: str) -> UUID | None:
    """Return the UUID that was typed, if it is one."""
    try:
        return UUID(term)
    except ValueError:
        return None


def streams_of(number: int) -> list[str]:
    """Return the names of the streams that may be meant by a number."""
    return [f"{category}-{number}" for category in getattr(settings, "EVENTSTORE_CATEGORIES", ())]


def shown(name: str, value: object) -> str:
    """Return a value as it is read best: numbers in groups of three, unless they are ids."""
    is_amount = isinstance(value, int) and not isinstance(value, bool) and not name.lower().endswith("id")
    return "-" if value is None else f"{value:,}" if is_amount else f"{value}"


def readable(data: dict[str, Any]) -> str:
    """Return a payload in one line: "accountId 7, amount 1,250"."""
    return ", ".join(f"{name} {shown(name, value)}" for name, value in sorted(data.items()))


def pretty(value: object) -> SafeString:
    """Return JSON with a line for each entry, in the order in which it is hashed; PostgreSQL has one of its own."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def link(model: type[Model], key: object, text: object) -> SafeString:
    """Return a link to the page of a row."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[key]), text)


def hex_of(value: bytes | memoryview) -> SafeString:
    """Return bytes, in whichever type a database has them, in hexadecimal."""
    return format_html("<code>{}</code>", bytes(value).hex())
