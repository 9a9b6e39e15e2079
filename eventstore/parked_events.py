"""Parked events: a subscription has passed over them, because only a newer version of the program can answer them.

Each has a row of its own among the subscriptions, with the name `SUBSCRIPTION@POSITION`. What follows from later events
does not wait for it. Workers of every version try it again, and the row goes once one of them has answered the event.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import positions
from .backends import backend_of
from .events import RecordedEvent

if TYPE_CHECKING:
    from .subscriptions import Subscriber

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""The largest number of parked events that are tried again in one round."""


class NeedsNewerVersion(Exception):
    """Only a newer version of the program can answer an event."""


def park(name: str, event: RecordedEvent, error: Exception) -> None:
    """Record that a subscription passes over an event for now."""
    now = backend_of().time_in(0)
    with backend_of().transaction() as cursor:
        cursor.execute(
            f"""INSERT INTO eventstore_subscription
                (name, transaction_id, position, updated_at, error, failed_position, failed_at, worker)
                VALUES (%s, %s, %s, {now}, %s, %s, {now}, '')
                ON CONFLICT (name) DO UPDATE SET error = excluded.error, failed_at = excluded.failed_at""",
            [f"{name}@{event.position}", *event.log_position, text_of(error), event.position],
        )


def text_of(error: Exception) -> str:
    """Return the text of an error for the row of a subscription."""
    shown = error.__cause__ if isinstance(error, NeedsNewerVersion) and error.__cause__ else error
    return f"{type(shown).__name__}: {shown}".replace("\0", "")[:1000]


def parked(name: str, *, limit: int = AT_ONCE) -> Sequence[int]:
    """Return the positions of parked events of a subscription; if there are more, of others each time."""
    select = "SELECT failed_position FROM eventstore_subscription WHERE name LIKE %s ORDER BY RANDOM() LIMIT %s"
    return [position for (position,) in backend_of().rows(select, [f"{name}@%", limit])]


def try_again(subscriber: "Subscriber") -> None:
    """Answer parked events that this version can answer now. Answered twice, an event changes nothing."""
    for position in parked(subscriber.name):
        event = positions.event_at(position)
        try:
            if event is not None and subscriber.concerns(event):
                subscriber.answer(event)
        except NeedsNewerVersion:
            continue
        except Exception:
            logger.exception("%s cannot answer the parked event %d", subscriber.name, position)
            continue
        with backend_of().transaction() as cursor:
            cursor.execute("DELETE FROM eventstore_subscription WHERE name = %s", [f"{subscriber.name}@{position}"])
