"""The commands of the bank: one frozen dataclass for each task of a teller, a supervisor or a process manager.

A command is an intent and may be invalid; the aggregate in `account.py` or `till.py` decides. Amounts are integers of
minor units (cents). PINs are integers: the screen's "0042" is 42. No `repr` shows a PIN.

`stored_name` is the name in command records. The first three are the challenge's.
"""

from dataclasses import dataclass, field
from typing import ClassVar, get_args
from uuid import UUID

from .streams import OfAccount, OfTill


@dataclass(frozen=True, slots=True)
class CreateBankAccount(OfAccount):
    """Open an account for a holder, with a PIN."""

    stored_name: ClassVar = "create_bank_account"
    account_id: int
    account_holder: str
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class DepositMoneyIntoBankAccount(OfAccount):
    """Deposit money."""

    stored_name: ClassVar = "deposit_money_into_bank_account"
    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class WithdrawMoneyFromBankAccount(OfAccount):
    """Withdraw money. The PIN proves the customer's identity."""

    stored_name: ClassVar = "withdraw_money_from_bank_account"
    account_id: int
    amount: int
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnlockPin(OfAccount):
    """Allow PINs again after too many wrong ones. A supervisor's task."""

    stored_name: ClassVar = "unlock_pin"
    account_id: int


@dataclass(frozen=True, slots=True)
class ChangePin(OfAccount):
    """Replace the PIN with a new one that the customer has chosen. A supervisor's task."""

    stored_name: ClassVar = "change_pin"
    account_id: int
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class CloseBankAccount(OfAccount):
    """Close an account that is empty. The PIN proves the customer's identity."""

    stored_name: ClassVar = "close_bank_account"
    account_id: int
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReverseDeposit(OfAccount):
    """Reverse a deposit that was recorded by mistake. A supervisor's task."""

    stored_name: ClassVar = "reverse_deposit"
    account_id: int
    reversed_command_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ReverseWithdrawal(OfAccount):
    """Reverse a withdrawal that was recorded by mistake. A supervisor's task."""

    stored_name: ClassVar = "reverse_withdrawal"
    account_id: int
    reversed_command_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class TransferMoneyBetweenBankAccounts(OfAccount):
    """Send money to another account. The PIN proves the customer's identity."""

    stored_name: ClassVar = "transfer_money_between_bank_accounts"
    account_id: int
    to_account_id: int
    amount: int
    pin: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReceiveMoneyTransfer(OfAccount):
    """Take in the money of a transfer. Sent by the process manager of transfers, as are the next two."""

    stored_name: ClassVar = "receive_money_transfer"
    account_id: int
    from_account_id: int
    amount: int
    transfer_id: str


@dataclass(frozen=True, slots=True)
class CompleteMoneyTransfer(OfAccount):
    """Note that the money of a transfer has arrived."""

    stored_name: ClassVar = "complete_money_transfer"
    account_id: int
    transfer_id: str


@dataclass(frozen=True, slots=True)
class ReturnMoneyTransfer(OfAccount):
    """Take back the money of a transfer that the other account could not take. `reason` is the rejection's code."""

    stored_name: ClassVar = "return_money_transfer"
    account_id: int
    transfer_id: str
    reason: str


type AccountCommand = (
    CreateBankAccount
    | DepositMoneyIntoBankAccount
    | WithdrawMoneyFromBankAccount
    | UnlockPin
    | ChangePin
    | CloseBankAccount
    | ReverseDeposit
    | ReverseWithdrawal
    | TransferMoneyBetweenBankAccounts
    | ReceiveMoneyTransfer
    | CompleteMoneyTransfer
    | ReturnMoneyTransfer
)


@dataclass(frozen=True, slots=True)
class OpenTill(OfTill):
    """Open a till for a teller."""

    stored_name: ClassVar = "open_till"
    till_id: int
    teller: str
    opening_cash: int


@dataclass(frozen=True, slots=True)
class BringCashFromVault(OfTill):
    """Bring cash from the vault into a till."""

    stored_name: ClassVar = "bring_cash_from_vault"
    till_id: int
    shift: int
    amount: int


@dataclass(frozen=True, slots=True)
class TakeCashToVault(OfTill):
    """Take cash from a till to the vault."""

    stored_name: ClassVar = "take_cash_to_vault"
    till_id: int
    shift: int
    amount: int


@dataclass(frozen=True, slots=True)
class RecordCashIn(OfTill):
    """Record cash that a customer paid in. The process manager `tills` issues it."""

    stored_name: ClassVar = "record_cash_in"
    till_id: int
    shift: int
    amount: int
    command_id: str


@dataclass(frozen=True, slots=True)
class RecordCashOut(OfTill):
    """Record cash that a customer was paid. The process manager `tills` issues it."""

    stored_name: ClassVar = "record_cash_out"
    till_id: int
    shift: int
    amount: int
    command_id: str


@dataclass(frozen=True, slots=True)
class CloseTill(OfTill):
    """Close a till after a count. `counts` has each denomination in minor units with its number of pieces."""

    stored_name: ClassVar = "close_till"
    till_id: int
    shift: int
    counts: tuple[tuple[int, int], ...]


type TillCommand = OpenTill | BringCashFromVault | TakeCashToVault | RecordCashIn | RecordCashOut | CloseTill
type Command = AccountCommand | TillCommand

COMMANDS: tuple[type[Command], ...] = (*get_args(AccountCommand.__value__), *get_args(TillCommand.__value__))
