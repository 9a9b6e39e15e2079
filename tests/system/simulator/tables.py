"""The expected tables of the read side: a fold of the log in plain Python, independent of the projectors.

It knows the stored names of events and the columns of the tables. It imports only the shape of a recorded event, and
the models whose rows it compares.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from eventstore.events import RecordedEvent
from projections.models import (
    AccountSummary,
    BankTotals,
    DailyTotals,
    MoneyTransfer,
    NamePart,
    RefusedWithdrawal,
    StatementLine,
    TillMovement,
    TillShift,
)
from tests.system.simulator.tills import TillTables

HOLDERS = {"Josh": "josh", "Luke Ng": "luke ng", "Zoë Ångström": "zoe angstrom", "Ada": "ada", "ΑΘΗΝΑ": "αθηνα"}
"""Names, each with its search key."""

STATUS_LINES = {
    "pin_locked": "locked",
    "pin_unlocked": "unlocked",
    "pin_changed": "new_pin",
    "bank_account_closed": "closed",
}
"""The kinds of a statement's lines for events that move no money."""
NOTHING = (None, None, "")
"""The other account of a line, the command that it is about, and the reason: most lines have none."""
RIGHT_PIN = {
    "money_withdrawn_from_bank_account",
    "money_transfer_sent",
    "account_overdrawn",
    "pin_unlocked",
    "pin_changed",
}
"""The events that set the count of wrong PINs to 0."""

LOW = 2**62 - 1
"""The bits of a sum that its lower column holds."""

type Row = tuple[Any, ...]

TABLES: dict[str, tuple[type[Model], Sequence[str]]] = {
    name: (model, columns.split())
    for name, model, columns in (
        (
            "accounts",
            AccountSummary,
            "account_id account_holder search_name balance version opened_at last_event_at"
            " wrong_pins pin_locked closed_at",
        ),
        (
            "statements",
            StatementLine,
            "position account_id version kind amount balance recorded_at actor command_id other_account_id"
            " about_command_id reason",
        ),
        (
            "refusals",
            RefusedWithdrawal,
            "position account_id version reason amount_requested balance recorded_at actor command_id",
        ),
        ("names", NamePart, "key account_id"),
        ("totals", BankTotals, "id accounts balance paid_in paid_out on_its_way"),
        (
            "daily",
            DailyTotals,
            "day accounts_opened deposits paid_in withdrawals paid_out refusals corrections",
        ),
        (
            "transfers",
            MoneyTransfer,
            "transfer_id account_id to_account_id amount sent_at arrived_at returned_at reason",
        ),
        (
            "tills",
            TillShift,
            "key till_id shift teller opened_at opening_cash expected late counted difference closed_at closed_by",
        ),
        (
            "till_movements",
            TillMovement,
            "position till_id shift kind amount recorded_at actor command_id about_command_id expected",
        ),
    )
}
"""Each projection's model with the columns that are compared, the key first."""


class Fold:
    """The tables as the events up to a position make them."""

    def __init__(self) -> None:
        self.accounts: dict[int, list[Any]] = {}
        self.names: list[Row] = []
        self.statements: list[Row] = []
        self.refusals: list[Row] = []
        self.totals = [0, 0, 0, 0, 0]
        self.transfers_by_id: dict[str, list[Any]] = {}
        self.days: dict[date, list[int]] = {}
        self.at_tills = TillTables()

    def add(self, event: RecordedEvent) -> None:  # noqa: C901  # a case for each event
        """Add the next event."""
        if event.stream.startswith("till-"):
            self.at_tills.add(event)
            return
        data = event.data
        account_id, amount = data["accountId"], data.get("amount", 0)
        day = self.days.setdefault(event.recorded_at.date(), [0] * 7)
        if event.type == "bank_account_created":
            holder = data["accountHolder"]
            opened = [account_id, holder, HOLDERS[holder], 0, 0, event.recorded_at]
            self.accounts[account_id] = [*opened, None, 0, False, None]
            self.names += [(key, account_id) for key in _parts(HOLDERS[holder], account_id)]
            self.totals[0] += 1
            day[0] += 1
        account = self.accounts[account_id]
        account[4], account[6] = event.version, event.recorded_at
        origin = (event.recorded_at, event.metadata["actor"], event.command_id)
        log_position = (event.position, account_id, event.version)
        match event.type:
            case "invalid_pin" | "withdrawal_blocked":
                self.refusals.append((*log_position, event.type, data["amount_requested"], None, *origin))
            case "account_overdrawn":
                self.refusals.append((*log_position, event.type, data["amount_requested"], data["balance"], *origin))
            case "bank_account_created":
                self.statements.append((*log_position, "opened", 0, 0, *origin, *NOTHING))
            case "money_deposited_into_bank_account":
                self._move(account, amount, log_position, "deposit", origin)
                self.totals[2] += amount
                day[1] += 1
                day[2] += amount
            case "money_withdrawn_from_bank_account":
                self._move(account, -amount, log_position, "withdrawal", origin)
                self.totals[3] += amount
                day[3] += 1
                day[4] += amount
            case "deposit_reversed" | "withdrawal_reversed":
                is_in = event.type == "withdrawal_reversed"
                about = (None, UUID(data["reversedCommandId"]), data["reason"])
                kind = "undone_out" if is_in else "undone_in"
                self._move(account, amount if is_in else -amount, log_position, kind, origin, about)
                self.totals[2 if is_in else 3] += amount
                day[2 if is_in else 4] += amount
                day[6] += 1
            case "pin_locked" | "pin_unlocked" | "pin_changed" | "bank_account_closed":
                self._move(account, 0, log_position, STATUS_LINES[event.type], origin)
                if event.type == "bank_account_closed":
                    account[9] = event.recorded_at
            case "money_transfer_sent" | "money_transfer_received" | "money_transfer_returned":
                self._transfer(account, event, log_position, origin)
            case "money_transfer_completed":
                pass
            case other:
                raise AssertionError(f"the model knows nothing of {other}")
        self._count_wrong_pins(account, event.type)
        day[5] += event.type in ("invalid_pin", "account_overdrawn", "withdrawal_blocked")

    def _transfer(self, account: list[Any], event: RecordedEvent, log_position: Row, origin: Row) -> None:
        data, moment = event.data, event.recorded_at
        kind = event.type.removeprefix("money_transfer_")
        other = data["fromAccountId" if kind == "received" else "toAccountId"]
        transfer_id, reason = UUID(data["transferId"]), data.get("reason", "")
        amount = -data["amount"] if kind == "sent" else data["amount"]
        self._move(account, amount, log_position, kind, origin, (other, transfer_id, reason))
        self.totals[4] -= amount
        ends = (other, data["accountId"]) if kind == "received" else (data["accountId"], other)
        row = self.transfers_by_id.setdefault(
            data["transferId"], [transfer_id, *ends, data["amount"], None, None, None, ""]
        )
        row[4 + ("sent", "received", "returned").index(kind)] = moment
        row[7] = reason

    def _count_wrong_pins(self, account: list[Any], kind: str) -> None:
        if kind == "invalid_pin":
            account[7] += 1
        elif kind in RIGHT_PIN:
            account[7] = 0
        if kind in ("pin_locked", "pin_unlocked"):
            account[8] = kind == "pin_locked"

    def _move(
        self, account: list[Any], amount: int, log_position: Row, kind: str, origin: Row, about: Row = NOTHING
    ) -> None:
        account[3] += amount
        self.totals[1] += amount
        self.statements.append((*log_position, kind, amount, account[3], *origin, *about))

    def rows(self, name: str) -> set[Row]:
        """Return the expected rows of a projection."""
        match name:
            case "accounts":
                rows: Iterable[Row] = (tuple(row) for row in self.accounts.values())
            case "totals":
                # A sum is below zero where the stream that sent money is parked. This is the lower of its two columns.
                rows = [(1, *(each & LOW for each in self.totals))] if self.days else []
            case "transfers":
                rows = (tuple(row) for row in self.transfers_by_id.values())
            case "daily":
                rows = ((day, *row) for day, row in self.days.items())
            case "tills":
                rows = (tuple(row) for row in self.at_tills.shifts.values())
            case "till_movements":
                rows = (tuple(row) for row in self.at_tills.movements)
            case _:
                rows = getattr(self, name)
        return {plain(row) for row in rows}


def _parts(name: str, account_id: int) -> set[bytes]:
    number = account_id.to_bytes(8, "big")
    return {word[at:][:16].encode() + b"\0" + number for word in name.split() for at, _ in enumerate(word)}


def fold(log: Iterable[RecordedEvent]) -> Fold:
    """Return the tables of a log."""
    folded = Fold()
    for event in log:
        folded.add(event)
    return folded


def plain(row: Sequence[Any]) -> Row:
    """Return a row's values as plain text and numbers, the same for each kind of database."""
    return tuple(_plain(value) for value in row)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return str(value.replace(tzinfo=None))
        case date():
            return value.isoformat()
        case UUID():
            return value.hex
        case memoryview():
            return bytes(value)
        case _:
            return value


def live_rows(name: str) -> set[Row]:
    """Return the stored rows of a projection."""
    model, columns = TABLES[name]
    rows = [plain([getattr(row, column) for column in columns]) for row in model._base_manager.all()]
    assert len(rows) == len(set(rows)), "no row is there twice"
    return set(rows)


def assert_is_fold(log: Sequence[RecordedEvent], reached: dict[str, int]) -> None:
    """Raise AssertionError unless each table equals the fold of the events up to its checkpoint."""
    for name in TABLES:
        wanted = fold(event for event in log if event.position <= reached.get(name, 0)).rows(name)
        assert live_rows(name) == wanted, f"{name} at {reached.get(name, 0)}"
