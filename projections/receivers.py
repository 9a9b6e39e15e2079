"""What wakes the projections: the signal of the event store."""

import logging
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from eventstore.records import RecordedEvent
from eventstore.signals import events_appended

logger = logging.getLogger(__name__)


def connect() -> None:
    """Connect the receivers; called once when the application is ready."""
    events_appended.connect(wake_up, dispatch_uid="projections")


def wake_up(sender: Any, events: Sequence[RecordedEvent], **kwargs: Any) -> None:
    """Catch up before the web process answers, unless that is the worker's task.

    The events have been committed, so nothing that goes wrong here may fail the command.
    """
    from . import engine

    if settings.PROJECTION_MODE != "inline":
        return
    try:
        engine.catch_up(events=events)
    except Exception:
        logger.exception("The projections could not catch up; the next wake-up tries again")
