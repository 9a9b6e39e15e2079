"""The aggregate: all rules of a checking account, and nothing else.

A task method decides on the current state: it returns events, or raises `CommandRejected`. `account_state.py` has the
state, and how events change it.
"""

from collections.abc import Callable, Sequence

from .account_state import AccountState, Transfer
from .errors import (
    AccountAlreadyExists,
    AccountClosed,
    AccountNotEmpty,
    AlreadyReversed,
    BalanceTooLow,
    InvalidAmount,
    InvalidTarget,
    NoSuchAccount,
    NotReversible,
    PinNotLocked,
    TransferNotOnItsWay,
)
from .events import (
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
from .texts import normal_holder, normal_reason
from .values import MAX_BALANCE, check_account_id, check_amount, check_pin

type Refused = InvalidPin | PinLocked | WithdrawalBlocked | AccountOverdrawn


class BankAccount(AccountState):
    """A checking account: the decisions on its tasks, from its state."""

    __slots__ = ()

    # The tasks

    def create(self, account_holder: str, pin: int) -> BankAccountCreated:
        """Open the account.

        Raises:
            InvalidAccountId, InvalidAccountHolder, MalformedPin, AccountAlreadyExists
        """
        check_account_id(self.account_id)
        account_holder = normal_holder(account_holder)
        check_pin(pin)
        if self.exists:
            if not self.closed:
                raise AccountAlreadyExists(f"Account {self.account_id} exists already.")
            raise AccountAlreadyExists(
                f"Account {self.account_id} exists already. It is closed, and its number is never given again."
            )
        return BankAccountCreated(self.account_id, account_holder)

    def deposit(self, amount: int) -> MoneyDepositedIntoBankAccount:
        """Deposit an amount.

        Raises:
            InvalidAmount, NoSuchAccount, AccountClosed
        """
        check_amount(amount)
        self._check_open()
        self._check_room(amount)
        return MoneyDepositedIntoBankAccount(self.account_id, amount)

    def withdraw(
        self, amount: int, *, pin_matches: Callable[[], bool], pin_attempts: int
    ) -> Sequence[MoneyWithdrawnFromBankAccount | Refused]:
        """Withdraw an amount, down to a balance of 0. A wrong PIN is refused before the balance is checked.

        The wrong PIN number `pin_attempts` in a row locks withdrawals. While they are locked the PIN is not checked, so
        that it cannot be found by trying. A right PIN resets the count, whatever the amount.

        Args:
            pin_matches: checks the PIN. It is called at most once, and only if its answer decides.
            pin_attempts: the number of wrong PINs in a row that locks withdrawals, at least 1. A later change of this
                number neither locks nor unlocks an account.

        Raises:
            InvalidAmount, NoSuchAccount, AccountClosed
        """
        check_amount(amount)
        self._check_open()
        refused = self._refuse(amount, pin_matches, pin_attempts)
        return refused or [MoneyWithdrawnFromBankAccount(self.account_id, amount)]

    def transfer(
        self,
        to_account_id: int,
        amount: int,
        transfer_id: str,
        *,
        pin_matches: Callable[[], bool],
        pin_attempts: int,
    ) -> Sequence[MoneyTransferSent | Refused]:
        """Send an amount to another account. It is refused exactly as a withdrawal is.

        Raises:
            InvalidAmount, InvalidTarget, NoSuchAccount, AccountClosed
        """
        check_amount(amount)
        check_account_id(to_account_id, InvalidTarget)
        if to_account_id == self.account_id:
            raise InvalidTarget("An account cannot send money to itself.")
        self._check_open()
        refused = self._refuse(amount, pin_matches, pin_attempts)
        return refused or [MoneyTransferSent(self.account_id, to_account_id, amount, transfer_id)]

    def receive_transfer(self, from_account_id: int, amount: int, transfer_id: str) -> MoneyTransferReceived:
        """Take in the money of a transfer.

        Raises:
            InvalidAmount, NoSuchAccount, AccountClosed
        """
        check_amount(amount)
        self._check_open()
        self._check_room(amount)
        return MoneyTransferReceived(self.account_id, from_account_id, amount, transfer_id)

    def complete_transfer(self, transfer_id: str) -> MoneyTransferCompleted:
        """Note that a transfer from this account has arrived.

        Raises:
            NoSuchAccount, TransferNotOnItsWay
        """
        self._find_transfer(transfer_id)
        return MoneyTransferCompleted(self.account_id, transfer_id)

    def return_transfer(self, transfer_id: str, reason: str) -> MoneyTransferReturned:
        """Take back the money of a transfer from this account. It always fits: see `_check_room`.

        Raises:
            NoSuchAccount, TransferNotOnItsWay
        """
        to_account_id, amount = self._find_transfer(transfer_id)
        return MoneyTransferReturned(self.account_id, to_account_id, amount, transfer_id, reason)

    def unlock_pin(self) -> PinUnlocked:
        """Unlock withdrawals; the customer has all attempts again.

        Raises:
            NoSuchAccount, AccountClosed, PinNotLocked
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
            MalformedPin, NoSuchAccount, AccountClosed
        """
        check_pin(pin)
        self._check_open()
        changed = PinChanged(self.account_id)
        return [changed, PinUnlocked(self.account_id)] if self.pin_locked else [changed]

    def close(
        self, *, pin_matches: Callable[[], bool], pin_attempts: int
    ) -> Sequence[BankAccountClosed | InvalidPin | PinLocked | WithdrawalBlocked]:
        """Close the account, for good. It must be empty. The PIN is checked as for a withdrawal of 0.

        Raises:
            NoSuchAccount, AccountClosed, AccountNotEmpty
        """
        self._check_open()
        if self.balance:
            raise AccountNotEmpty(f"There is money in account {self.account_id}. Pay it out first.")
        if self.on_its_way:
            raise AccountNotEmpty(f"Money from account {self.account_id} is on its way and may come back.")
        return self._refuse_pin(0, pin_matches, pin_attempts) or [BankAccountClosed(self.account_id)]

    def reverse_deposit(self, recorded: object, command_id: str, reason: str) -> DepositReversed:
        """Reverse a deposit, once. The balance must cover it.

        Args:
            recorded: the first event that the command recorded at this account, or None.
            command_id: the id of the command to reverse.

        Raises:
            InvalidReason, NoSuchAccount, AccountClosed, NotReversible, AlreadyReversed, BalanceTooLow
        """
        reason = normal_reason(reason)
        self._check_open()
        if not isinstance(recorded, MoneyDepositedIntoBankAccount):
            raise NotReversible(f"That is no deposit into account {self.account_id}.")
        self._check_not_reversed(command_id)
        if recorded.amount > self.balance:
            raise BalanceTooLow("The balance is less than the deposit: a part of it has left the account since.")
        return DepositReversed(self.account_id, recorded.amount, command_id, reason)

    def reverse_withdrawal(self, recorded: object, command_id: str, reason: str) -> WithdrawalReversed:
        """Reverse a withdrawal, once. The arguments are those of `reverse_deposit`.

        Raises:
            InvalidReason, NoSuchAccount, AccountClosed, NotReversible, AlreadyReversed, InvalidAmount
        """
        reason = normal_reason(reason)
        self._check_open()
        if not isinstance(recorded, MoneyWithdrawnFromBankAccount):
            raise NotReversible(f"That is no withdrawal from account {self.account_id}.")
        self._check_not_reversed(command_id)
        self._check_room(recorded.amount)
        return WithdrawalReversed(self.account_id, recorded.amount, command_id, reason)

    # Rules of several tasks

    def _check_open(self) -> None:
        check_account_id(self.account_id)
        if not self.exists:
            raise NoSuchAccount(f"There is no account {self.account_id}.")
        if self.closed:
            raise AccountClosed(f"Account {self.account_id} is closed.")

    def _check_room(self, amount: int) -> None:
        """Raise InvalidAmount unless this amount fits beside the balance and the money that may come back."""
        if self.balance + sum(sent.amount for sent in self.on_its_way.values()) + amount > MAX_BALANCE:
            raise InvalidAmount("The account cannot hold that much.")

    def _check_not_reversed(self, command_id: str) -> None:
        if command_id in self.reversed_commands:
            raise AlreadyReversed("That is reversed already.")

    def _refuse_pin(
        self, amount: int, pin_matches: Callable[[], bool], pin_attempts: int
    ) -> Sequence[InvalidPin | PinLocked | WithdrawalBlocked]:
        """Return the refusal of a task that needs the PIN, or nothing if the PIN is right."""
        if self.pin_locked:
            return [WithdrawalBlocked(self.account_id, amount)]
        if pin_matches():
            return []
        refused, wrong_pins = InvalidPin(self.account_id, amount), self.wrong_pins + 1
        return [refused, PinLocked(self.account_id, wrong_pins)] if wrong_pins >= pin_attempts else [refused]

    def _refuse(self, amount: int, pin_matches: Callable[[], bool], pin_attempts: int) -> Sequence[Refused]:
        """Return the refusal of a payment out of the account, or nothing."""
        if refused := self._refuse_pin(amount, pin_matches, pin_attempts):
            return refused
        if amount > self.balance:
            return [AccountOverdrawn(self.account_id, self.balance, amount)]
        return []

    def _find_transfer(self, transfer_id: str) -> Transfer:
        self._check_open()
        if transfer_id not in self.on_its_way:
            raise TransferNotOnItsWay(f"No transfer {transfer_id} from account {self.account_id} is on its way.")
        return self.on_its_way[transfer_id]
