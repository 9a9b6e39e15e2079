"""Receivers of signals: they wake the projections, and detect a replaced file of the read side."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.signals import request_started
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from eventstore.backends import backend_of
from eventstore.events import RecordedEvent
from eventstore.signals import catch_up_wanted, events_appended

from . import engine, replicas
from .routers import READ_SIDE

logger = logging.getLogger(__name__)


def connect() -> None:
    """Connect the receivers, once, when the application is ready."""
    events_appended.connect(wake_up, dispatch_uid="projections")
    catch_up_wanted.connect(wake_up, dispatch_uid="projections")
    connection_created.connect(remember_file, dispatch_uid="projections")
    request_started.connect(leave_deleted_file, dispatch_uid="projections")
    request_started.connect(replicas.start_over, dispatch_uid="projections.replicas")


def wake_up(sender: Any, events: Sequence[RecordedEvent] = (), **kwargs: Any) -> None:
    """Catch the projections up before the web process answers, or wake the projection workers.

    The events are committed, so no error here may fail the command.
    """
    try:
        if settings.PROJECTION_MODE == "inline":
            engine.keep_up(events)
        else:
            backend_of().wake_followers()
    except Exception:
        logger.exception("The projections could not keep up; the next wake-up tries again")


def remember_file(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Remember the file that a SQLite connection has opened."""
    if connection.alias == READ_SIDE:
        connection.opened_file = _inode()  # type: ignore[attr-defined]


def leave_deleted_file(sender: Any, **kwargs: Any) -> None:
    """Close a connection whose file was deleted or replaced. It would go on reading the deleted file."""
    connection = connections[READ_SIDE]
    if connection.connection is None or connection.in_atomic_block:
        return
    if getattr(connection, "opened_file", None) != _inode():
        connection.close()


def _inode() -> tuple[int, int] | None:
    """Return the device and inode of the read side's file, or None if there is no file."""
    if file := backend_of(READ_SIDE).file:
        with suppress(OSError):
            found = file.stat()
            return found.st_dev, found.st_ino
    return None
