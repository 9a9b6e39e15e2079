"""The handlers of the tasks at a till. The events' metadata holds the shift, and that of a closing the count."""

from collections.abc import Callable, Mapping
from typing import Any

from eventstore.events import Envelope
from eventstore.stream_lock import StreamLock

from ..domain.commands import BringCashFromVault, CloseTill, OpenTill, RecordCashIn, RecordCashOut, TakeCashToVault
from ..domain.till import Till
from ..domain.till_events import TILL_COUNTS, TILL_SHIFT, TillEvent
from . import repository, tills
from .repository import Saved

type Lock = StreamLock | None


def open_till(command: OpenTill, envelope: Envelope, lock: Lock) -> Saved:
    """Open a till for a teller, who has no other one."""
    loaded = repository.load_till(command.till_id, lock)
    event = loaded.aggregate.open(command.teller, command.opening_cash)
    shift = loaded.aggregate.shift + 1
    return repository.save(
        loaded,
        [event],
        envelope,
        lock,
        circumstances={TILL_SHIFT: shift},
        also=lambda: tills.take(command.till_id, command.teller, shift),
    )


def bring_cash_from_vault(command: BringCashFromVault, envelope: Envelope, lock: Lock) -> Saved:
    """Bring cash from the vault into a till."""
    return _save(command, envelope, lock, lambda till: till.bring_from_vault(command.shift, command.amount))


def take_cash_to_vault(command: TakeCashToVault, envelope: Envelope, lock: Lock) -> Saved:
    """Take cash from a till to the vault."""
    return _save(command, envelope, lock, lambda till: till.take_to_vault(command.shift, command.amount))


def record_cash_in(command: RecordCashIn, envelope: Envelope, lock: Lock) -> Saved:
    """Record cash that a customer paid in."""
    return _save(command, envelope, lock, lambda till: till.pay_in(command.shift, command.amount, command.command_id))


def record_cash_out(command: RecordCashOut, envelope: Envelope, lock: Lock) -> Saved:
    """Record cash that a customer was paid."""
    return _save(command, envelope, lock, lambda till: till.pay_out(command.shift, command.amount, command.command_id))


def close_till(command: CloseTill, envelope: Envelope, lock: Lock) -> Saved:
    """Close a till after a count."""
    return _save(
        command,
        envelope,
        lock,
        lambda till: till.close(command.shift, command.counts),
        circumstances={TILL_COUNTS: {str(denomination): pieces for denomination, pieces in command.counts}},
        also=lambda: tills.release(command.till_id),
    )


def _save(
    command: BringCashFromVault | TakeCashToVault | RecordCashIn | RecordCashOut | CloseTill,
    envelope: Envelope,
    lock: Lock,
    decide: Callable[[Till], TillEvent],
    *,
    circumstances: Mapping[str, Any] = {},
    also: Callable[[], None] | None = None,
) -> Saved:
    """Save the decision of a till on a task of a shift."""
    loaded = repository.load_till(command.till_id, lock)
    entries = {TILL_SHIFT: command.shift, **circumstances}
    return repository.save(loaded, [decide(loaded.aggregate)], envelope, lock, circumstances=entries, also=also)
