"""The projection of tills' movements, with the expected cash after each."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never
from uuid import UUID

from bank.domain import till_events
from bank.domain.streams import OfTill
from bank.domain.till_events import TILL_SHIFT, TillEvent
from eventstore.events import RecordedEvent

from ..models import TillMovement
from ..till_kinds import TILL_KIND_OF
from .base import Adapt, Changes, Projector


class TillMovements(Projector):
    """One row for each event of a till."""

    name = "till_movements"
    folds = OfTill
    model = TillMovement
    columns = (
        "position",
        "till_id",
        "shift",
        "kind",
        "amount",
        "recorded_at",
        "actor",
        "command_id",
        "about_command_id",
        "expected",
    )
    index = "movement_till_shift"

    def value(self, column: str) -> str:
        """Return the SQL expression of a column; the expected cash is that after the shift's previous row and more."""
        if column != "expected":
            return "%s"
        return """%s + COALESCE(
            (SELECT expected FROM {table} WHERE till_id = %s AND shift = %s ORDER BY position DESC LIMIT 1), 0)"""

    def fold(self, changes: Changes, event: TillEvent, recorded: RecordedEvent) -> None:
        about = None
        match event:
            case till_events.TillOpened():
                amount = change = event.opening_cash
            case till_events.CashBroughtFromVault():
                amount = change = event.amount
            case till_events.CashTakenToVault():
                amount = change = -event.amount
            case till_events.CashPaidIntoTill():
                amount, change, about = event.amount, event.amount, UUID(event.command_id)
            case till_events.CashPaidOutOfTill():
                amount, change, about = -event.amount, -event.amount, UUID(event.command_id)
            case till_events.CashPaidIntoClosedTill():
                amount, change, about = event.amount, 0, UUID(event.command_id)
            case till_events.CashPaidOutOfClosedTill():
                amount, change, about = -event.amount, 0, UUID(event.command_id)
            case till_events.TillClosed():
                amount = change = 0
            case _:
                assert_never(event)
        changes[recorded.position] = event, amount, change, about, recorded

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for position, (event, amount, change, about, recorded) in changes.items():
            shift = recorded.metadata[TILL_SHIFT]
            yield (
                position,
                event.till_id,
                shift,
                TILL_KIND_OF[type(event)].name,
                amount,
                adapt(recorded.recorded_at),
                recorded.actor,
                adapt(recorded.command_id),
                about and adapt(about),
                change,
                event.till_id,
                shift,
            )
