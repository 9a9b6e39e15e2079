"""The handlers, one for each task: load the account, call the method of the task, save its events.

Those of tills are in `till_handlers.py`.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from eventstore import store
from eventstore.events import Envelope
from eventstore.stream_lock import StreamLock

from ..domain.account import check_pin
from ..domain.commands import (
    BringCashFromVault,
    ChangePin,
    CloseTill,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    OpenTill,
    RecordCashIn,
    RecordCashOut,
    TakeCashToVault,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from ..domain.events import InvalidPin
from ..domain.verification import CURRENCY, PIN_ATTEMPTS
from . import currency, pins, repository, till_handlers
from .repository import Saved

type Lock = StreamLock | None


def create_bank_account(command: CreateBankAccount, envelope: Envelope, lock: Lock) -> Saved:
    """Open an account. Store its PIN verifier and, with the first account, the currency in the same transaction."""
    loaded = repository.load(command.account_id, lock)
    event = loaded.aggregate.create(command.account_holder, command.pin)
    verifier = pins.make_verifier(command.account_id, command.pin, envelope.id)

    def also() -> None:
        pins.store_verifier(command.account_id, verifier)
        currency.record()

    circumstances = {CURRENCY: str(currency.configured())}
    return repository.save(loaded, [event], envelope, lock, circumstances=circumstances, also=also)


def deposit_money(command: DepositMoneyIntoBankAccount, envelope: Envelope, lock: Lock) -> Saved:
    """Deposit money."""
    loaded = repository.load(command.account_id, lock)
    event = loaded.aggregate.deposit(command.amount)
    return repository.save(loaded, [event], envelope, lock)


def withdraw_money(command: WithdrawMoneyFromBankAccount, envelope: Envelope, lock: Lock) -> Saved:
    """Withdraw money, or record a refusal. A repeated command does not compare its PIN again."""
    check_pin(command.pin)
    if store.find_outcome(envelope.id) is not None:
        raise store.CommandIdTaken(str(envelope.id))
    loaded = repository.load(command.account_id, lock)
    attempts = settings.PIN_ATTEMPTS
    events = loaded.aggregate.withdraw(
        command.amount,
        pin_matches=lambda: pins.matches(command.account_id, command.pin),
        pin_attempts=attempts,
    )
    # The decision on a wrong PIN depends on this setting. Its value is recorded, so that verification can decide again.
    circumstances = {PIN_ATTEMPTS: attempts} if isinstance(events[0], InvalidPin) else {}
    return repository.save(loaded, events, envelope, lock, circumstances=circumstances)


def unlock_pin(command: UnlockPin, envelope: Envelope, lock: Lock) -> Saved:
    """Unlock withdrawals from an account."""
    loaded = repository.load(command.account_id, lock)
    event = loaded.aggregate.unlock_pin()
    return repository.save(loaded, [event], envelope, lock)


def change_pin(command: ChangePin, envelope: Envelope, lock: Lock) -> Saved:
    """Replace an account's PIN, and its verifier in the same transaction."""
    loaded = repository.load(command.account_id, lock)
    events = loaded.aggregate.change_pin(command.pin)
    verifier = pins.make_verifier(command.account_id, command.pin, envelope.id)
    return repository.save(
        loaded, events, envelope, lock, also=lambda: pins.replace_verifier(command.account_id, verifier)
    )


HANDLERS: dict[type[Command], Callable[[Any, Envelope, Lock], Saved]] = {
    CreateBankAccount: create_bank_account,
    DepositMoneyIntoBankAccount: deposit_money,
    WithdrawMoneyFromBankAccount: withdraw_money,
    UnlockPin: unlock_pin,
    ChangePin: change_pin,
    OpenTill: till_handlers.open_till,
    BringCashFromVault: till_handlers.bring_cash_from_vault,
    TakeCashToVault: till_handlers.take_cash_to_vault,
    RecordCashIn: till_handlers.record_cash_in,
    RecordCashOut: till_handlers.record_cash_out,
    CloseTill: till_handlers.close_till,
}
"""The handler of each command."""
