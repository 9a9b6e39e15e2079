"""Process managers: from an event to the commands that follow from it.

The challenge's diagram calls them event routers. A process manager is a pure function without state: what a process has
to remember is in the events of its aggregates. `bank.application.process_managers` carries out the steps.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .commands import (
    Command,
    CompleteMoneyTransfer,
    ReceiveMoneyTransfer,
    RecordCashIn,
    RecordCashOut,
    ReturnMoneyTransfer,
)
from .errors import CommandRejected
from .events import (
    BankEvent,
    DepositReversed,
    MoneyDepositedIntoBankAccount,
    MoneyTransferReceived,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    WithdrawalReversed,
)
from .till_events import TILL, TILL_SHIFT


class Step(NamedTuple):
    """A command that follows from an event.

    Attributes:
        name: the name of the step within its process manager. It never changes: the command's id derives from it.
        command: the command to carry out, once.
        if_rejected: returns the next step if the command is rejected. None: a rejection is an error of the process
            manager, which stops at the event.
    """

    name: str
    command: Command
    if_rejected: "Callable[[CommandRejected], Step] | None" = None


class ProcessManager(NamedTuple):
    """A process manager.

    Attributes:
        name: the name of its subscription. It never changes: the commands' ids derive from it.
        types: the stored types of the events that it follows.
        steps: returns the steps that follow from an event and its metadata, in order. The same event always has the
            same steps.
        only_with: the entry of the metadata without which nothing follows. Most events then cost one look-up.
    """

    name: str
    types: frozenset[str]
    steps: Callable[[BankEvent, Mapping[str, Any]], Sequence[Step]]
    only_with: str = ""


def transfer_steps(event: BankEvent, metadata: Mapping[str, Any]) -> Sequence[Step]:
    """Take money on its way to the other account, or back to where it came from if that account cannot take it."""
    match event:
        case MoneyTransferSent():
            receive = ReceiveMoneyTransfer(event.to_account_id, event.account_id, event.amount, event.transfer_id)

            def give_back(rejection: CommandRejected) -> Step:
                return Step("return", ReturnMoneyTransfer(event.account_id, event.transfer_id, rejection.code))

            return [Step("receive", receive, if_rejected=give_back)]
        case MoneyTransferReceived():
            return [Step("complete", CompleteMoneyTransfer(event.from_account_id, event.transfer_id))]
    return []


TRANSFERS = ProcessManager(
    "transfers", frozenset({MoneyTransferSent.stored_type, MoneyTransferReceived.stored_type}), transfer_steps
)


def till_steps(event: BankEvent, metadata: Mapping[str, Any]) -> Sequence[Step]:
    """Record at a till the cash of a payment that went through it."""
    till_id, shift, command_id = metadata[TILL], metadata[TILL_SHIFT], metadata["correlation_id"]
    match event:
        case MoneyDepositedIntoBankAccount() | WithdrawalReversed():
            return [Step("cash_in", RecordCashIn(till_id, shift, event.amount, command_id))]
        case MoneyWithdrawnFromBankAccount() | DepositReversed():
            return [Step("cash_out", RecordCashOut(till_id, shift, event.amount, command_id))]
    return []


CASH = (MoneyDepositedIntoBankAccount, MoneyWithdrawnFromBankAccount, DepositReversed, WithdrawalReversed)
TILLS = ProcessManager("tills", frozenset(event.stored_type for event in CASH), till_steps, only_with=TILL)

PROCESS_MANAGERS: dict[str, ProcessManager] = {manager.name: manager for manager in (TRANSFERS, TILLS)}
"""Every process manager by its name."""
