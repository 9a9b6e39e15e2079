"""A model of tills in plain Python, the tables that their events make, and the equation of their cash.

As `model.py` and `tables.py`, it is written independently of the aggregate and of the SQL.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from bank.domain.commands import (
    BringCashFromVault,
    CloseTill,
    OpenTill,
    RecordCashIn,
    RecordCashOut,
    TakeCashToVault,
    TillCommand,
)
from eventstore.events import RecordedEvent

MOST = 10**12
KINDS = {
    "till_opened": ("opened", 1),
    "cash_paid_into_till": ("paid_in", 1),
    "cash_paid_out_of_till": ("paid_out", -1),
    "cash_brought_from_vault": ("from_vault", 1),
    "cash_taken_to_vault": ("to_vault", -1),
    "till_closed": ("closed", 0),
    "cash_paid_into_closed_till": ("late_in", 1),
    "cash_paid_out_of_closed_till": ("late_out", -1),
}
"""The kind of a movement, and its sign, by the type of its event."""
PAYMENTS = {
    "money_deposited_into_bank_account": 1,
    "withdrawal_reversed": 1,
    "money_withdrawn_from_bank_account": -1,
    "deposit_reversed": -1,
}
"""The sign of the cash of an account's event."""


class Till(NamedTuple):
    """The state of a till. `teller` is empty while it is closed."""

    shift: int = 0
    teller: str = ""
    cash: int = 0


def next_command(chance: random.Random, tills: int, actor: str, own: tuple[int, Till] | None) -> TillCommand:
    """Return a command of a teller: often a good one at the own till, now and then one at any till and shift."""
    if own is None or chance.random() < 0.1:
        return OpenTill(chance.randint(1, tills), actor, chance.choice((0, chance.randint(1, 500))))
    till_id, till = own
    at = till_id, till.shift - (chance.random() < 0.1)
    luck, amount = chance.random(), chance.choice((chance.randint(1, 500), chance.randint(1, 500), 0, MOST + 1))
    if luck < 0.4:
        return BringCashFromVault(*at, amount)
    if luck < 0.7:
        return TakeCashToVault(*at, amount)
    return CloseTill(*at, ((100, chance.randint(0, 5)), (1, chance.randint(0, 99))))


def decide(till: Till, command: TillCommand, *, has_other: bool) -> tuple[str, dict[str, Any]] | str:
    """Return the event of a command, or the code of its rejection. `has_other`: the teller has another till."""
    which = {"tillId": command.till_id}
    if isinstance(command, OpenTill):
        if till.teller:
            return "till_is_open"
        if has_other:
            return "teller_has_till"
        return "till_opened", {**which, "teller": command.teller, "openingCash": command.opening_cash}
    is_now = bool(till.teller) and till.shift == command.shift
    if isinstance(command, RecordCashIn | RecordCashOut):
        direction = "into" if isinstance(command, RecordCashIn) else "out_of"
        kind = f"cash_paid_{direction}_{'till' if is_now else 'closed_till'}"
        return kind, {**which, "amount": command.amount, "commandId": command.command_id}
    if isinstance(command, BringCashFromVault | TakeCashToVault):
        if not 1 <= command.amount <= MOST:
            return "invalid_amount"
        kind = "cash_brought_from_vault" if isinstance(command, BringCashFromVault) else "cash_taken_to_vault"
        return (kind, {**which, "amount": command.amount}) if is_now else "till_shift_over"
    if not is_now:
        return "till_shift_over"
    counted = sum(denomination * pieces for denomination, pieces in command.counts)
    figures = {"expected": till.cash, "counted": counted, "difference": counted - till.cash}
    return "till_closed", {**which, **figures}


def after(till: Till, kind: str, data: dict[str, Any]) -> Till:
    """Return the till after an event."""
    if kind == "till_opened":
        return Till(till.shift + 1, data["teller"], data["openingCash"])
    if kind == "till_closed":
        return Till(till.shift)
    if "closed_till" in kind:
        return till
    return till._replace(cash=till.cash + KINDS[kind][1] * data["amount"])


def metadata_of(till: Till, command: TillCommand) -> dict[str, Any]:
    """Return what the metadata of a command's event must say of the shift and the count."""
    if isinstance(command, OpenTill):
        return {"till_shift": till.shift + 1}
    counts = (
        {"till_counts": {str(each): pieces for each, pieces in command.counts}}
        if isinstance(command, CloseTill)
        else {}
    )
    return {"till_shift": command.shift, **counts}


def cash_by_the_log(log: Iterable[RecordedEvent], till_id: int, shift: int) -> int:
    """Return the opening cash of a shift, and what came in less what went out while it was open."""
    return sum(
        KINDS[event.type][1] * event.data.get("amount", event.data.get("openingCash", 0))
        for event in log
        if event.stream == f"till-{till_id}" and event.metadata["till_shift"] == shift and "closed" not in event.type
    )


def cash_of_payments(log: Iterable[RecordedEvent]) -> tuple[Counter[Any], Counter[Any]]:
    """Return the cash of each shift as the accounts' events have it, and as those of the tills have it."""
    paid: Counter[Any] = Counter()
    recorded: Counter[Any] = Counter()
    for event in log:
        if "till" in event.metadata and event.type in PAYMENTS:
            at = event.metadata["till"], event.metadata["till_shift"]
            paid[at] += PAYMENTS[event.type] * event.data["amount"]
        elif "commandId" in event.data:
            recorded[event.data["tillId"], event.metadata["till_shift"]] += KINDS[event.type][1] * event.data["amount"]
    return paid, recorded


class TillTables:
    """The rows of the two tables of tills, as the events up to a position make them."""

    def __init__(self) -> None:
        self.shifts: dict[tuple[int, int], list[Any]] = {}
        self.movements: list[Sequence[Any]] = []

    def add(self, event: RecordedEvent) -> None:
        """Add the next event of a till."""
        data, moment = event.data, event.recorded_at
        till_id, number = data["tillId"], event.metadata["till_shift"]
        kind, sign = KINDS[event.type]
        amount = sign * data.get("amount", data.get("openingCash", 0))
        if kind == "opened":
            key = number * 10_000 + till_id
            opened = [key, till_id, number, data["teller"], moment, data["openingCash"]]
            self.shifts[till_id, number] = [*opened, 0, 0, None, None, None, ""]
        shift = self.shifts[till_id, number]
        shift[7 if kind.startswith("late") else 6] += amount
        if kind == "closed":
            shift[8:] = [data["counted"], data["difference"], moment, event.metadata["actor"]]
        about = UUID(data["commandId"]) if "commandId" in data else None
        origin = (moment, event.metadata["actor"], event.command_id, about)
        self.movements.append((event.position, till_id, number, kind, amount, *origin, shift[6]))
