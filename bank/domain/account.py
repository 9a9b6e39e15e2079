"""The aggregate: all rules of a checking account, and nothing else.

A task method decides on the current state: it returns events, or raises `CommandRejected`. `apply` returns the next
state and never refuses an event. An account is an immutable value.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self, assert_never

from .errors import (
    AccountAlreadyExists,
    InvalidAccountHolder,
    InvalidAccountId,
    InvalidAmount,
    MalformedPin,
    NoSuchAccount,
    PinNotLocked,
)
from .events import (
    AccountEvent,
    AccountOverdrawn,
    BankAccountCreated,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
)
from .invisible import invisible_in, trim
from .streams import OfAccount

MAX_ACCOUNT_ID = 2**63 - 1
MAX_AMOUNT = 10**12
"""The largest amount of one command, in minor units."""
MAX_BALANCE = 2**63 - 1
"""The largest balance in minor units: the largest value of a 64-bit column."""
MAX_PIN = 9999
MAX_HOLDER_LENGTH = 100
STATE_VERSION = 1
"""The version of an account's state. Each change of `apply` or of the fields raises it, because a snapshot of another
version is not used."""


@dataclass(frozen=True, slots=True)
class BankAccount(OfAccount):
    """A checking account. Its balance is in minor units; it has no holder until it is opened.

    `wrong_pins` counts the wrong PINs in a row. While `pin_locked` is true, withdrawals are refused without a check of
    the PIN.
    """

    account_id: int
    account_holder: str = ""
    balance: int = 0
    wrong_pins: int = 0
    pin_locked: bool = False

    @property
    def is_open(self) -> bool:
        return bool(self.account_holder)

    # The tasks

    def create(self, account_holder: str, pin: int) -> BankAccountCreated:
        """Open the account.

        Raises:
            InvalidAccountId, InvalidAccountHolder, MalformedPin, AccountAlreadyExists
        """
        check_account_id(self.account_id)
        account_holder = normal_holder(account_holder)
        check_pin(pin)
        if self.is_open:
            raise AccountAlreadyExists(f"Account {self.account_id} exists already.")
        return BankAccountCreated(self.account_id, account_holder)

    def deposit(self, amount: int) -> MoneyDepositedIntoBankAccount:
        """Deposit an amount.

        Raises:
            InvalidAmount, NoSuchAccount
        """
        check_amount(amount)
        self._check_open()
        if self.balance + amount > MAX_BALANCE:
            raise InvalidAmount("The account cannot hold that much.")
        return MoneyDepositedIntoBankAccount(self.account_id, amount)

    def withdraw(
        self, amount: int, *, pin_matches: Callable[[], bool], pin_attempts: int
    ) -> Sequence[MoneyWithdrawnFromBankAccount | InvalidPin | PinLocked | WithdrawalBlocked | AccountOverdrawn]:
        """Withdraw an amount, down to a balance of 0. A wrong PIN is refused before the balance is checked.

        The wrong PIN number `pin_attempts` in a row locks withdrawals. While they are locked the PIN is not checked, so
        that it cannot be found by trying. A right PIN resets the count, whatever the amount.

        Args:
            pin_matches: checks the PIN. It is called at most once, and only if its answer decides.
            pin_attempts: the number of wrong PINs in a row that locks withdrawals, at least 1. A later change of this
                number neither locks nor unlocks an account.

        Raises:
            InvalidAmount, NoSuchAccount
        """
        check_amount(amount)
        self._check_open()
        if self.pin_locked:
            return [WithdrawalBlocked(self.account_id, amount)]
        if not pin_matches():
            refused, wrong_pins = InvalidPin(self.account_id, amount), self.wrong_pins + 1
            return [refused, PinLocked(self.account_id, wrong_pins)] if wrong_pins >= pin_attempts else [refused]
        if amount > self.balance:
            return [AccountOverdrawn(self.account_id, self.balance, amount)]
        return [MoneyWithdrawnFromBankAccount(self.account_id, amount)]

    def unlock_pin(self) -> PinUnlocked:
        """Unlock withdrawals; the customer has all attempts again.

        Raises:
            NoSuchAccount, PinNotLocked
        """
        self._check_open()
        if not self.pin_locked:
            raise PinNotLocked(f"Withdrawals from account {self.account_id} are not locked.")
        return PinUnlocked(self.account_id)

    def change_pin(self, pin: int) -> Sequence[PinChanged | PinUnlocked]:
        """Change the PIN; the customer has all attempts again.

        This unlocks withdrawals too: guesses at the old PIN are worthless, and a customer with a new PIN must be able
        to use it. The new PIN may equal the old one: a check would reveal the old PIN.

        Raises:
            MalformedPin, NoSuchAccount
        """
        check_pin(pin)
        self._check_open()
        changed = PinChanged(self.account_id)
        return [changed, PinUnlocked(self.account_id)] if self.pin_locked else [changed]

    # State

    def apply(self, event: AccountEvent) -> Self:
        """Return the account after one of its events."""
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
            case _:
                assert_never(event)

    def to_state(self) -> dict[str, Any]:
        """Return the state for a snapshot."""
        return {**asdict(self), "state_version": STATE_VERSION}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self | None:
        """Return the account of a snapshot's state, or None if another version of the program made it."""
        values = {name: value for name, value in state.items() if name != "state_version"}
        is_ours = state.get("state_version") == STATE_VERSION and values.keys() == set(cls.__slots__)
        return cls(**values) if is_ours else None

    def _check_open(self) -> None:
        check_account_id(self.account_id)
        if not self.is_open:
            raise NoSuchAccount(f"There is no account {self.account_id}.")


def check_account_id(account_id: int) -> None:
    """Raise InvalidAccountId unless this can be an account's number."""
    if type(account_id) is not int or not 1 <= account_id <= MAX_ACCOUNT_ID:
        raise InvalidAccountId(f"An account number is a whole number from 1 to {MAX_ACCOUNT_ID}.")


def check_amount(amount: int) -> None:
    """Raise InvalidAmount unless one command may move this amount of minor units."""
    if type(amount) is not int or amount < 1:
        raise InvalidAmount("The amount must be more than zero.")
    if amount > MAX_AMOUNT:
        raise InvalidAmount("That is more than can be moved at once.")


def check_pin(pin: int) -> None:
    """Raise MalformedPin unless this can be a PIN. The message does not repeat it."""
    if type(pin) is not int or not 0 <= pin <= MAX_PIN:
        raise MalformedPin("A PIN has exactly four digits.")


def normal_holder(account_holder: str) -> str:
    """Return a holder's name, trimmed and in Unicode's NFC form.

    Raises:
        InvalidAccountHolder: the name has not 1 to 100 characters, or contains invisible ones.
    """
    if not isinstance(account_holder, str):
        raise InvalidAccountHolder("A name is text.")
    name = unicodedata.normalize("NFC", trim(account_holder))
    if not name:
        raise InvalidAccountHolder("The account needs a holder's name.")
    if len(name) > MAX_HOLDER_LENGTH:
        raise InvalidAccountHolder(f"A holder's name has at most {MAX_HOLDER_LENGTH} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise InvalidAccountHolder("A holder's name has no control characters.")
    if hidden := invisible_in(name):
        raise InvalidAccountHolder(f"A holder's name cannot have the invisible character U+{ord(hidden):04X} here.")
    if unicodedata.category(name[0]).startswith("M"):
        raise InvalidAccountHolder("A holder's name cannot begin with an accent.")
    return name
