"""The bank itself, through the one way to change anything: `bank.application.handlers.handle`.

Databases and mode come from the environment, as the bank's own programs have them.
"""

from collections.abc import Callable, Sequence

import django

django.setup()

from bank.application.dispatch import handle
from bank.domain.commands import DepositMoneyIntoBankAccount
from projections import engine
from tests.benchmarks import data
from tests.benchmarks.programs.protocol import AMOUNT, one_by_one, serve


class Ours:
    def fill(self, accounts: range, events: int) -> None:
        data.write(data.business(accounts, events))
        engine.catch_up()

    def prepare(self, accounts: Sequence[int]) -> Callable[[], object]:
        return one_by_one(deposit, accounts)


def deposit(account_id: int) -> None:
    handle(DepositMoneyIntoBankAccount(account_id, AMOUNT), actor="teller")


if __name__ == "__main__":
    serve(Ours())
