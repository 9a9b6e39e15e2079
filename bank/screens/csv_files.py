"""Entries as a CSV file (RFC 4180), for spreadsheets and programs."""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import batched

from django.conf import settings
from django.utils import timezone

from projections.queries import Entry

from .money import plain_decimal

BYTE_ORDER_MARK = "\ufeff"
"""Without it, Excel reads a UTF-8 file in the code page of the machine."""
AT_ONCE = 500
"""The number of lines in one part of the file."""
_RUNS = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""The beginning of a text that a spreadsheet may take for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""


def csv_file(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the parts of a CSV file with a line for each entry, of at most `AT_ONCE` lines."""
    currency = settings.BANK_CURRENCY
    head = [
        "Date",
        f"Time ({settings.TIME_ZONE})",
        "What happened",
        f"Amount ({currency})",
        f"Balance ({currency})",
        f"Asked for ({currency})",
        "By",
        "Receipt",
        "Reverses receipt",
        "Reversed by receipt",
        "Reason",
    ]
    yield BYTE_ORDER_MARK + _written([head])
    for some in batched(entries, AT_ONCE):
        yield _written(map(_cells, some))


def _written(lines: Iterable[Iterable[object]]) -> str:
    part = StringIO()
    csv.writer(part).writerows(lines)
    return part.getvalue()


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


def text_cell(text: str) -> str:
    """Return a text with an apostrophe in front if it begins like a formula."""
    return f"'{text}" if _RUNS.match(text) else text
