"""The events of a till, and their stored types. Amounts are integers of minor units (cents)."""

from dataclasses import dataclass
from typing import ClassVar, Final

from .streams import OfTill

TILL: Final = "till"
TILL_SHIFT: Final = "till_shift"
"""The metadata entries of a payment: the till of its cash, and the shift. Each event of a till has the shift too."""
TILL_COUNTS: Final = "till_counts"
"""The metadata entry of a closing: the number of pieces of each denomination."""


class CashMoved(OfTill):
    """A group: cash came into an open till or left it."""

    __slots__ = ()


class LateCash(OfTill):
    """A group: cash moved during a shift, and was recorded after it. The till's cash now is not changed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TillOpened(OfTill):
    """A teller took over the till with this cash in it."""

    stored_type: ClassVar = "till_opened"
    till_id: int
    teller: str
    opening_cash: int


@dataclass(frozen=True, slots=True)
class CashPaidIntoTill(CashMoved):
    """A customer paid cash in. `command_id` is the id of the command that recorded the payment."""

    stored_type: ClassVar = "cash_paid_into_till"
    till_id: int
    amount: int
    command_id: str


@dataclass(frozen=True, slots=True)
class CashPaidOutOfTill(CashMoved):
    """A customer was paid cash. `command_id` is the id of the command that recorded the payment."""

    stored_type: ClassVar = "cash_paid_out_of_till"
    till_id: int
    amount: int
    command_id: str


@dataclass(frozen=True, slots=True)
class CashBroughtFromVault(CashMoved):
    stored_type: ClassVar = "cash_brought_from_vault"
    till_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class CashTakenToVault(CashMoved):
    stored_type: ClassVar = "cash_taken_to_vault"
    till_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class TillClosed(OfTill):
    """The till was counted and closed. A negative difference is cash that is missing.

    The event's metadata holds `till_counts`: the number of pieces of each denomination.
    """

    stored_type: ClassVar = "till_closed"
    till_id: int
    expected: int
    counted: int
    difference: int


@dataclass(frozen=True, slots=True)
class CashPaidIntoClosedTill(LateCash):
    """A customer paid cash in during a shift that was closed before this was recorded."""

    stored_type: ClassVar = "cash_paid_into_closed_till"
    till_id: int
    amount: int
    command_id: str


@dataclass(frozen=True, slots=True)
class CashPaidOutOfClosedTill(LateCash):
    """A customer was paid cash during a shift that was closed before this was recorded."""

    stored_type: ClassVar = "cash_paid_out_of_closed_till"
    till_id: int
    amount: int
    command_id: str


type TillEvent = (
    TillOpened
    | CashPaidIntoTill
    | CashPaidOutOfTill
    | CashBroughtFromVault
    | CashTakenToVault
    | TillClosed
    | CashPaidIntoClosedTill
    | CashPaidOutOfClosedTill
)
