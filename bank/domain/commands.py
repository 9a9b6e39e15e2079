"""What a teller can ask of an account, one frozen dataclass per task.

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


type Command = CreateBankAccount | DepositMoneyIntoBankAccount | WithdrawMoneyFromBankAccount

COMMAND_NAMES: dict[type[Command], str] = {
    CreateBankAccount: "create_bank_account",
    DepositMoneyIntoBankAccount: "deposit_money_into_bank_account",
    WithdrawMoneyFromBankAccount: "withdraw_money_from_bank_account",
}
"""The challenge's name of each command, under which command records keep it."""
