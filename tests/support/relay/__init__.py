"""A process manager for tests: a deposit into account 1 leads to deposits of the same amount into accounts 2 and 3.

If account 2 does not take it, account 4 gets it. A rejection by account 3 is an error of the process manager.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bank.domain.commands import DepositMoneyIntoBankAccount
from bank.domain.errors import CommandRejected
from bank.domain.events import BankEvent, MoneyDepositedIntoBankAccount
from bank.domain.processes import ProcessManager, Step

SOURCE, SECOND, THIRD, OTHER = 1, 2, 3, 4


def steps(event: BankEvent, metadata: Mapping[str, Any]) -> Sequence[Step]:
    if not isinstance(event, MoneyDepositedIntoBankAccount) or event.account_id != SOURCE:
        return []

    def elsewhere(rejection: CommandRejected) -> Step:
        return Step("other", DepositMoneyIntoBankAccount(OTHER, event.amount))

    return [
        Step("second", DepositMoneyIntoBankAccount(SECOND, event.amount), if_rejected=elsewhere),
        Step("third", DepositMoneyIntoBankAccount(THIRD, event.amount)),
    ]


RELAY = ProcessManager("relay", frozenset({MoneyDepositedIntoBankAccount.stored_type}), steps)
