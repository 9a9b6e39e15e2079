"""What each event does to each table of the read side. Nothing else writes those tables.

A projector is exact and knows no clock but the events'. It reads no table but its own, and each event reaches it
exactly once (see `engine.py`), so it may simply add.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, NamedTuple

from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from bank.domain.events import (
    AccountOverdrawn,
    BankAccountCreated,
    BankEvent,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
)
from eventstore.records import RecordedEvent
from eventstore.rows import metadata_of, time_column

from .days import NEVER, day_of
from .models import AccountSummary, BankTotals, DailyTotals, NamePart, RefusedWithdrawal, StatementLine
from .names import name_keys, search_form
from .routers import READ_SIDE

Refusal = InvalidPin | AccountOverdrawn | WithdrawalBlocked
REASONS = {InvalidPin: "invalid_pin", AccountOverdrawn: "account_overdrawn", WithdrawalBlocked: "withdrawal_blocked"}


class Fact(NamedTuple):
    """An event in the bank's words, with its row in the log."""

    event: BankEvent
    recorded: RecordedEvent


class Projector:
    """Keeps one table. `suffix` names another table of the same shape, in which a replay builds it anew."""

    name: ClassVar[str]
    model: ClassVar[type[Model]]

    def __init__(self, suffix: str = "") -> None:
        self.table = self.model._meta.db_table + suffix

    def apply(self, cursor: CursorWrapper, facts: Sequence[Fact]) -> None:
        """Write what a batch of events, in their order, does to the table."""
        raise NotImplementedError


class Accounts(Projector):
    """An account as it stands."""

    name = "accounts"
    model = AccountSummary

    def apply(self, cursor: CursorWrapper, facts: Sequence[Fact]) -> None:
        changes: dict[int, AccountChange] = {}
        for event, recorded in facts:
            change = changes.get(event.account_id)
            if change is None:
                change = changes[event.account_id] = AccountChange(recorded)
            change.last = recorded
            match event:
                case BankAccountCreated():
                    change.account_holder = event.account_holder
                case MoneyDepositedIntoBankAccount():
                    change.balance += event.amount
                case MoneyWithdrawnFromBankAccount():
                    change.balance -= event.amount
                    change.set_back()
                case AccountOverdrawn() | PinChanged():
                    change.set_back()
                case InvalidPin():
                    change.wrong_pins += 1
                case PinLocked():
                    change.pin_locked = True
                case PinUnlocked():
                    change.pin_locked = False
                    change.set_back()
        vendor = connections[READ_SIDE].vendor
        # An account is in the table from its first event on, so of the later ones only the changes count.
        cursor.executemany(
            f"""INSERT INTO {self.table} AS account
                (account_id, account_holder, search_name, balance, version, opened_at, last_event_at, wrong_pins,
                 pin_locked)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (account_id) DO UPDATE SET balance = account.balance + excluded.balance,
                    version = excluded.version, last_event_at = excluded.last_event_at,
                    wrong_pins = account.wrong_pins * %s + excluded.wrong_pins,
                    pin_locked = COALESCE(%s, account.pin_locked)""",
            [[account_id, *change.values(vendor)] for account_id, change in changes.items()],
        )


@dataclass(slots=True)
class AccountChange:
    """What a batch of events does to an account: sums, and where `pin_locked` is None nothing."""

    first: RecordedEvent
    last: RecordedEvent = field(init=False)
    account_holder: str = ""
    balance: int = 0
    wrong_pins: int = 0
    counts_on: int = 1
    pin_locked: bool | None = None

    def set_back(self) -> None:
        """Begin to count wrong PINs anew; those before the batch are multiplied by 0."""
        self.wrong_pins = self.counts_on = 0

    def values(self, vendor: str) -> list[Any]:
        names = [self.account_holder, search_form(self.account_holder)]
        times = [time_column(vendor, self.first), time_column(vendor, self.last)]
        figures = [self.balance, self.last.version, *times, self.wrong_pins]
        return [*names, *figures, bool(self.pin_locked), self.counts_on, self.pin_locked]


class Names(Projector):
    """What accounts are found by: the parts of their holders' names."""

    name = "names"
    model = NamePart

    def apply(self, cursor: CursorWrapper, facts: Sequence[Fact]) -> None:
        opened = [event for event, _ in facts if isinstance(event, BankAccountCreated)]
        if opened:
            rows = [
                (key, event.account_id) for event in opened for key in name_keys(event.account_holder, event.account_id)
            ]
            cursor.executemany(f"INSERT INTO {self.table} (key, account_id) VALUES (%s, %s)", rows)


class Statements(Projector):
    """The lines of each account's statement, with the running balance. What happened to the PIN moves nothing."""

    name = "statements"
    model = StatementLine

    def apply(self, cursor: CursorWrapper, facts: Sequence[Fact]) -> None:
        moves = [fact for fact in facts if not isinstance(fact.event, Refusal)]
        balances = self._balances(cursor, {fact.event.account_id for fact in moves})
        lines = []
        for (event, _), origin in zip(moves, origins(moves), strict=True):
            kind, amount = "opened", 0
            match event:
                case MoneyDepositedIntoBankAccount():
                    kind, amount = "deposit", event.amount
                case MoneyWithdrawnFromBankAccount():
                    kind, amount = "withdrawal", -event.amount
                case PinLocked():
                    kind = "locked"
                case PinUnlocked():
                    kind = "unlocked"
                case PinChanged():
                    kind = "new_pin"
            balance = balances.get(event.account_id, 0) + amount
            balances[event.account_id] = balance
            lines.append([event.account_id, kind, amount, balance, *origin])
        if lines:
            cursor.executemany(
                f"""INSERT INTO {self.table}
                    (account_id, kind, amount, balance, position, version, recorded_at, actor, command_id)
                    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
                lines,
            )

    def _balances(self, cursor: CursorWrapper, account_ids: Iterable[int]) -> dict[int, int]:
        """Return the balance of each account's last line."""
        ids = list(account_ids)
        if not ids:
            return {}
        values = ", ".join(["(%s)"] * len(ids))
        cursor.execute(
            f"""WITH wanted (id) AS (VALUES {values})
                SELECT id, (SELECT balance FROM {self.table} WHERE account_id = id ORDER BY version DESC LIMIT 1)
                FROM wanted""",
            ids,
        )
        return {account_id: balance or 0 for account_id, balance in cursor.fetchall()}


class Refusals(Projector):
    """The withdrawals that were refused."""

    name = "refusals"
    model = RefusedWithdrawal

    def apply(self, cursor: CursorWrapper, facts: Sequence[Fact]) -> None:
        refused = [fact for fact in facts if isinstance(fact.event, Refusal)]
        if not refused:
            return
        rows = []
        for (event, _), origin in zip(refused, origins(refused), strict=True):
            assert isinstance(event, Refusal)
            balance = event.balance if isinstance(event, AccountOverdrawn) else None
            rows.append([event.account_id, REASONS[type(event)], event.amount_requested, balance, *origin])
        cursor.executemany(
            f"""INSERT INTO {self.table}
                (account_id, reason, amount_requested, balance, position, version, recorded_at, actor, command_id)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            rows,
        )


class Totals(Projector):
    """The bank's figures."""

    name = "totals"
    model = BankTotals

    def apply(self, cursor: CursorWrapper, facts: Sequence[Fact]) -> None:
        accounts = paid_in = paid_out = 0
        for event, _ in facts:
            match event:
                case BankAccountCreated():
                    accounts += 1
                case MoneyDepositedIntoBankAccount():
                    paid_in += event.amount
                case MoneyWithdrawnFromBankAccount():
                    paid_out += event.amount
        cursor.execute(
            f"""INSERT INTO {self.table} AS totals (id, accounts, balance, paid_in, paid_out)
                VALUES (1, %s, %s, %s, %s)
                ON CONFLICT (id) DO UPDATE SET accounts = totals.accounts + excluded.accounts,
                    balance = totals.balance + excluded.balance, paid_in = totals.paid_in + excluded.paid_in,
                    paid_out = totals.paid_out + excluded.paid_out""",
            [accounts, paid_in - paid_out, paid_in, paid_out],
        )


class Daily(Projector):
    """What happened on each day of the bank's time zone."""

    name = "daily"
    model = DailyTotals

    def apply(self, cursor: CursorWrapper, facts: Sequence[Fact]) -> None:
        days: dict[date, list[int]] = {}
        row, begins, ends = [0] * 6, NEVER, NEVER
        for event, recorded in facts:
            if not begins <= recorded.recorded_at < ends:
                day, begins, ends = day_of(recorded.recorded_at)
                row = days.setdefault(day, [0] * 6)
            match event:
                case BankAccountCreated():
                    row[0] += 1
                case MoneyDepositedIntoBankAccount():
                    row[1] += 1
                    row[2] += event.amount
                case MoneyWithdrawnFromBankAccount():
                    row[3] += 1
                    row[4] += event.amount
                case InvalidPin() | AccountOverdrawn() | WithdrawalBlocked():
                    row[5] += 1
        cursor.executemany(
            f"""INSERT INTO {self.table} AS daily
                (day, accounts_opened, deposits, paid_in, withdrawals, paid_out, refusals)
                VALUES (%s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (day) DO UPDATE SET accounts_opened = daily.accounts_opened + excluded.accounts_opened,
                    deposits = daily.deposits + excluded.deposits, paid_in = daily.paid_in + excluded.paid_in,
                    withdrawals = daily.withdrawals + excluded.withdrawals,
                    paid_out = daily.paid_out + excluded.paid_out, refusals = daily.refusals + excluded.refusals""",
            [[day.isoformat(), *row] for day, row in days.items()],
        )


PROJECTORS: dict[str, type[Projector]] = {
    projector.name: projector for projector in (Accounts, Statements, Refusals, Totals, Daily, Names)
}
"""Every projection by its name."""


def origins(facts: Sequence[Fact]) -> Iterator[tuple[Any, ...]]:
    """Yield what lines say of where they come from: position, version, time, actor, command id."""
    events, vendor = [recorded for _, recorded in facts], connections[READ_SIDE].vendor
    for event, metadata in zip(events, metadata_of(events), strict=True):
        raw_id = event.raw_command_id
        command_id = raw_id if isinstance(raw_id, str) else raw_id.hex
        yield event.position, event.version, time_column(vendor, event), metadata["actor"], command_id
