"""What a verification finds, the first of each stream."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What a row raises that the store cannot have written."""


class Finding(NamedTuple):
    """Something that does not fit. What belongs to no stream has an empty one, what belongs to no event no version."""

    stream: str
    version: int
    position: int
    what: str

    def __str__(self) -> str:
        version = f" version {self.version}" if self.version else ""
        position = f" (position {self.position})" if self.position else ""
        return f"{self.stream or 'the log'}{version}{position}: {self.what}"


class Findings:
    """The first finding of each stream."""

    def __init__(self) -> None:
        self._first: dict[str, Finding] = {}

    def add(self, stream: Any, version: Any, position: int, what: str) -> None:
        """Note a finding, if it is the first of its stream."""
        finding = Finding(str(stream), version if isinstance(version, int) else 0, position, what)
        known = self._first.get(finding.stream)
        if known is None or 0 < finding.version < (known.version or math.inf):
            self._first[finding.stream] = finding

    def join(self, others: Iterable[Finding]) -> None:
        """Note what was found elsewhere."""
        for finding in others:
            self.add(*finding)

    def __iter__(self) -> Iterator[Finding]:
        return iter(sorted(self._first.values(), key=lambda finding: (finding.position, finding.stream)))
