"""The figures of tills, computed by adding up events; see `sums.py`."""

from typing import Any, assert_never

from bank.domain import till_events
from bank.domain.till_events import TILL_SHIFT, TillEvent
from eventstore.verification.reader import ReadEvent


class TillSums:
    """The sums of tills' events, by till and shift."""

    def __init__(self) -> None:
        self.shifts: dict[str, list[Any]] = {}  # teller, opening cash, expected, late, counted, difference
        self.moved: dict[str, list[int]] = {}  # the number of movements, and their sum

    def add(self, event: TillEvent, recorded: ReadEvent) -> None:
        """Add the next event."""
        key = f"{event.till_id}-{recorded.metadata.get(TILL_SHIFT)}"
        shift = self.shifts.setdefault(key, ["", 0, 0, 0, None, None])
        amount = late = 0
        match event:
            case till_events.TillOpened():
                shift[:2] = event.teller, event.opening_cash
                amount = event.opening_cash
            case till_events.CashPaidIntoTill() | till_events.CashBroughtFromVault():
                amount = event.amount
            case till_events.CashPaidOutOfTill() | till_events.CashTakenToVault():
                amount = -event.amount
            case till_events.CashPaidIntoClosedTill():
                late = event.amount
            case till_events.CashPaidOutOfClosedTill():
                late = -event.amount
            case till_events.TillClosed():
                shift[4:] = event.counted, event.difference
            case _:
                assert_never(event)
        shift[2] += amount
        shift[3] += late
        moved = self.moved.setdefault(key, [0, 0])
        moved[0] += 1
        moved[1] += amount + late

    def join(self, other: "TillSums") -> None:
        """Add the sums of other tills."""
        self.shifts |= other.shifts
        self.moved |= other.moved

    def rows(self) -> dict[Any, tuple[Any, ...]]:
        """Return the figures of the projection `tills` in the shape of its query."""
        return {
            key: (*figures, *("" if each is None else str(each) for each in closing))
            for key, (*figures, counted, difference) in self.shifts.items()
            for closing in [(counted, difference)]
        }

    def movements(self) -> dict[Any, tuple[Any, ...]]:
        """Return the figures of the projection `till_movements` in the shape of its query."""
        return {key: tuple(figures) for key, figures in self.moved.items()}
