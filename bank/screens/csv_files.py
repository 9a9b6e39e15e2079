"""Entries as a CSV file, for spreadsheets and programs."""

from collections.abc import Iterable, Iterator
from itertools import batched

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from eventstore.csv_text import BYTE_ORDER_MARK, text_cell, written
from eventstore.csv_text import CONTENT_TYPE as CONTENT_TYPE
from projections.queries import Entry

from .money import plain_decimal

AT_ONCE = 500
"""The number of lines in one part of the file."""


def csv_file(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the parts of a CSV file with a line for each entry, of at most `AT_ONCE` lines."""
    currency = settings.BANK_CURRENCY
    head = [
        gettext("Date"),
        f"{gettext('Time')} ({settings.TIME_ZONE})",
        gettext("What happened"),
        f"{gettext('Amount')} ({currency})",
        f"{gettext('Balance')} ({currency})",
        f"{gettext('Asked for')} ({currency})",
        gettext("By"),
        gettext("Receipt"),
        gettext("Reverses receipt"),
        gettext("Reversed by receipt"),
        gettext("Reason"),
    ]
    yield BYTE_ORDER_MARK + written([head])
    for some in batched(entries, AT_ONCE):
        yield written(map(_cells, some))


def _cells(entry: Entry) -> Iterator[object]:
    """Yield the cells of an entry. Money that was paid out is a negative number."""
    moment = timezone.localtime(entry.recorded_at)
    yield moment.date().isoformat()
    yield moment.time().isoformat("seconds")
    yield text_cell(entry.words)
    yield plain_decimal(entry.sign * entry.amount) if entry.sign else ""
    yield "" if entry.balance is None or entry.is_refusal else plain_decimal(entry.balance)
    yield plain_decimal(entry.amount) if entry.is_refusal and entry.amount else ""
    yield text_cell(entry.actor)
    yield entry.position
    yield (entry.about_position or "") if entry.is_correction else ""
    yield entry.reversed_at or ""
    yield text_cell(entry.reason) if entry.is_correction else ""
