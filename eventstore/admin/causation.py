"""The tree of causes and effects: the first command, its events, the commands that they led to, and so on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from ..models import CommandRecord, Event
from .search import isolated, link, uuid_in

MOST = 100
"""The largest number of commands in a tree."""
DEEPEST = 5
"""The largest number of commands one below the other."""


class Tree(NamedTuple):
    """The tree of one chain of commands, as nested lists for the filter `unordered_list`.

    `is_cut` is true if the chain has more commands.
    """

    lines: Sequence[Any]
    is_cut: bool


def tree_of(shown: Event | CommandRecord) -> Tree | None:
    """Return the tree that an event or a command is in, or None if its first command is not on record."""
    first = _first_command(shown)
    if first is None:
        return None
    commands, events, is_cut = [first], dict[UUID, list[Event]](), False
    caused: dict[str, list[CommandRecord]] = defaultdict(list)
    level = [first]
    for depth in range(DEEPEST + 1):
        events |= _events_of(level)
        names = [name_of(event) for command in level for event in events.get(command.id, ())]
        found = _caused_by(names, MOST - len(commands) + 1)
        room = MOST - len(commands) if depth < DEEPEST else 0
        is_cut = is_cut or len(found) > room
        known = {command.id for command in commands}
        level = [command for command in found[:room] if command.id not in known]
        if not level:
            break
        commands += level
        for command in level:
            caused[command.causation].append(command)
    return Tree(_lines([first], events, caused, shown), is_cut)


def name_of(event: Event) -> str:
    """Return the name of an event in the causation of commands."""
    return f"{event.stream}@{event.version}"


def _first_command(shown: Event | CommandRecord) -> CommandRecord | None:
    """Return the first command of the chain. Each event of a chain names it in its metadata."""
    if isinstance(shown, CommandRecord):
        if not shown.causation:
            return shown
        stream, _, version = shown.causation.rpartition("@")
        number = int(version) if version.isascii() and version.isdecimal() and len(version) < 19 else 0
        event = Event.objects.filter(stream=stream, version=number).first()
    else:
        event = shown
    command_id = uuid_in(str(event.metadata.get("correlation_id"))) if event else None
    return CommandRecord.objects.filter(id=command_id).first() if command_id else None


def _events_of(commands: Iterable[CommandRecord]) -> dict[UUID, list[Event]]:
    """Return the events of accepted commands, by command id."""
    which = Q(pk__in=[])
    for command in commands:
        if command.version is not None:
            versions = range(command.version - command.event_count + 1, command.version + 1)
            which |= Q(stream=command.stream, version__in=list(versions)[:MOST])
    events: dict[UUID, list[Event]] = defaultdict(list)
    for event in Event.objects.filter(which).order_by("position"):
        events[event.command_id].append(event)
    return events


def _caused_by(names: Sequence[str], limit: int) -> list[CommandRecord]:
    """Return the commands that events led to."""
    if not names:
        return []
    # Only this condition lets SQLite use the partial index.
    caused = CommandRecord.objects.extra(where=["NOT (causation = '')"]).filter(causation__in=names)
    return list(caused.order_by("received_at", "id")[:limit])


def _lines(
    commands: Iterable[CommandRecord],
    events: Mapping[UUID, Sequence[Event]],
    caused: Mapping[str, Sequence[CommandRecord]],
    shown: Event | CommandRecord,
) -> list[Any]:
    lines: list[Any] = []
    for command in commands:
        lines.append(_command_line(command, shown))
        below: list[Any] = []
        for event in events.get(command.id, ()):
            below.append(_line(event, f"{event.position}: {event.type} {name_of(event)}", shown))
            if further := caused.get(name_of(event)):
                below.append(_lines(further, events, caused, shown))
        if below:
            lines.append(below)
    return lines


def _command_line(command: CommandRecord, shown: Event | CommandRecord) -> SafeString:
    actor = command.actor or gettext("nobody")
    line = _line(command, gettext("{command} by {actor}").format(command=command.name, actor=actor), shown)
    rejected = gettext("rejected: {message}").format(message=command.message)
    return format_html("{}, {}", line, rejected) if command.version is None else line


def _line(row: Event | CommandRecord, text: str, shown: Event | CommandRecord) -> SafeString:
    """Return a link to a row, or its text alone if its page is shown."""
    if row == shown:
        return format_html('<strong aria-current="page">{}</strong>', isolated(text))
    return link(type(row), row.pk, isolated(text))
