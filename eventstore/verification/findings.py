"""Findings of a verification: the first one of each stream."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

LOG = "the log"
"""The stream name of a finding that concerns no stream."""
LONGEST = 4000
"""The largest number of characters printed of a finding's text."""


def shown(value: object) -> str:
    """Return a value as a finding shows it: at most 100 characters of its `repr`."""
    try:
        return f"{value!r:.100}"
    except (ValueError, RecursionError):  # an integer of thousands of digits, or lists within lists
        return f"a {type(value).__name__} that is too long to show"


def whole(value: Any, otherwise: int = 0) -> int:
    """Return a row's value if it is an integer, otherwise the default."""
    return value if type(value) is int else otherwise


class Finding(NamedTuple):
    """One fault of the record.

    `stream` is `LOG` if the finding concerns no stream. `version` and `position` are 0 if it concerns no event.
    """

    stream: str
    version: int
    position: int
    what: str

    def __str__(self) -> str:
        version = f" version {self.version}" if self.version else ""
        position = f" (position {self.position})" if self.position else ""
        text = f"{self.stream:.200}{version}{position}: {self.what:.{LONGEST}}"
        # A stored name may contain terminal control characters or characters that cannot be encoded.
        return text if text.isprintable() else text.encode("unicode_escape").decode()


class Findings:
    """The first finding of each stream."""

    def __init__(self) -> None:
        self._first: dict[str, Finding] = {}

    def add(self, stream: Any, version: Any, position: Any, what: str) -> None:
        """Add a finding if it is the first of its stream. The values come from a row and may have any type."""
        name = stream if stream and isinstance(stream, str) else shown(stream)
        finding = Finding(name, whole(version), whole(position), what)
        known = self._first.get(finding.stream)
        if known is None or 0 < finding.version < (known.version or math.inf):
            self._first[finding.stream] = finding

    def join(self, others: Iterable[Finding]) -> None:
        """Add the findings of another collection."""
        for finding in others:
            self.add(*finding)

    def __iter__(self) -> Iterator[Finding]:
        return iter(sorted(self._first.values(), key=lambda finding: (finding.position, finding.stream)))
