"""A contender with a function `handle`, on a bank in our tables. Django must be set up before."""

from collections.abc import Callable, Sequence

from bank.domain.commands import DepositMoneyIntoBankAccount
from projections import engine
from tests.benchmarks import data

from .protocol import AMOUNT, one_by_one


class ByHandle:
    """The contender.

    Args:
        handle: carries out a command, given the actor.
    """

    def __init__(self, handle: Callable[..., object]) -> None:
        self.handle = handle

    def fill(self, accounts: range, events: int) -> None:
        data.write(data.business(accounts, events))
        engine.catch_up()

    def prepare(self, accounts: Sequence[int]) -> Callable[[], object]:
        return one_by_one(self.deposit, accounts)

    def deposit(self, account_id: int) -> None:
        self.handle(DepositMoneyIntoBankAccount(account_id, AMOUNT), actor="teller")
