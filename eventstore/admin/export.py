"""The export of filtered events, as CSV for spreadsheets and as JSON lines for programs, in flat memory."""

import json
from collections.abc import Iterator
from itertools import batched, count
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from .. import store
from ..csv_text import BYTE_ORDER_MARK, text_cell, written
from ..models import Event
from .display import display
from .search import readable, time_heading
from .states import figures

AT_ONCE = 1000
"""The largest number of events in memory."""


def in_order(events: QuerySet[Event], *, stream: str | None, by_time: bool) -> Iterator[Event]:
    """Yield events, the first one first, in the order of the index that finds them.

    Args:
        stream: the only stream of the events, if there is one.
        by_time: whether they are limited by their time.
    """
    order = ["version"] if stream else ["recorded_at", "position"] if by_time else ["position"]
    events = events.filter(position__lte=store.last_position()).order_by(*order)
    batch = list(events[:AT_ONCE])
    while batch:
        yield from batch
        batch = list(_after(events, batch[-1], order)[:AT_ONCE]) if len(batch) == AT_ONCE else []


def _after(events: QuerySet[Event], last: Event, order: list[str]) -> QuerySet[Event]:
    """Return the events after one of them."""
    if len(order) == 1:
        return events.filter(**{f"{order[0]}__gt": getattr(last, order[0])})
    later = Q(recorded_at__gt=last.recorded_at) | Q(position__gt=last.position)
    return events.filter(later, recorded_at__gte=last.recorded_at)


def csv_parts(events: Iterator[Event], stream: str | None) -> Iterator[str]:
    """Yield the parts of a CSV file. The events of one stream have its running figure."""
    figure = display().figure_of(stream) if stream else None
    head = [gettext("Position"), gettext("Date"), time_heading(gettext("Time")), gettext("Stream"), gettext("Version")]
    head += [gettext("Event"), gettext("Type"), gettext("Payload"), gettext("Actor"), gettext("Command")]
    head += [display().heading(figure)] if figure else []
    running = _Running(stream, figure) if stream and figure else None
    yield BYTE_ORDER_MARK + written([head])
    for some in batched(events, AT_ONCE):
        yield written([*_cells(event), *([running.at(event)] if running else [])] for event in some)


def _cells(event: Event) -> Iterator[object]:
    moment = timezone.localtime(event.recorded_at)
    yield event.position
    yield moment.date().isoformat()
    yield moment.time().isoformat("milliseconds")
    yield text_cell(event.stream)
    yield event.version
    yield text_cell(display().title(event.type))
    yield text_cell(event.type)
    yield text_cell(readable(event.data))
    yield text_cell(str(event.metadata.get("actor") or ""))
    yield event.command_id


class _Running:
    """The running figure of a stream while its events are read in order, of which some may be left out."""

    def __init__(self, stream: str, name: str) -> None:
        self.name = name
        self.figures = zip(count(1), figures(stream, 1, store.LATEST), strict=False)

    def at(self, event: Event) -> str:
        value = next((value for version, value in self.figures if version == event.version), None)
        return display().plain(self.name, value)


def json_lines(events: Iterator[Event]) -> Iterator[str]:
    """Yield the parts of a file with one event a line, as it is stored."""
    for some in batched(events, AT_ONCE):
        yield "".join(f"{json.dumps(_stored(event), ensure_ascii=False)}\n" for event in some)


def _stored(event: Event) -> dict[str, Any]:
    return {
        "position": event.position,
        "stream": event.stream,
        "version": event.version,
        "type": event.type,
        "schema_version": event.schema_version,
        "data": event.data,
        "metadata": event.metadata,
        "command_id": str(event.command_id),
        "recorded_at": event.recorded_at.isoformat(),
        "hash": bytes(event.hash).hex(),
    }
