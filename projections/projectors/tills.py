"""The projection of tills: each shift with its teller, its expected cash and its count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from bank.domain import till_events
from bank.domain.streams import OfTill
from bank.domain.till_events import TILL_SHIFT, TillEvent
from eventstore.events import RecordedEvent

from ..models import TillShift, shift_key
from .base import Adapt, Changes, Projector


@dataclass(slots=True)
class ShiftChange:
    """The changes of a batch to one shift of a till. `closed` is None where the batch does not close it."""

    till_id: int
    shift: int
    first_event_at: datetime
    teller: str = ""
    opening_cash: int = 0
    expected: int = 0
    late: int = 0
    closed: till_events.TillClosed | None = None
    closed_at: datetime | None = None
    closed_by: str = ""


class Tills(Projector):
    """One row for each shift."""

    name = "tills"
    folds = OfTill
    model = TillShift
    columns = (
        "key",
        "till_id",
        "shift",
        "teller",
        "opened_at",
        "opening_cash",
        "expected",
        "late",
        "counted",
        "difference",
        "closed_at",
        "closed_by",
    )
    updates = {
        "expected": "live.expected + excluded.expected",
        "late": "live.late + excluded.late",
        "counted": "COALESCE(excluded.counted, live.counted)",
        "difference": "COALESCE(excluded.difference, live.difference)",
        "closed_at": "COALESCE(excluded.closed_at, live.closed_at)",
        "closed_by": "CASE WHEN excluded.closed_at IS NULL THEN live.closed_by ELSE excluded.closed_by END",
    }
    constant = ("till_id", "shift", "teller", "opened_at", "opening_cash")

    def fold(self, changes: Changes, event: TillEvent, recorded: RecordedEvent) -> None:
        shift = recorded.metadata[TILL_SHIFT]
        key = shift_key(event.till_id, shift)
        change: ShiftChange | None = changes.get(key)
        if change is None:
            change = changes[key] = ShiftChange(event.till_id, shift, recorded.recorded_at)
        match event:
            case till_events.TillOpened():
                change.teller, change.opening_cash = event.teller, event.opening_cash
                change.expected += event.opening_cash
            case till_events.CashPaidIntoTill() | till_events.CashBroughtFromVault():
                change.expected += event.amount
            case till_events.CashPaidOutOfTill() | till_events.CashTakenToVault():
                change.expected -= event.amount
            case till_events.CashPaidIntoClosedTill():
                change.late += event.amount
            case till_events.CashPaidOutOfClosedTill():
                change.late -= event.amount
            case till_events.TillClosed():
                change.closed, change.closed_at, change.closed_by = event, recorded.recorded_at, recorded.actor
            case _:
                assert_never(event)

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for key, change in changes.items():
            closed: till_events.TillClosed | None = change.closed
            yield (
                key,
                change.till_id,
                change.shift,
                change.teller,
                adapt(change.first_event_at),
                change.opening_cash,
                change.expected,
                change.late,
                closed.counted if closed else None,
                closed.difference if closed else None,
                adapt(change.closed_at) if closed else None,
                change.closed_by,
            )
