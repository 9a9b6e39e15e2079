"""What a teller or a supervisor can ask of an account, one frozen dataclass per task.

A command is an intent and may be nonsense; the aggregate in `account.py` judges it. Amounts are integers of
minor units (cents). PINs are integers: the screen's "0042" is 42. They never appear in a `repr`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CreateBankAccount:
    """Open an account for a holder who chose a PIN."""

    account_id: int
    account_holder: str
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class DepositMoneyIntoBankAccount:
    """Pay money in."""

    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class WithdrawMoneyFromBankAccount:
    """Pay money out to the customer, who proves who they are with the PIN."""

    account_id: int
    amount: int
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnlockPin:
    """Let the customer try the PIN again after too many wrong ones. A supervisor's task."""

    account_id: int


@dataclass(frozen=True, slots=True)
class ChangePin:
    """Put the PIN that the customer has chosen in the place of the old one. A supervisor's task."""

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
