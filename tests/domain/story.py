"""Stories of an account: `given` a history, `when` a task is tried, `then` these events follow. No database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bank.domain.account import BankAccount
from bank.domain.errors import CommandRejected
from bank.domain.events import AccountEvent, BankAccountCreated

type Task = Callable[[BankAccount], AccountEvent | Sequence[AccountEvent]]

OPENED = BankAccountCreated(1, "Josh")
ATTEMPTS = 3


def create(account_holder: Any = "Josh", pin: Any = 1234) -> Task:
    return lambda account: account.create(account_holder, pin)


def deposit(amount: Any) -> Task:
    return lambda account: account.deposit(amount)


def withdraw(amount: Any, *, pin_matches: bool | None = True, pin_attempts: int = ATTEMPTS) -> Task:
    """A withdrawal. If `pin_matches` is None, the PIN must not be compared."""
    return lambda account: account.withdraw(amount, pin_matches=_look(pin_matches), pin_attempts=pin_attempts)


def transfer(
    amount: Any, to_account_id: Any = 2, *, pin_matches: bool | None = True, pin_attempts: int = ATTEMPTS
) -> Task:
    """A transfer with the id "t". If `pin_matches` is None, the PIN must not be compared."""
    look = _look(pin_matches)
    return lambda account: account.transfer(to_account_id, amount, "t", pin_matches=look, pin_attempts=pin_attempts)


def receive_transfer(amount: Any, from_account_id: int = 2) -> Task:
    return lambda account: account.receive_transfer(from_account_id, amount, "t")


def complete_transfer(transfer_id: str = "t") -> Task:
    return lambda account: account.complete_transfer(transfer_id)


def return_transfer(transfer_id: str = "t", reason: str = "no_such_account") -> Task:
    return lambda account: account.return_transfer(transfer_id, reason)


def unlock_pin() -> Task:
    return lambda account: account.unlock_pin()


def change_pin(pin: Any = 4321) -> Task:
    return lambda account: account.change_pin(pin)


def close(*, pin_matches: bool | None = True, pin_attempts: int = ATTEMPTS) -> Task:
    """A closing. If `pin_matches` is None, the PIN must not be compared."""
    return lambda account: account.close(pin_matches=_look(pin_matches), pin_attempts=pin_attempts)


def reverse_deposit(recorded: object, command_id: str = "c1", reason: Any = "Typed twice") -> Task:
    return lambda account: account.reverse_deposit(recorded, command_id, reason)


def reverse_withdrawal(recorded: object, command_id: str = "c1", reason: Any = "Typed twice") -> Task:
    return lambda account: account.reverse_withdrawal(recorded, command_id, reason)


def _look(pin_matches: bool | None) -> Callable[[], bool]:
    def look() -> bool:
        assert pin_matches is not None, "nobody looks at the PIN here"
        return pin_matches

    return look


@dataclass(frozen=True)
class Tried:
    """An account after a tried task, and its result."""

    account: BankAccount
    outcome: Sequence[AccountEvent] | CommandRejected

    def then(self, *events: AccountEvent) -> BankAccount:
        """Assert that exactly these events follow, and return the account after them."""
        assert self.outcome == events
        account = self.account
        for event in events:
            account = account.apply(event)
        return account

    def then_rejected(self, kind: type[CommandRejected], *, field: str, saying: str = "") -> None:
        """Assert that the command was rejected in this way."""
        assert type(self.outcome) is kind
        assert self.outcome.field == field
        assert saying in str(self.outcome)
        assert str(self.outcome), "a teller is told what is wrong"


@dataclass(frozen=True)
class Given:
    account: BankAccount

    def when(self, task: Task) -> Tried:
        try:
            happened = task(self.account)
            return Tried(self.account, tuple(happened) if isinstance(happened, Sequence) else (happened,))
        except CommandRejected as rejection:
            return Tried(self.account, rejection)

    def then_balance(self, balance: int) -> None:
        assert self.account.balance == balance


def given(*history: AccountEvent, account_id: Any = 1) -> Given:
    """Replay a history. The account has the history's number."""
    account = BankAccount(history[0].account_id if history else account_id)
    for event in history:
        account = account.apply(event)
    return Given(account)
