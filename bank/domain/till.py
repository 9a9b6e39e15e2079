"""The aggregate of a till: a teller's cash drawer.

A till is one teller's from its opening to its closing. This is a shift; the shifts of a till are numbered from 1 on.
Each task names its shift, so that a form of an earlier shift changes nothing. The expected cash may be negative: a
payment out of more cash than the till has on record is a fact, and the count shows it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self, assert_never

from .errors import InvalidAmount, InvalidCount, InvalidTeller, InvalidTillId, TillIsOpen, TillShiftOver
from .streams import OfTill
from .till_events import (
    CashBroughtFromVault,
    CashPaidIntoClosedTill,
    CashPaidIntoTill,
    CashPaidOutOfClosedTill,
    CashPaidOutOfTill,
    CashTakenToVault,
    LateCash,
    TillClosed,
    TillEvent,
    TillOpened,
)
from .values import MAX_AMOUNT, check_amount

MAX_TILL_ID = 9999
MAX_CASH = 10**15
"""The largest amount of cash that a task of the till may leave in it, in minor units."""
MAX_TELLER_LENGTH = 150
STATE_VERSION = 1
"""The version of a till's state; see `account_state.STATE_VERSION`."""

type Counts = Sequence[tuple[int, int]]
"""Denominations in minor units, each with the number of pieces."""


@dataclass(frozen=True, slots=True)
class Till(OfTill):
    """A till. `teller` is empty while it is closed, and `cash` is the expected cash in minor units."""

    till_id: int
    shift: int = 0
    teller: str = ""
    cash: int = 0

    @property
    def is_open(self) -> bool:
        return bool(self.teller)

    # The tasks

    def open(self, teller: str, opening_cash: int) -> TillOpened:
        """Open the till for a teller, which begins a shift.

        Raises:
            InvalidTillId, InvalidTeller, InvalidAmount, TillIsOpen
        """
        check_till_id(self.till_id)
        if not isinstance(teller, str) or not 1 <= len(teller) <= MAX_TELLER_LENGTH:
            raise InvalidTeller("A till is opened for a teller.")
        if type(opening_cash) is not int or not 0 <= opening_cash <= MAX_AMOUNT:
            raise InvalidAmount("A till opens with an amount of cash, or with 0.")
        if self.is_open:
            raise TillIsOpen(f"Till {self.till_id} is open: “{self.teller}” has it.")
        return TillOpened(self.till_id, teller, opening_cash)

    def bring_from_vault(self, shift: int, amount: int) -> CashBroughtFromVault:
        """Add cash from the vault.

        Raises:
            InvalidTillId, InvalidAmount, TillShiftOver
        """
        check_amount(amount)
        self._check_shift(shift)
        if self.cash + amount > MAX_CASH:
            raise InvalidAmount("The till cannot hold that much.")
        return CashBroughtFromVault(self.till_id, amount)

    def take_to_vault(self, shift: int, amount: int) -> CashTakenToVault:
        """Take cash to the vault. More than the expected cash may be there, and may be taken.

        Raises:
            InvalidTillId, InvalidAmount, TillShiftOver
        """
        check_amount(amount)
        self._check_shift(shift)
        if self.cash - amount < -MAX_CASH:
            raise InvalidAmount("The till cannot have held that much.")
        return CashTakenToVault(self.till_id, amount)

    def pay_in(self, shift: int, amount: int, command_id: str) -> CashPaidIntoTill | CashPaidIntoClosedTill:
        """Record that a customer paid cash in. A payment of a shift that is over is recorded as late, never lost.

        Raises:
            InvalidTillId, InvalidAmount
        """
        kind = CashPaidIntoTill if self._has_shift(shift, amount) else CashPaidIntoClosedTill
        return kind(self.till_id, amount, command_id)

    def pay_out(self, shift: int, amount: int, command_id: str) -> CashPaidOutOfTill | CashPaidOutOfClosedTill:
        """Record that a customer was paid cash. A payment of a shift that is over is recorded as late, never lost.

        Raises:
            InvalidTillId, InvalidAmount
        """
        kind = CashPaidOutOfTill if self._has_shift(shift, amount) else CashPaidOutOfClosedTill
        return kind(self.till_id, amount, command_id)

    def close(self, shift: int, counts: Counts) -> TillClosed:
        """Close the till after a count of its cash, which ends the shift.

        Raises:
            InvalidTillId, InvalidCount, TillShiftOver
        """
        counted = sum_of(counts)
        self._check_shift(shift)
        return TillClosed(self.till_id, self.cash, counted, counted - self.cash)

    # State

    def apply(self, event: TillEvent) -> Self:
        """Return the till after one of its events."""
        match event:
            case CashPaidIntoTill() | CashBroughtFromVault():
                return replace(self, cash=self.cash + event.amount)
            case CashPaidOutOfTill() | CashTakenToVault():
                return replace(self, cash=self.cash - event.amount)
            case TillOpened():
                return replace(self, shift=self.shift + 1, teller=event.teller, cash=event.opening_cash)
            case TillClosed():
                return replace(self, teller="", cash=0)
            case LateCash():
                return self
            case _:
                assert_never(event)

    def to_state(self) -> dict[str, Any]:
        """Return the state for a snapshot."""
        return {**asdict(self), "state_version": STATE_VERSION}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self | None:
        """Return the till of a snapshot's state, or None if another version of the program made it."""
        values = {name: value for name, value in state.items() if name != "state_version"}
        is_ours = state.get("state_version") == STATE_VERSION and values.keys() == set(cls.__slots__)
        return cls(**values) if is_ours else None

    def _has_shift(self, shift: int, amount: int) -> bool:
        """Return whether the till is in this shift now."""
        check_till_id(self.till_id)
        check_amount(amount)
        return self.is_open and shift == self.shift

    def _check_shift(self, shift: int) -> None:
        check_till_id(self.till_id)
        if not self.is_open or shift != self.shift:
            raise TillShiftOver(f"Till {self.till_id} has been closed. Nothing was recorded.")


def check_till_id(till_id: int) -> None:
    """Raise InvalidTillId unless this can be a till's number."""
    if type(till_id) is not int or not 1 <= till_id <= MAX_TILL_ID:
        raise InvalidTillId(f"A till's number is a whole number from 1 to {MAX_TILL_ID}.")


def sum_of(counts: Counts) -> int:
    """Return the sum of counted cash in minor units.

    Raises:
        InvalidCount: a denomination or a number of pieces is impossible, or the sum is too large.
    """
    if not all(type(each) is int for pair in counts for each in pair):
        raise InvalidCount("A count is of whole pieces.")
    if any(denomination < 1 or pieces < 0 for denomination, pieces in counts):
        raise InvalidCount("The number of pieces is 0 or more.")
    counted = sum(denomination * pieces for denomination, pieces in counts)
    if counted > MAX_CASH:
        raise InvalidCount("A till cannot hold that much.")
    return counted
