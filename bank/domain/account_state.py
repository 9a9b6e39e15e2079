"""The state of an account, and how its events change it. The rules are in `account.py`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple, Self, assert_never

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
)
from .streams import OfAccount

STATE_VERSION = 2
"""The version of an account's state. Each change of `apply` or of the fields raises it, because a snapshot of another
version is not used."""


class Transfer(NamedTuple):
    """A transfer that an account has sent: the other account, and the amount."""

    to_account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class AccountState(OfAccount):
    """The state of an account: an immutable value.

    The balance is in minor units. An account has no holder until it is opened. `wrong_pins` counts the wrong PINs in a
    row. While `pin_locked` is true, withdrawals and transfers are refused without a check of the PIN.
    `reversed_commands` holds the ids of the commands that a correction has reversed, and `on_its_way` the transfers, by
    id, that the account has sent and whose end is not recorded.
    """

    account_id: int
    account_holder: str = ""
    balance: int = 0
    wrong_pins: int = 0
    pin_locked: bool = False
    closed: bool = False
    reversed_commands: tuple[str, ...] = ()
    on_its_way: Mapping[str, Transfer] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        """Whether the account was ever opened."""
        return bool(self.account_holder)

    def apply(self, event: AccountEvent) -> Self:  # noqa: C901  # a case for each event
        """Return the account after one of its events. It never refuses one."""
        match event:
            case MoneyDepositedIntoBankAccount():
                return replace(self, balance=self.balance + event.amount)
            case MoneyWithdrawnFromBankAccount():
                return replace(self, balance=self.balance - event.amount, wrong_pins=0)
            case BankAccountCreated():
                return replace(self, account_holder=event.account_holder, balance=0)
            case InvalidPin():
                return replace(self, wrong_pins=self.wrong_pins + 1)
            case AccountOverdrawn() | PinChanged():
                return replace(self, wrong_pins=0)
            case PinLocked():
                return replace(self, pin_locked=True)
            case PinUnlocked():
                return replace(self, wrong_pins=0, pin_locked=False)
            case WithdrawalBlocked():
                return self
            case BankAccountClosed():
                return replace(self, closed=True)
            case DepositReversed():
                return self._reversed(-event.amount, event.reversed_command_id)
            case WithdrawalReversed():
                return self._reversed(event.amount, event.reversed_command_id)
            case MoneyTransferSent():
                sent = {**self.on_its_way, event.transfer_id: Transfer(event.to_account_id, event.amount)}
                return replace(self, balance=self.balance - event.amount, wrong_pins=0, on_its_way=sent)
            case MoneyTransferReceived():
                return replace(self, balance=self.balance + event.amount)
            case MoneyTransferCompleted():
                return self._ended(0, event.transfer_id)
            case MoneyTransferReturned():
                return self._ended(event.amount, event.transfer_id)
            case _:
                assert_never(event)

    def _reversed(self, amount: int, command_id: str) -> Self:
        reversed_commands = (*self.reversed_commands, command_id)
        return replace(self, balance=self.balance + amount, reversed_commands=reversed_commands)

    def _ended(self, amount: int, transfer_id: str) -> Self:
        left = {each: transfer for each, transfer in self.on_its_way.items() if each != transfer_id}
        return replace(self, balance=self.balance + amount, on_its_way=left)

    def to_state(self) -> dict[str, Any]:
        """Return the state for a snapshot."""
        return {**asdict(self), "state_version": STATE_VERSION}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self | None:
        """Return the account of a snapshot's state, or None if another version of the program made it."""
        values = {name: value for name, value in state.items() if name != "state_version"}
        if state.get("state_version") != STATE_VERSION or values.keys() != set(AccountState.__slots__):
            return None
        sent = {transfer_id: Transfer(*transfer) for transfer_id, transfer in values["on_its_way"].items()}
        return cls(**{**values, "reversed_commands": tuple(values["reversed_commands"]), "on_its_way": sent})
