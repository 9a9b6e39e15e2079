"""The commands of the bank: one frozen dataclass for each task of a teller or supervisor.

A command is an intent and may be invalid; the aggregate in `account.py` decides. Amounts are integers of minor units
(cents). PINs are integers: the screen's "0042" is 42. No `repr` shows a PIN.

`stored_name` is the name in command records. The first three are the challenge's.
"""

from dataclasses import dataclass, field
from typing import ClassVar, get_args


@dataclass(frozen=True, slots=True)
class CreateBankAccount:
    """Open an account for a holder, with a PIN."""

    stored_name: ClassVar = "create_bank_account"
    account_id: int
    account_holder: str
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class DepositMoneyIntoBankAccount:
    """Deposit money."""

    stored_name: ClassVar = "deposit_money_into_bank_account"
    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class WithdrawMoneyFromBankAccount:
    """Withdraw money. The PIN proves the customer's identity."""

    stored_name: ClassVar = "withdraw_money_from_bank_account"
    account_id: int
    amount: int
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnlockPin:
    """Allow PINs again after too many wrong ones. A supervisor's task."""

    stored_name: ClassVar = "unlock_pin"
    account_id: int


@dataclass(frozen=True, slots=True)
class ChangePin:
    """Replace the PIN with a new one that the customer has chosen. A supervisor's task."""

    stored_name: ClassVar = "change_pin"
    account_id: int
    pin: int = field(repr=False)


type Command = CreateBankAccount | DepositMoneyIntoBankAccount | WithdrawMoneyFromBankAccount | UnlockPin | ChangePin

COMMANDS: tuple[type[Command], ...] = get_args(Command.__value__)
