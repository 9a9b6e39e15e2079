"""Verification of recorded events against the rules: the aggregate decides again, and the results are compared.

Only `account.py` contains the rules. This module derives the command from the recorded event, and the inputs that the
log does not store: the event shows whether the PIN matched, and its metadata holds the number of attempts. Events of a
till are verified in `till_verification.py`.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final, assert_never

from .account import BankAccount
from .commands import (
    AccountCommand,
    ChangePin,
    CloseBankAccount,
    CompleteMoneyTransfer,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    ReceiveMoneyTransfer,
    ReturnMoneyTransfer,
    ReverseDeposit,
    ReverseWithdrawal,
    TransferMoneyBetweenBankAccounts,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from .errors import AccountAlreadyExists, CommandRejected, InvalidAccountHolder, NoSuchAccount
from .events import (
    AccountEvent,
    AccountOverdrawn,
    BankAccountClosed,
    BankAccountCreated,
    DepositReversed,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyTransferCompleted,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
    WithdrawalReversed,
    encode,
)

PIN_ATTEMPTS: Final = "pin_attempts"
"""The metadata entry of a wrong PIN with the number of attempts. Older events lack it."""
CURRENCY: Final = "currency"
"""The metadata entry of a new account with the bank's currency and its decimals. Older events lack it."""


_PAY_OUT = [WithdrawMoneyFromBankAccount, TransferMoneyBetweenBankAccounts]


def misfit(
    account: BankAccount, events: Sequence[AccountEvent], *, pin_attempts: int | None, command: str | None
) -> str | None:
    """Return the difference between the last of these events and the decision of the rules, or None.

    Args:
        account: the account before the first of these events.
        events: the first one or more events of one command.
        pin_attempts: the number of attempts in force at the command, or None if it was not recorded. Without it, any
            number is accepted that leads to this decision.
        command: the name of the command if these are all of its events, else None.
    """
    first, event, at = events[0], events[-1], len(events) - 1
    if pin_attempts is None:
        locks = at > 0 or command is None
        pin_attempts = account.wrong_pins + (1 if locks else 2)
    try:
        kinds, decided = _decide(account, first, pin_attempts)
    except AccountAlreadyExists:
        return "the account was open before"
    except NoSuchAccount:
        return "the account was not open yet"
    except CommandRejected as rejection:
        return f"the rules reject its command: {rejection}"
    if at >= len(decided):
        return f"the rules record no {encode(event)[0]} here"
    if not _is_same(event, decided[at]):
        return _difference(account, event, decided[at])
    if command is None:
        return None
    if at + 1 < len(decided):
        return f"the rules record {encode(decided[at + 1])[0]} beside it"
    if command not in [kind.stored_name for kind in kinds]:
        return f"the rules record no {encode(first)[0]} for the command {command}"
    return None


def _decide(  # noqa: C901  # a case for each event
    account: BankAccount, event: AccountEvent, pin_attempts: int
) -> tuple[Sequence[type[AccountCommand]], Sequence[AccountEvent]]:
    """Return the commands of which this can be the first event, and the account's decision on any of them.

    A refusal of a withdrawal looks like that of a transfer, because one method decides both.

    Raises:
        CommandRejected
    """
    match event:
        case MoneyDepositedIntoBankAccount():
            return [DepositMoneyIntoBankAccount], [account.deposit(event.amount)]
        case MoneyWithdrawnFromBankAccount():
            decided = account.withdraw(event.amount, pin_matches=_yes, pin_attempts=pin_attempts)
            return [WithdrawMoneyFromBankAccount], decided
        case BankAccountClosed():
            return [CloseBankAccount], account.close(pin_matches=_yes, pin_attempts=pin_attempts)
        case InvalidPin(amount_requested=0) | WithdrawalBlocked(amount_requested=0):  # a withdrawal has an amount
            return [CloseBankAccount], account.close(pin_matches=_no, pin_attempts=pin_attempts)
        case DepositReversed():
            deposit = MoneyDepositedIntoBankAccount(event.account_id, event.amount)
            return [ReverseDeposit], [account.reverse_deposit(deposit, event.reversed_command_id, event.reason)]
        case WithdrawalReversed():
            withdrawal = MoneyWithdrawnFromBankAccount(event.account_id, event.amount)
            return [ReverseWithdrawal], [
                account.reverse_withdrawal(withdrawal, event.reversed_command_id, event.reason)
            ]
        case AccountOverdrawn() | WithdrawalBlocked():
            amount = event.amount_requested
            return _PAY_OUT, account.withdraw(amount, pin_matches=_yes, pin_attempts=pin_attempts)
        case InvalidPin():
            amount = event.amount_requested
            return _PAY_OUT, account.withdraw(amount, pin_matches=_no, pin_attempts=pin_attempts)
        case BankAccountCreated():
            account.create("Anybody", pin=0)
            _check_holder_of_any_time(event.account_holder)
            return [CreateBankAccount], [event]
        case PinChanged():
            return [ChangePin], account.change_pin(pin=0)
        case PinUnlocked():
            return [UnlockPin], [account.unlock_pin()]
        case PinLocked():  # it only ever follows a wrong PIN
            return _PAY_OUT, []
        case MoneyTransferSent():
            transfer = event.to_account_id, event.amount, event.transfer_id
            sent = account.transfer(*transfer, pin_matches=_yes, pin_attempts=pin_attempts)
            return [TransferMoneyBetweenBankAccounts], sent
        case MoneyTransferReceived():
            received = account.receive_transfer(event.from_account_id, event.amount, event.transfer_id)
            return [ReceiveMoneyTransfer], [received]
        case MoneyTransferCompleted():
            return [CompleteMoneyTransfer], [account.complete_transfer(event.transfer_id)]
        case MoneyTransferReturned():
            return [ReturnMoneyTransfer], [account.return_transfer(event.transfer_id, event.reason)]
        case _:
            assert_never(event)


def _yes() -> bool:
    return True


def _no() -> bool:
    return False


def _check_holder_of_any_time(account_holder: str) -> None:
    """Raise InvalidAccountHolder unless some version of the bank accepted this holder.

    These are the rules of the first version. Accounts may be older than the stricter rules of later versions.
    """
    if not (
        type(account_holder) is str
        and 1 <= len(account_holder) <= 100
        and account_holder == account_holder.strip()
        and unicodedata.is_normalized("NFC", account_holder)
        and not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in account_holder)
    ):
        raise InvalidAccountHolder(f"{account_holder!r} is no holder's name.")


def _is_same(event: AccountEvent, decided: AccountEvent) -> bool:
    """Return whether a recorded event is the decided one.

    The rebuilt account supplies some figures, so their stored types are checked: 5.0 and True equal integers. A figure
    that an older version of the event did not record is not compared.
    """
    match event:
        case AccountOverdrawn():
            return event == decided and type(event.balance) is int
        case PinLocked(wrong_pins=None):
            return isinstance(decided, PinLocked) and event.account_id == decided.account_id
        case PinLocked():
            return event == decided and type(event.wrong_pins) is int
        case _:
            return event == decided


def _difference(account: BankAccount, event: AccountEvent, decided: AccountEvent) -> str:
    name, payload = encode(decided)
    values = ", ".join(f"{key} {value}" for key, value in payload.items())
    balance = account.apply(event).balance
    beside = f"it leaves a balance of {balance}; " if balance < 0 else ""
    return f"{beside}the rules record {name} ({values})"
