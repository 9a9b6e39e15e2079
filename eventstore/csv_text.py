"""CSV files (RFC 4180) that a spreadsheet reads correctly, and none of whose cells it runs."""

import csv
import re
from collections.abc import Iterable
from io import StringIO

BYTE_ORDER_MARK = "\ufeff"
"""Without it, Excel reads a UTF-8 file in the code page of the machine."""
CONTENT_TYPE = "text/csv; charset=utf-8; header=present"
_RUNS = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""The beginning of a text that a spreadsheet may take for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""


def written(lines: Iterable[Iterable[object]]) -> str:
    """Return lines of cells as a part of a CSV file."""
    part = StringIO()
    csv.writer(part).writerows(lines)
    return part.getvalue()


def text_cell(text: str) -> str:
    """Return a text with an apostrophe in front if it begins like a formula."""
    return f"'{text}" if _RUNS.match(text) else text
