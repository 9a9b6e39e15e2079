"""Verification of a till's recorded events against its rules; see `verification.py`."""

from collections.abc import Mapping
from typing import Any, assert_never

from . import till_events
from .commands import BringCashFromVault, CloseTill, OpenTill, RecordCashIn, RecordCashOut, TakeCashToVault, TillCommand
from .errors import CommandRejected
from .till import Till
from .till_events import TILL_COUNTS, TILL_SHIFT, TillEvent


def misfit_of_till(till: Till, event: TillEvent, metadata: Mapping[str, Any], command: str | None) -> str | None:
    """Return the difference between an event of a till and the decision of the rules, or None.

    Args:
        till: the till before the event.
        command: the name of the command if the event is its last one. Each command of a till has one event.
    """
    shift = metadata.get(TILL_SHIFT)
    if type(shift) is not int:
        return "its shift is not recorded"
    try:
        kind, decided, its_shift = _decide(till, event, shift, metadata)
    except CommandRejected as rejection:
        return f"the rules reject its command: {rejection}"
    if event != decided:
        return f"the rules record {decided}"
    if shift != its_shift:
        return f"it is of shift {its_shift}, and its metadata says {shift}"
    if command != kind.stored_name:
        return f"the rules record no {event.stored_type} for the command {command}"
    return None


def _decide(
    till: Till, event: TillEvent, shift: int, metadata: Mapping[str, Any]
) -> tuple[type[TillCommand], TillEvent, int]:
    """Return the command of an event, the till's decision on it, and the shift that it has then.

    Raises:
        CommandRejected
    """
    match event:
        case till_events.TillOpened():
            return OpenTill, till.open(event.teller, event.opening_cash), till.shift + 1
        case till_events.CashPaidIntoTill() | till_events.CashPaidIntoClosedTill():
            return RecordCashIn, till.pay_in(shift, event.amount, event.command_id), shift
        case till_events.CashPaidOutOfTill() | till_events.CashPaidOutOfClosedTill():
            return RecordCashOut, till.pay_out(shift, event.amount, event.command_id), shift
        case till_events.CashBroughtFromVault():
            return BringCashFromVault, till.bring_from_vault(shift, event.amount), shift
        case till_events.CashTakenToVault():
            return TakeCashToVault, till.take_to_vault(shift, event.amount), shift
        case till_events.TillClosed():
            return CloseTill, till.close(shift, _counts_in(metadata)), shift
        case _:
            assert_never(event)


def _counts_in(metadata: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the recorded count, or one that adds up to nothing that could be if it is unreadable."""
    counts = metadata.get(TILL_COUNTS)
    try:
        return [(int(denomination), pieces) for denomination, pieces in counts.items()]  # type: ignore[union-attr]
    except (AttributeError, ValueError):
        return [(-1, 0)]
