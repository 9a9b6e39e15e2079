"""The check of causation: a command that an event led to belongs to the chain of that event.

The two are in different streams, so the process that reads all rows compares them. It looks the causing events up in
batches.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..backends.base import Backend
from ..errors import UNREADABLE
from .findings import shown

BATCH = 500
"""The number of causing events that one query looks up."""


class Caused(NamedTuple):
    """A command that an event led to.

    `position` and `correlation` are those of its last event, or None for a rejected command. `find` adds a finding.
    """

    causation: str
    position: int | None
    correlation: object
    find: Callable[[str], object]


class Causes:
    """Compares each caused command with the event that led to it."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._waiting: list[Caused] = []

    def add(self, causation: object, event: Sequence[Any] | None, find: Callable[[str], object]) -> None:
        """Add a command.

        Args:
            causation: the value of its record. The record of a user's command has an empty one.
            event: the row of its last event, if it has one.
            find: adds a finding about the command.
        """
        if not causation or not isinstance(causation, str):  # the reader finds what is no text
            return
        position, correlation = (event[0], _correlation(event[6])) if event else (None, None)
        self._waiting.append(Caused(causation, position, correlation, find))
        if len(self._waiting) == BATCH:
            self.compare()

    def compare(self) -> None:
        """Compare the added commands."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        names = {each.causation: _place(each.causation) for each in waiting}
        events = self._events([place for place in names.values() if place])
        for each in waiting:
            place = names[each.causation]
            event = events.get(place) if place else None
            if event is None:
                each.find(f"the event that led to it, {shown(each.causation)}, is missing")
            elif each.position is not None and event[0] >= each.position:
                each.find(f"the event that led to it, {each.causation}, is after it")
            elif each.position is not None and each.correlation != _correlation(event[1]):
                each.find(f"it belongs to another chain of commands than {each.causation}, which led to it")

    def _events(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, Any]]:
        """Return the position and the metadata of the events at these places, by stream and version."""
        if not places:
            return {}
        values = ", ".join(["(%s, %s)"] * len(places))
        rows = self.backend.chunked_rows(
            f"""SELECT stream, version, position, metadata FROM eventstore_event
                WHERE (stream, version) IN (VALUES {values})""",
            [value for place in places for value in place],
        )
        return {(stream, version): (position, metadata) for stream, version, position, metadata in rows}


def _place(causation: str) -> tuple[str, int] | None:
    """Return the stream and the version of an event's name, or None if it is no such name."""
    stream, _, version = causation.rpartition("@")
    is_name = stream and version.isascii() and version.isdecimal() and len(version) < 19
    return (stream, int(version)) if is_name else None


def _correlation(metadata: Any) -> object:
    """Return the correlation id of an event's metadata, or None."""
    try:
        return json.loads(metadata)["correlation_id"]
    except UNREADABLE:
        return None
