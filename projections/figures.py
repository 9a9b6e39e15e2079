"""The read side's figures, held against what the events add up to.

A second way to the same figures, by plain adding up: it shares nothing with the projectors but the events, so it
finds their mistakes too, which a replay would only repeat. It goes as far as each projection has come. Which rows and
columns differ beyond the figures is for `replay_projections --check` to say, which compares them all.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from bank.domain.events import BankAccountCreated, MoneyDepositedIntoBankAccount, MoneyWithdrawnFromBankAccount
from eventstore.reading import one_moment, rows_of
from eventstore.records import START, Place

from .projectors import PROJECTORS, Fact, Refusal
from .routers import READ_SIDE

SHOWN = 20
"""How many differences of a projection are shown."""

type Rows = dict[Any, tuple[Any, ...]]

_FIGURES = {
    "accounts": "SELECT account_id, account_holder, balance, version FROM {table}",
    "statements": "SELECT account_id, COUNT(NULLIF(amount, 0)), SUM(amount) FROM {table} GROUP BY account_id",
    "refusals": "SELECT account_id, COUNT(*) FROM {table} GROUP BY account_id",
    "totals": "SELECT id, accounts, balance, paid_in, paid_out FROM {table}",
    "daily": "SELECT {day}, accounts_opened, deposits, paid_in, withdrawals, paid_out, refusals FROM {table}",
}


class Figures:
    """What the read side says now, and what the events add up to, as they are heard."""

    def __init__(self) -> None:
        """Read the live figures, all of one moment.

        Raises:
            django.db.DatabaseError: the read side cannot be read, or is not there yet.
        """
        with one_moment(READ_SIDE):
            checkpoints = rows_of(READ_SIDE, "SELECT name, transaction_id, position FROM projections_checkpoint")
            reached = {name: Place(*place) for name, *place in checkpoints}
            self.places = {name: reached.get(name, START) for name in PROJECTORS}
            self.live = {name: _live(name) for name in PROJECTORS}
        self.sums = {place: _Sums() for place in self.places.values()}
        self.last = START

    def add(self, fact: Fact) -> None:
        """Take in the next event."""
        place = fact.recorded.place
        self.last = max(self.last, place)
        for until, sums in self.sums.items():
            if place <= until:
                sums.add(fact)

    def differences(self) -> Iterator[tuple[str, str]]:
        """Yield which row of which projection differs, and how, now that all events have been taken in."""
        for name, place in self.places.items():
            if place > self.last:
                yield name, f"it has come to position {place.position}, where the log has no event"
            live, right = self.live[name], self.sums[place].rows(name)
            differing = [key for key in live.keys() | right.keys() if live.get(key) != right.get(key)]
            for key in sorted(differing)[:SHOWN]:
                yield f"{name} {key}", f"it shows {_said(live.get(key))}, and should show {_said(right.get(key))}"


class _Sums:
    """What events add up to."""

    def __init__(self) -> None:
        self.accounts: dict[int, list[Any]] = {}  # holder, balance, version, moves, refusals
        self.days: dict[date, list[int]] = defaultdict(lambda: [0] * 6)
        self.day = self.day_ends = datetime.min.replace(tzinfo=timezone.get_default_timezone())
        self.today: list[int] = []

    def add(self, fact: Fact) -> None:
        event, recorded = fact
        day = self._day(recorded.recorded_at)
        account = self.accounts.setdefault(event.account_id, ["", 0, 0, 0, 0])
        account[2] = recorded.version
        match event:
            case MoneyDepositedIntoBankAccount():
                account[1] += event.amount
                account[3] += 1
                day[1] += 1
                day[2] += event.amount
            case MoneyWithdrawnFromBankAccount():
                account[1] -= event.amount
                account[3] += 1
                day[3] += 1
                day[4] += event.amount
            case _ if isinstance(event, Refusal):
                account[4] += 1
                day[5] += 1
            case BankAccountCreated():
                account[0] = event.account_holder
                day[0] += 1

    def _day(self, moment: datetime) -> list[int]:
        if not self.day <= moment < self.day_ends:
            zone = timezone.get_default_timezone()
            day = moment.astimezone(zone).date()
            self.day = datetime.combine(day, time.min, zone)
            self.day_ends = datetime.combine(day + timedelta(days=1), time.min, zone)
            self.today = self.days[day]
        return self.today

    def rows(self, name: str) -> Rows:
        """Return the figures of a projection in the shape in which they are read."""
        accounts = self.accounts.items()
        match name:
            case "accounts":
                return {
                    account_id: (holder, balance, version) for account_id, (holder, balance, version, *_) in accounts
                }
            case "statements":
                return {account_id: (moves, balance) for account_id, (_, balance, _, moves, _) in accounts}
            case "refusals":
                return {account_id: (refused,) for account_id, (*_, refused) in accounts if refused}
            case "totals":
                opened, _, paid_in, _, paid_out, _ = map(sum, zip([0] * 6, *self.days.values(), strict=True))
                return {1: (opened, paid_in - paid_out, paid_in, paid_out)} if self.days else {}
        return {day.isoformat(): tuple(row) for day, row in self.days.items()}


def _live(name: str) -> Rows:
    vendor = connections[READ_SIDE].vendor
    day = "CAST(day AS TEXT)" if vendor == "sqlite" else "day::text"
    statement = _FIGURES[name].format(table=PROJECTORS[name].model._meta.db_table, day=day)
    # PostgreSQL adds 64-bit numbers up to a decimal one.
    return {
        key: tuple(value if isinstance(value, str) else int(value) for value in row)
        for key, *row in rows_of(READ_SIDE, statement)
    }


def _said(row: tuple[Any, ...] | None) -> str:
    return "nothing" if row is None else ", ".join(str(value) for value in row)
