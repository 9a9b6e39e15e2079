"""Verification of recorded events against the rules: the aggregate decides again, and the two are compared.

The rules stand in `account.py` alone. Here is which question an event answered, and what of the answer the log does
not tell: a PIN that matched is known by the event, the number of attempts that was set by the event's metadata.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

from .account import BankAccount
from .commands import (
    COMMAND_NAMES,
    ChangePin,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from .errors import AccountAlreadyExists, CommandRejected, InvalidAccountHolder, NoSuchAccount
from .events import (
    AccountOverdrawn,
    BankAccountCreated,
    BankEvent,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
    encode,
)

PIN_ATTEMPTS: Final = "pin_attempts"
"""The entry of a wrong PIN's metadata that tells how many attempts there were. Events from before have none."""

_COMMANDS: dict[type[BankEvent], type[Command]] = {
    BankAccountCreated: CreateBankAccount,
    MoneyDepositedIntoBankAccount: DepositMoneyIntoBankAccount,
    MoneyWithdrawnFromBankAccount: WithdrawMoneyFromBankAccount,
    InvalidPin: WithdrawMoneyFromBankAccount,
    AccountOverdrawn: WithdrawMoneyFromBankAccount,
    WithdrawalBlocked: WithdrawMoneyFromBankAccount,
    PinUnlocked: UnlockPin,
    PinChanged: ChangePin,
}
_COMMAND_NAMES = {event: COMMAND_NAMES[command] for event, command in _COMMANDS.items()}


def misfit(
    account: BankAccount, events: Sequence[BankEvent], *, pin_attempts: int | None, command: str | None
) -> str | None:
    """Return in what the last of these events is not what the rules decide, or None if it is.

    Args:
        account: the account as it was before the first of them.
        events: the events of one command, the first one or more of them.
        pin_attempts: the number of attempts that the command was decided with, None if nobody wrote it down. Then any
            number counts with which the rules decide so.
        command: the name of the command if these are all of its events, else None.
    """
    first, event, at = events[0], events[-1], len(events) - 1
    if pin_attempts is None:
        locks = at > 0 or command is None
        pin_attempts = account.wrong_pins + (1 if locks else 2)
    try:
        decided = _decide(account, first, pin_attempts)
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
    if command != _COMMAND_NAMES[type(first)]:
        return f"the rules record no {encode(first)[0]} for the command {command}"
    return None


def _decide(account: BankAccount, event: BankEvent, pin_attempts: int) -> Sequence[BankEvent]:
    """Let the account decide again on the command that an event was the first answer to.

    Raises:
        CommandRejected
    """
    match event:
        case MoneyDepositedIntoBankAccount():
            return [account.deposit(event.amount)]
        case MoneyWithdrawnFromBankAccount():
            return account.withdraw(event.amount, pin_matches=_yes, pin_attempts=pin_attempts)
        case AccountOverdrawn() | WithdrawalBlocked():
            return account.withdraw(event.amount_requested, pin_matches=_yes, pin_attempts=pin_attempts)
        case InvalidPin():
            return account.withdraw(event.amount_requested, pin_matches=_no, pin_attempts=pin_attempts)
        case BankAccountCreated():
            account.create("Anybody", pin=0)
            _check_holder_of_any_time(event.account_holder)
            return [event]
        case PinChanged():
            return account.change_pin(pin=0)
        case PinUnlocked():
            return [account.unlock_pin()]
        case PinLocked():  # only ever beside a wrong PIN
            return []


def _yes() -> bool:
    return True


def _no() -> bool:
    return False


def _check_holder_of_any_time(account_holder: str) -> None:
    """Raise InvalidAccountHolder unless some version of the bank opened accounts for such a holder.

    These are the rules of the first version. Later ones may ask for more, which an older account need not have.
    """
    if not (
        type(account_holder) is str
        and 1 <= len(account_holder) <= 100
        and account_holder == account_holder.strip()
        and unicodedata.is_normalized("NFC", account_holder)
        and not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in account_holder)
    ):
        raise InvalidAccountHolder(f"{account_holder!r} is no holder's name.")


def _is_same(event: BankEvent, decided: BankEvent) -> bool:
    """Return whether two events say the same. The balance alone is not from the event; 5.0 and True equal integers."""
    return event == decided and (type(event) is not AccountOverdrawn or type(event.balance) is int)


def _difference(account: BankAccount, event: BankEvent, decided: BankEvent) -> str:
    name, payload = encode(decided)
    said = ", ".join(f"{key} {value}" for key, value in payload.items())
    balance = account.apply(event).balance
    beside = f"it leaves a balance of {balance}; " if balance < 0 else ""
    return f"{beside}the rules record {name} ({said})"
