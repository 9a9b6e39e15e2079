"""The handlers of the tasks at a till. The events' metadata holds the shift, and that of a closing the count."""

from eventstore.events import Envelope
from eventstore.stream_lock import StreamLock

from ..domain.commands import BringCashFromVault, CloseTill, OpenTill, RecordCashIn, RecordCashOut, TakeCashToVault
from ..domain.till_events import TILL_COUNTS, TILL_SHIFT
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
    loaded = repository.load_till(command.till_id, lock)
    event = loaded.aggregate.bring_from_vault(command.shift, command.amount)
    return repository.save(loaded, [event], envelope, lock, circumstances={TILL_SHIFT: command.shift})


def take_cash_to_vault(command: TakeCashToVault, envelope: Envelope, lock: Lock) -> Saved:
    """Take cash from a till to the vault."""
    loaded = repository.load_till(command.till_id, lock)
    event = loaded.aggregate.take_to_vault(command.shift, command.amount)
    return repository.save(loaded, [event], envelope, lock, circumstances={TILL_SHIFT: command.shift})


def record_cash_in(command: RecordCashIn, envelope: Envelope, lock: Lock) -> Saved:
    """Record cash that a customer paid in."""
    loaded = repository.load_till(command.till_id, lock)
    event = loaded.aggregate.pay_in(command.shift, command.amount, command.command_id)
    return repository.save(loaded, [event], envelope, lock, circumstances={TILL_SHIFT: command.shift})


def record_cash_out(command: RecordCashOut, envelope: Envelope, lock: Lock) -> Saved:
    """Record cash that a customer was paid."""
    loaded = repository.load_till(command.till_id, lock)
    event = loaded.aggregate.pay_out(command.shift, command.amount, command.command_id)
    return repository.save(loaded, [event], envelope, lock, circumstances={TILL_SHIFT: command.shift})


def close_till(command: CloseTill, envelope: Envelope, lock: Lock) -> Saved:
    """Close a till after a count."""
    loaded = repository.load_till(command.till_id, lock)
    event = loaded.aggregate.close(command.shift, command.counts)
    counts = {str(denomination): pieces for denomination, pieces in command.counts}
    return repository.save(
        loaded,
        [event],
        envelope,
        lock,
        circumstances={TILL_SHIFT: command.shift, TILL_COUNTS: counts},
        also=lambda: tills.release(command.till_id),
    )
