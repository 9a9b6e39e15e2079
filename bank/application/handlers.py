"""The handlers, one for each task: load the account, call the method of the task, save its events.

Those of tills are in `till_handlers.py`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from eventstore import store
from eventstore.events import Envelope
from eventstore.stream_lock import StreamLock

from ..domain.account import BankAccount
from ..domain.commands import (
    BringCashFromVault,
    ChangePin,
    CloseBankAccount,
    CloseTill,
    Command,
    CompleteMoneyTransfer,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    OpenTill,
    ReceiveMoneyTransfer,
    RecordCashIn,
    RecordCashOut,
    ReturnMoneyTransfer,
    ReverseDeposit,
    ReverseWithdrawal,
    TakeCashToVault,
    TransferMoneyBetweenBankAccounts,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from ..domain.events import BankEvent, InvalidPin
from ..domain.values import check_pin
from ..domain.verification import CURRENCY, PIN_ATTEMPTS
from . import currency, pins, repository, till_handlers, tills
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
    """Withdraw money, or record a refusal."""
    return _save_with_pin(command, envelope, lock, lambda account, **pin: account.withdraw(command.amount, **pin))


def transfer_money(command: TransferMoneyBetweenBankAccounts, envelope: Envelope, lock: Lock) -> Saved:
    """Send money to another account, or record a refusal."""
    transfer = command.to_account_id, command.amount, str(envelope.id)
    return _save_with_pin(command, envelope, lock, lambda account, **pin: account.transfer(*transfer, **pin))


def close_bank_account(command: CloseBankAccount, envelope: Envelope, lock: Lock) -> Saved:
    """Close an account, or record a refusal."""
    return _save_with_pin(command, envelope, lock, BankAccount.close)


def _save_with_pin(
    command: WithdrawMoneyFromBankAccount | TransferMoneyBetweenBankAccounts | CloseBankAccount,
    envelope: Envelope,
    lock: Lock,
    decide: Callable[..., Sequence[BankEvent]],
) -> Saved:
    """Save the decision of an account on a task that needs the PIN. A repeated command does not compare its PIN again.

    Args:
        decide: returns the events. It takes the account, `pin_matches` and `pin_attempts`.
    """
    check_pin(command.pin)
    if store.find_outcome(envelope.id) is not None:
        raise store.CommandIdTaken(str(envelope.id))
    loaded = repository.load(command.account_id, lock)
    attempts = settings.PIN_ATTEMPTS
    events = decide(
        loaded.aggregate,
        pin_matches=lambda: pins.matches(command.account_id, command.pin),
        pin_attempts=attempts,
    )
    # The decision on a wrong PIN depends on this setting. Its value is recorded, so that verification can decide again.
    circumstances = {PIN_ATTEMPTS: attempts} if isinstance(events[0], InvalidPin) else {}
    return repository.save(loaded, events, envelope, lock, circumstances=circumstances)


def receive_money_transfer(command: ReceiveMoneyTransfer, envelope: Envelope, lock: Lock) -> Saved:
    """Take in the money of a transfer."""
    loaded = repository.load(command.account_id, lock)
    event = loaded.aggregate.receive_transfer(command.from_account_id, command.amount, command.transfer_id)
    return repository.save(loaded, [event], envelope, lock)


def complete_money_transfer(command: CompleteMoneyTransfer, envelope: Envelope, lock: Lock) -> Saved:
    """Note that a transfer has arrived."""
    loaded = repository.load(command.account_id, lock)
    event = loaded.aggregate.complete_transfer(command.transfer_id)
    return repository.save(loaded, [event], envelope, lock)


def return_money_transfer(command: ReturnMoneyTransfer, envelope: Envelope, lock: Lock) -> Saved:
    """Take back the money of a transfer."""
    loaded = repository.load(command.account_id, lock)
    event = loaded.aggregate.return_transfer(command.transfer_id, command.reason)
    return repository.save(loaded, [event], envelope, lock)


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


def reverse_deposit(command: ReverseDeposit, envelope: Envelope, lock: Lock) -> Saved:
    """Reverse a deposit."""
    return _reverse(command, envelope, lock, BankAccount.reverse_deposit)


def reverse_withdrawal(command: ReverseWithdrawal, envelope: Envelope, lock: Lock) -> Saved:
    """Reverse a withdrawal."""
    return _reverse(command, envelope, lock, BankAccount.reverse_withdrawal)


def _reverse(
    command: ReverseDeposit | ReverseWithdrawal, envelope: Envelope, lock: Lock, decide: Callable[..., BankEvent]
) -> Saved:
    """Save a correction. Its cash is that of the till of the reversed payment, whose expected cash was wrong since."""
    loaded = repository.load(command.account_id, lock)
    recorded, metadata = repository.first_event(command.account_id, command.reversed_command_id)
    event = decide(loaded.aggregate, recorded, str(command.reversed_command_id), command.reason)
    return repository.save(loaded, [event], envelope, lock, circumstances=tills.till_in(metadata))


HANDLERS: dict[type[Command], Callable[[Any, Envelope, Lock], Saved]] = {
    CreateBankAccount: create_bank_account,
    DepositMoneyIntoBankAccount: deposit_money,
    WithdrawMoneyFromBankAccount: withdraw_money,
    UnlockPin: unlock_pin,
    ChangePin: change_pin,
    TransferMoneyBetweenBankAccounts: transfer_money,
    ReceiveMoneyTransfer: receive_money_transfer,
    CompleteMoneyTransfer: complete_money_transfer,
    ReturnMoneyTransfer: return_money_transfer,
    OpenTill: till_handlers.open_till,
    BringCashFromVault: till_handlers.bring_cash_from_vault,
    TakeCashToVault: till_handlers.take_cash_to_vault,
    RecordCashIn: till_handlers.record_cash_in,
    RecordCashOut: till_handlers.record_cash_out,
    CloseTill: till_handlers.close_till,
    CloseBankAccount: close_bank_account,
    ReverseDeposit: reverse_deposit,
    ReverseWithdrawal: reverse_withdrawal,
}
"""The handler of each command."""
COMPARE_PIN = (WithdrawMoneyFromBankAccount, TransferMoneyBetweenBankAccounts, CloseBankAccount)
"""The commands whose handlers compare a PIN."""
