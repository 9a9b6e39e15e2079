"""Upcasters: functions that turn the payload of an older version of an event type into one of the next version.

Each event type has versions of its own: the current one is 1 plus the number of its upcasters. Stored events never
change; a payload is upcast step by step whenever it is read.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

type Payload = Mapping[str, Any]
type Upcaster = Callable[[Payload], Payload]


def pin_locked_2(data: Payload) -> Payload:
    """Version 2 records the number of wrong PINs."""
    return {**data, "wrong_pins": None}


UPCASTERS: dict[str, Sequence[Upcaster]] = {
    "pin_locked": [pin_locked_2],
}
"""The upcasters of each event type; the first one makes version 2 of version 1. See docs/evolve-an-event.md."""


class UnknownEvent(Exception):
    """A stored event that this version of the program cannot read."""


class UnreadablePayload(UnknownEvent):
    """A payload that no version of the program has written."""


def current_version(event_type: str) -> int:
    """Return the current version of an event type's payloads."""
    return 1 + len(UPCASTERS.get(event_type, ()))


def upcast(event_type: str, version: int, data: Payload) -> Payload:
    """Return a payload of this version as a payload of the current version.

    Raises:
        UnknownEvent: the version is newer than the program.
        UnreadablePayload: there is no such version, or an upcaster raises.
    """
    if version > current_version(event_type):
        raise UnknownEvent(f"{event_type} of schema version {version} is newer than this program")
    if version < 1:
        raise UnreadablePayload(f"{event_type} has no schema version {version}")
    try:
        for upcaster in UPCASTERS.get(event_type, ())[version - 1 :]:
            data = upcaster(data)
    except Exception as error:
        raise UnreadablePayload(f"{event_type} of schema version {version} cannot be upcast: {error!r}") from error
    return data
