"""The states of subscriptions, as operators see them."""

from collections.abc import Iterable
from typing import NamedTuple

from . import parked_events, positions
from .backends import backend_of
from .events import LogPosition
from .subscriptions import is_leased

COUNTED = 1000
"""The largest number of events behind that is counted."""


class State(NamedTuple):
    """The state of a subscription.

    `behind` is the number of events after its checkpoint and `parked` that of its parked events, at most `COUNTED`.
    """

    name: str
    position: int
    behind: int
    error: str
    failed_position: int | None
    worker: str
    parked: int


def states(names: Iterable[str]) -> list[State]:
    """Return the states of subscriptions. One that has not begun is at position 0."""
    select = f"""
        SELECT name, transaction_id, position, error, failed_position, CASE WHEN {is_leased()} THEN worker ELSE '' END
        FROM eventstore_subscription
    """
    found = {row[0]: row for row in backend_of().rows(select)}
    result = []
    for name in names:
        _, transaction_id, position, error, failed_position, worker = found.get(name, (name, 0, 0, "", None, ""))
        behind = positions.count_after(LogPosition(transaction_id, position), limit=COUNTED)
        parked = len(parked_events.parked(name, limit=COUNTED))
        result.append(State(name, position, behind, error, failed_position, worker, parked))
    return result
