"""The states of a stream: before and after an event, and the running figure at each of its events."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from ..models import Event
from .display import display

logger = logging.getLogger(__name__)


class Change(NamedTuple):
    """One entry of a state, before and after an event."""

    name: str
    label: str
    before: str
    after: str
    changed: bool


def _states_of(stream: str, first: int, last: int) -> Iterator[dict[str, Any]]:
    states: Iterator[dict[str, Any]] = import_string(settings.EVENTSTORE_STATES_OF)(stream, first, last)
    return states


def changes(event: Event) -> list[Change] | None:
    """Return the state of the event's stream before and after it, or None if it cannot be rebuilt."""
    try:
        before, after = _states_of(event.stream, event.version - 1, event.version)
    except Exception:  # the page of an old or unknown event must still open
        logger.exception("The state of %s at %s could not be rebuilt", event.stream, event.version)
        return None
    shown = display()
    pairs = {name: (before.get(name), after.get(name)) for name in {**before, **after}}
    return [
        Change(name, shown.heading(name), shown.text(name, old), shown.text(name, new), old != new)
        for name, (old, new) in pairs.items()
    ]


def figures(stream: str, first: int, last: int) -> Iterator[Any]:
    """Yield the running figure of a stream at each version, or nothing from the first one that cannot be rebuilt."""
    name = display().figure_of(stream)
    if name is None:
        return
    try:
        for state in _states_of(stream, first, last):
            yield state.get(name)
    except Exception:
        logger.exception("The states of %s from %s on could not be rebuilt", stream, first)


def figure_at(events: Sequence[Event]) -> dict[int, Any]:
    """Return the running figures of some events of one stream, by version."""
    if not events:
        return {}
    versions = [event.version for event in events]
    first, last = min(versions), max(versions)
    return dict(zip(range(first, last + 1), figures(events[0].stream, first, last), strict=False))
