"""The statements projection: the lines of each account's statement, with the running balance."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, assert_never
from uuid import UUID

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

from ..kinds import KIND_OF
from ..models import StatementLine
from .base import Adapt, Changes, Projector


class About(NamedTuple):
    """The other account of a line, the earlier command that it belongs to, and why it was done."""

    other_account_id: int | None = None
    command_id: UUID | None = None
    reason: str = ""


NOTHING = About()


class Statements(Projector):
    """One row for each line. Refused withdrawals are in another table: see `refusals`."""

    name = "statements"
    folds = OfAccount
    model = StatementLine
    columns = (
        "position",
        "account_id",
        "version",
        "kind",
        "amount",
        "recorded_at",
        "actor",
        "command_id",
        "other_account_id",
        "about_command_id",
        "reason",
        "balance",
    )
    index = "line_account_version"

    def value(self, column: str) -> str:
        """Return the SQL expression of a column; the balance is that of the account's previous line plus the amount."""
        if column != "balance":
            return "%s"
        return """%s + COALESCE(
            (SELECT balance FROM {table} WHERE account_id = %s ORDER BY version DESC LIMIT 1), 0)"""

    def fold(self, changes: Changes, event: AccountEvent, recorded: RecordedEvent) -> None:
        about = NOTHING
        match event:
            case MoneyDepositedIntoBankAccount():
                amount = event.amount
            case MoneyWithdrawnFromBankAccount():
                amount = -event.amount
            case DepositReversed():
                amount, about = -event.amount, About(command_id=UUID(event.reversed_command_id), reason=event.reason)
            case WithdrawalReversed():
                amount, about = event.amount, About(command_id=UUID(event.reversed_command_id), reason=event.reason)
            case MoneyTransferSent():
                amount, about = -event.amount, About(event.to_account_id, UUID(event.transfer_id))
            case MoneyTransferReceived():
                amount, about = event.amount, About(event.from_account_id, UUID(event.transfer_id))
            case MoneyTransferReturned():
                amount, about = event.amount, About(event.to_account_id, UUID(event.transfer_id), event.reason)
            case BankAccountCreated() | StatusChange():
                amount = 0
            case Refusal() | Note():
                return
            case _:
                assert_never(event)
        changes[recorded.position] = event.account_id, KIND_OF[type(event)].name, amount, about, recorded

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        for position, (account_id, kind, amount, about, recorded) in changes.items():
            yield (
                position,
                account_id,
                recorded.version,
                kind,
                amount,
                adapt(recorded.recorded_at),
                recorded.actor,
                adapt(recorded.command_id),
                about.other_account_id,
                about.command_id and adapt(about.command_id),
                about.reason,
                amount,
                account_id,
            )
