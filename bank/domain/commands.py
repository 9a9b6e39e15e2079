"""The commands of the bank: one frozen dataclass for each task of a teller or supervisor.

A command is an intent and may be invalid; the aggregate in `account.py` decides. Amounts are integers of minor units
(cents). PINs are integers: the screen's "0042" is 42. No `repr` shows a PIN.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CreateBankAccount:
    """Open an account for a holder, with a PIN."""

    account_id: int
    account_holder: str
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class DepositMoneyIntoBankAccount:
    """Deposit money."""

    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class WithdrawMoneyFromBankAccount:
    """Withdraw money. The PIN proves the customer's identity."""

    account_id: int
    amount: int
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnlockPin:
    """Allow PINs again after too many wrong ones. A supervisor's task."""

    account_id: int


@dataclass(frozen=True, slots=True)
class ChangePin:
    """Replace the PIN with a new one that the customer has chosen. A supervisor's task."""

    account_id: int
    pin: int = field(repr=False)


type Command = CreateBankAccount | DepositMoneyIntoBankAccount | WithdrawMoneyFromBankAccount | UnlockPin | ChangePin

COMMAND_NAMES: dict[type[Command], str] = {
    CreateBankAccount: "create_bank_account",
    DepositMoneyIntoBankAccount: "deposit_money_into_bank_account",
    WithdrawMoneyFromBankAccount: "withdraw_money_from_bank_account",
    UnlockPin: "unlock_pin",
    ChangePin: "change_pin",
}
"""The name of each command, under which command records keep it; the first three are the challenge's."""
