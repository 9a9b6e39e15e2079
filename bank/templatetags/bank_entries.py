"""The template tag of entries: statement lines and refused withdrawals."""

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.safestring import SafeString

from projections.queries import Entry

register = template.Library()


@register.simple_tag
def rows_of(entries: Iterable[Entry], with_account: bool) -> SafeString:
    """Render entries as the rows of a table, each with its account and holder if `with_account` is true."""
    prefix = get_script_prefix()
    return SafeString("".join([_row(entry, with_account, prefix) for entry in entries]))


@lru_cache(maxsize=4096)
def _row(entry: Entry, with_account: bool, prefix: str) -> SafeString:
    """Render a row once: an entry never changes, and many pages show it (docs/performance.md)."""
    return render_to_string("bank/entries.html#row", {"entry": entry, "with_account": with_account})
