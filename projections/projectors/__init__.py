"""What each event does to each table of the read side. Nothing else writes those tables.

A projector is exact and knows no clock but the events'. It reads no table but its own, and each event reaches it
exactly once (see `engine.py`), so it may simply add.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

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
from eventstore.backends.rows import time_column

from ..days import day_of
from ..models import AccountSummary, BankTotals, DailyTotals, NamePart, RefusedWithdrawal, StatementLine
from ..name_search import name_keys, search_form
from .base import Changes, Projector
from .batches import Batch

REASONS: dict[type[BankEvent], str] = {
    InvalidPin: "invalid_pin",
    AccountOverdrawn: "account_overdrawn",
    WithdrawalBlocked: "withdrawal_blocked",
}
"""The withdrawals that are refused, and why."""
LINES: dict[type[BankEvent], tuple[str, int]] = {
    BankAccountCreated: ("opened", 0),
    MoneyDepositedIntoBankAccount: ("deposit", 1),
    MoneyWithdrawnFromBankAccount: ("withdrawal", -1),
    PinLocked: ("locked", 0),
    PinUnlocked: ("unlocked", 0),
    PinChanged: ("new_pin", 0),
}
"""The kinds of an account's lines, and how the event's amount counts."""


class Accounts(Projector):
    """An account as it stands."""

    name = "accounts"
    model = AccountSummary
    most_waiting = 20_000
    # An account is in the table from its first event on, so of the later ones only the changes count.
    statement = """
        INSERT INTO {table} AS account
            (account_id, account_holder, search_name, balance, version, opened_at, last_event_at, wrong_pins,
             pin_locked)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (account_id) DO UPDATE SET balance = account.balance + excluded.balance,
            version = excluded.version, last_event_at = excluded.last_event_at,
            wrong_pins = account.wrong_pins * %s + excluded.wrong_pins,
            pin_locked = COALESCE(%s, account.pin_locked)
    """

    def fold(self, changes: Changes, batch: Batch) -> None:
        for kind, values, version, moment in zip(batch.kinds, batch.values, batch.versions, batch.moments, strict=True):
            change = changes.get(values[0])
            if change is None:
                change = changes[values[0]] = AccountChange(moment)
            change.version, change.last = version, moment
            if kind is MoneyDepositedIntoBankAccount:
                change.balance += values[1]
            elif kind is MoneyWithdrawnFromBankAccount:
                change.balance -= values[1]
                change.set_back()
            elif kind is InvalidPin:
                change.wrong_pins += 1
            elif kind is BankAccountCreated:
                change.account_holder = values[1]
            elif kind is AccountOverdrawn or kind is PinChanged:
                change.set_back()
            elif kind is PinLocked:
                change.pin_locked = True
            elif kind is PinUnlocked:
                change.pin_locked = False
                change.set_back()

    def rows(self, cursor: CursorWrapper, changes: Changes) -> Iterable[Sequence[Any]]:
        vendor = cursor.db.vendor
        for account_id, change in changes.items():
            yield [account_id, *change.values(vendor)]


class AccountChange:
    """What events do to an account: sums, and where `pin_locked` is None nothing."""

    __slots__ = ("account_holder", "balance", "counts_on", "first", "last", "pin_locked", "version", "wrong_pins")

    def __init__(self, moment: datetime | str) -> None:
        self.first = self.last = moment
        self.account_holder, self.balance, self.version, self.wrong_pins, self.counts_on = "", 0, 0, 0, 1
        self.pin_locked: bool | None = None

    def set_back(self) -> None:
        """Begin to count wrong PINs anew; those before are multiplied by 0."""
        self.wrong_pins = self.counts_on = 0

    def values(self, vendor: str) -> list[Any]:
        """Return the values of the columns after the account's id, and those that change the row that is there."""
        holder, locked = self.account_holder, self.pin_locked
        names = [holder, search_form(holder) if holder else ""]
        first, last = time_column(vendor, self.first), time_column(vendor, self.last)
        return [*names, self.balance, self.version, first, last, self.wrong_pins, bool(locked), self.counts_on, locked]


class Names(Projector):
    """What accounts are found by: the parts of their holders' names."""

    name = "names"
    model = NamePart
    statement = "INSERT INTO {table} (key, account_id) VALUES (%s, %s)"

    def fold(self, changes: Changes, batch: Batch) -> None:
        if BankAccountCreated in batch.kinds:
            for kind, values in zip(batch.kinds, batch.values, strict=True):
                if kind is BankAccountCreated:
                    account_id, holder = values
                    changes |= dict.fromkeys(name_keys(holder, account_id), account_id)

    def rows(self, cursor: CursorWrapper, changes: Changes) -> Iterable[Sequence[Any]]:
        return changes.items()


class Statements(Projector):
    """The lines of each account's statement, with the running balance. What happened to the PIN moves nothing."""

    name = "statements"
    model = StatementLine
    tells_origin = True
    statement = """
        INSERT INTO {table} (account_id, kind, amount, balance, position, version, recorded_at, actor, command_id)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    """
    # One line alone finds the balance before it by itself.
    alone = """
        INSERT INTO {table} (account_id, kind, amount, balance, position, version, recorded_at, actor, command_id)
        VALUES (%s, %s, %s, %s + COALESCE(
            (SELECT balance FROM {table} WHERE account_id = %s ORDER BY version DESC LIMIT 1), 0), %s, %s, %s, %s, %s)
    """

    def __init__(self, suffix: str = "") -> None:
        super().__init__(suffix)
        self.sql_alone = self.alone.format(table=self.table)

    def fold(self, changes: Changes, batch: Batch) -> None:
        for kind, values, origin in zip(batch.kinds, batch.values, batch.origins, strict=True):
            if line := LINES.get(kind):
                word, sign = line
                changes[origin[0]] = values[0], word, sign * values[1] if sign else 0, origin

    def write(self, cursor: CursorWrapper, changes: Changes) -> None:
        if len(changes) == 1:
            [(account_id, word, amount, (position, version, moment, *said))] = changes.values()
            moment = time_column(cursor.db.vendor, moment)
            line = [account_id, word, amount, amount, account_id, position, version, moment, *said]
            cursor.execute(self.sql_alone, line)
        else:
            super().write(cursor, changes)

    def rows(self, cursor: CursorWrapper, changes: Changes) -> Iterable[Sequence[Any]]:
        balances, vendor = self._balances(cursor, {line[0] for line in changes.values()}), cursor.db.vendor
        for account_id, word, amount, (position, version, moment, actor, command_id) in changes.values():
            balance = balances[account_id] = balances[account_id] + amount
            moment = time_column(vendor, moment)
            yield account_id, word, amount, balance, position, version, moment, actor, command_id

    def _balances(self, cursor: CursorWrapper, account_ids: set[int]) -> dict[int, int]:
        """Return the balance of each account's last line."""
        if not account_ids:
            return {}
        values = ", ".join(["(%s)"] * len(account_ids))
        with cursor.db.cursor() as own:  # the answers to what was sent before may still be on their way to the other
            own.execute(
                f"""WITH wanted (id) AS (VALUES {values})
                    SELECT id, (SELECT balance FROM {self.table} WHERE account_id = id ORDER BY version DESC LIMIT 1)
                    FROM wanted""",
                list(account_ids),
            )
            return {account_id: balance or 0 for account_id, balance in own.fetchall()}


class Refusals(Projector):
    """The withdrawals that were refused."""

    name = "refusals"
    model = RefusedWithdrawal
    tells_origin = True
    statement = """
        INSERT INTO {table}
            (account_id, reason, amount_requested, balance, position, version, recorded_at, actor, command_id)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    """

    def fold(self, changes: Changes, batch: Batch) -> None:
        if not REASONS.keys().isdisjoint(batch.kinds):
            for kind, values, origin in zip(batch.kinds, batch.values, batch.origins, strict=True):
                if kind in REASONS:
                    balance = values[1] if kind is AccountOverdrawn else None
                    changes[origin[0]] = values[0], REASONS[kind], values[-1], balance, *origin

    def rows(self, cursor: CursorWrapper, changes: Changes) -> Iterable[Sequence[Any]]:
        vendor = cursor.db.vendor
        for *said, moment, actor, command_id in changes.values():
            yield [*said, time_column(vendor, moment), actor, command_id]


class Totals(Projector):
    """The bank's figures."""

    name = "totals"
    model = BankTotals
    most_waiting = 2  # it is one row, which can always wait
    statement = """
        INSERT INTO {table} AS totals (id, accounts, balance, paid_in, paid_out) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (id) DO UPDATE SET accounts = totals.accounts + excluded.accounts,
            balance = totals.balance + excluded.balance, paid_in = totals.paid_in + excluded.paid_in,
            paid_out = totals.paid_out + excluded.paid_out
    """

    def fold(self, changes: Changes, batch: Batch) -> None:
        accounts, paid_in, paid_out = changes.get(1, (0, 0, 0))
        for kind, values in zip(batch.kinds, batch.values, strict=True):
            if kind is MoneyDepositedIntoBankAccount:
                paid_in += values[1]
            elif kind is MoneyWithdrawnFromBankAccount:
                paid_out += values[1]
            elif kind is BankAccountCreated:
                accounts += 1
        changes[1] = accounts, paid_in, paid_out

    def rows(self, cursor: CursorWrapper, changes: Changes) -> Iterable[Sequence[Any]]:
        return [
            [key, accounts, paid_in - paid_out, paid_in, paid_out]
            for key, (accounts, paid_in, paid_out) in changes.items()
        ]


class Daily(Projector):
    """What happened on each day of the bank's time zone."""

    name = "daily"
    model = DailyTotals
    most_waiting = 1000
    statement = """
        INSERT INTO {table} AS daily
            (day, accounts_opened, deposits, paid_in, withdrawals, paid_out, refusals)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (day) DO UPDATE SET accounts_opened = daily.accounts_opened + excluded.accounts_opened,
            deposits = daily.deposits + excluded.deposits, paid_in = daily.paid_in + excluded.paid_in,
            withdrawals = daily.withdrawals + excluded.withdrawals,
            paid_out = daily.paid_out + excluded.paid_out, refusals = daily.refusals + excluded.refusals
    """

    def fold(self, changes: Changes, batch: Batch) -> None:
        begins = ends = batch.moments[0]
        row: list[int] = []
        for kind, values, moment in zip(batch.kinds, batch.values, batch.moments, strict=True):
            if not begins <= moment < ends:  # type: ignore[operator]  # they are all of one type
                day, begins, ends = day_of(moment)
                row = changes.setdefault(day, [0] * 6)
            if kind is MoneyDepositedIntoBankAccount:
                row[1] += 1
                row[2] += values[1]
            elif kind is MoneyWithdrawnFromBankAccount:
                row[3] += 1
                row[4] += values[1]
            elif kind is BankAccountCreated:
                row[0] += 1
            elif kind in REASONS:
                row[5] += 1

    def rows(self, cursor: CursorWrapper, changes: Changes) -> Iterable[Sequence[Any]]:
        return [[day.isoformat(), *row] for day, row in changes.items()]


PROJECTORS: dict[str, type[Projector]] = {
    projector.name: projector for projector in (Accounts, Statements, Refusals, Totals, Daily, Names)
}
"""Every projection by its name."""
