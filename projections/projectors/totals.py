"""The totals projection: the bank's totals."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, assert_never

from bank.domain.events import (
    AccountEvent,
    BankAccountCreated,
    DepositReversed,
    MoneyDepositedIntoBankAccount,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    MoneyWithdrawnFromBankAccount,
    Note,
    Refusal,
    StatusChange,
    WithdrawalReversed,
)
from bank.domain.streams import OfAccount
from eventstore.events import RecordedEvent

from ..big_sums import columns_of, split, sums_added_up
from ..models import BankTotals
from .base import Adapt, Changes, Projector, added_up

ROW = 1
"""The primary key of the table's one row."""


class Totals(Projector):
    """One row for the whole bank. Paid in less paid out is on deposit or on its way between two accounts."""

    name = "totals"
    folds = OfAccount
    model = BankTotals
    sums = ("balance", "paid_in", "paid_out", "on_its_way")
    columns = ("id", "accounts", *columns_of(sums))
    updates = {**added_up(["accounts"]), **sums_added_up(sums)}

    def fold(self, changes: Changes, event: AccountEvent, recorded: RecordedEvent) -> None:
        accounts, paid_in, paid_out, on_its_way = changes.get(ROW, (0, 0, 0, 0))
        match event:
            case MoneyDepositedIntoBankAccount() | WithdrawalReversed():
                paid_in += event.amount
            case MoneyWithdrawnFromBankAccount() | DepositReversed():
                paid_out += event.amount
            case MoneyTransferSent():
                on_its_way += event.amount
            case MoneyTransferReceived() | MoneyTransferReturned():
                on_its_way -= event.amount
            case BankAccountCreated():
                accounts += 1
            case Refusal() | StatusChange() | Note():
                pass
            case _:
                assert_never(event)
        changes[ROW] = accounts, paid_in, paid_out, on_its_way

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for key, (accounts, paid_in, paid_out, on_its_way) in changes.items():
            sums = paid_in - paid_out - on_its_way, paid_in, paid_out, on_its_way
            yield key, accounts, *chain.from_iterable(map(split, sums))
