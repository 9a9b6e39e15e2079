"""The choice of the database that a request reads: a replica of the read side, or its primary.

A request reads a replica only if `freshness.look` has chosen it. All writes, and every command of `manage.py`, use the
primary.
"""

import logging
import time
import zlib
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections

logger = logging.getLogger(__name__)

READ_SIDE = "projections"
"""The alias of the read side's primary, and the label of the one app that lives there."""
LEFT_ALONE = 5.0
"""Seconds for which a replica that did not answer is skipped."""

_reading_from: ContextVar[str] = ContextVar("reading_from", default=READ_SIDE)
_asked_again_at: dict[str, float] = {}


def reading_from() -> str:
    """Return the alias of the database that this request reads."""
    return _reading_from.get()


def read_from(alias: str = READ_SIDE) -> None:
    """Set the database that the rest of this request reads."""
    _reading_from.set(alias)


def in_order(reader: str) -> list[str]:
    """Return the replicas in the order in which this reader tries them.

    A reader always starts with the same replica, so pages do not alternate between replicas with different lags.
    """
    aliases: list[str] = settings.PROJECTIONS_REPLICAS
    first = zlib.crc32(reader.encode()) % len(aliases) if aliases else 0
    return aliases[first:] + aliases[:first]


def ask[Answer](alias: str, question: Callable[[str], Answer]) -> Answer | None:
    """Return a replica's answer, or None if it does not answer or was skipped."""
    if alias in _asked_again_at:
        if time.monotonic() < _asked_again_at[alias]:
            return None
        # Only one request tries the replica again; meanwhile the others skip it.
        _asked_again_at[alias] = time.monotonic() + LEFT_ALONE
    try:
        answer = question(alias)
    except (DatabaseError, InterfaceError) as error:
        leave_alone(alias, error)
        return None
    _asked_again_at.pop(alias, None)
    return answer


def leave_alone(alias: str, error: Exception) -> None:
    """Skip a replica for a while."""
    logger.warning("The replica %s does not answer and is left alone for %s s: %s", alias, LEFT_ALONE, error)
    _asked_again_at[alias] = time.monotonic() + LEFT_ALONE
    connections[alias].close()


def reads[**Arguments, Answer](view: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Let a read-only view start again on another database if its replica is lost."""

    @wraps(view)
    def with_another(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        for _ in settings.PROJECTIONS_REPLICAS:
            try:
                return view(*args, **kwargs)
            except (DatabaseError, InterfaceError) as error:
                if reading_from() == READ_SIDE:
                    raise
                leave_alone(reading_from(), error)
                read_from(READ_SIDE)
        return view(*args, **kwargs)

    return with_another


def start_over(sender: Any, **kwargs: Any) -> None:
    """Start a request at the primary. Its thread may have served another request before."""
    read_from(READ_SIDE)
