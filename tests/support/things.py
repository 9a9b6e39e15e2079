"""Streams of events without meaning for the bank, for the event store's own tests."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from eventstore import store
from eventstore.events import Envelope, NewEvent, RecordedEvent
from eventstore.signals import events_appended
from tests.support.values import count

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_read_side(bank: Path, settings: Any) -> None:
    """Disable the projections, because the events mean nothing to them."""
    settings.PROJECTION_MODE = "worker"


@pytest.fixture
def announced() -> Iterator[list[list[RecordedEvent]]]:
    """Return the events that the signal carried."""
    received: list[list[RecordedEvent]] = []

    def listen(events: list[RecordedEvent], **kwargs: Any) -> None:
        received.append(events)

    events_appended.connect(listen, weak=False)
    yield received
    events_appended.disconnect(listen)


def envelope(command_id: UUID | None = None, actor: str = "teller") -> Envelope:
    return Envelope(command_id or uuid4(), "do_something", actor, NOON, b"f" * 32)


def append(stream: str = "thing-1", *numbers: int, after: int = 0, **options: Any) -> list[RecordedEvent]:
    events = [NewEvent("happened", {"number": number}) for number in numbers or (1,)]
    return store.append(stream, events, expected_version=after, **{"command": envelope(), **options})


def assert_unchanged(events: int, commands: int) -> None:
    assert count("eventstore_event") == events
    assert count("eventstore_commandrecord") == commands
