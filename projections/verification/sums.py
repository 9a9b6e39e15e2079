"""Figures computed by adding up events, as a second computation of the read side.

It shares only the events with the projectors, and uses no database, so that any process can add up a part.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple, assert_never

from django.utils import timezone

from bank.domain.events import (
    AccountEvent,
    BankAccountCreated,
    BankEvent,
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
from bank.domain.streams import OfTill
from eventstore.events import START, LogPosition
from eventstore.verification.reader import ReadEvent

from ..name_search import name_keys
from .till_sums import TillSums

_NEVER = 2**64
_COLUMNS = 7
"""The number of figures of a day."""

type Rows = dict[Any, tuple[Any, ...]]


class Cut(NamedTuple):
    """The events that a projection has applied: those up to a log position, without the parked part of some streams."""

    log_position: LogPosition
    parked: frozenset[tuple[str, int]] = frozenset()
    """The parked streams, each with its first version that the projection has skipped."""


class SumsUpTo:
    """The sums of the events that several projections have applied.

    Args:
        zone: the time zone of the days; by default that of the settings.
    """

    def __init__(self, cuts: Iterable[Cut], zone: tzinfo | None = None) -> None:
        zone = zone or timezone.get_default_timezone()
        self.sums = {cut: Sums(zone) for cut in cuts}
        self._parked = {cut: dict(cut.parked) for cut in self.sums if cut.parked}
        self.last: tuple[int, int] = START

    def add(self, event: BankEvent, recorded: ReadEvent) -> None:
        """Add the next event."""
        log_position = self.skip(recorded)
        for cut, sums in self.sums.items():
            if log_position <= cut.log_position and not (
                cut.parked and recorded.version >= self._parked[cut].get(recorded.stream, _NEVER)
            ):
                if isinstance(event, OfTill):
                    sums.tills.add(event, recorded)
                else:
                    sums.add(event, recorded)

    def skip(self, recorded: ReadEvent) -> tuple[int, int]:
        """Pass the next event over, and return its log position."""
        log_position = recorded.transaction_id, recorded.position
        if log_position > self.last:
            self.last = log_position
        return log_position

    def join(self, other: "SumsUpTo") -> None:
        """Add the sums of other streams."""
        self.last = max(self.last, other.last)
        for cut, sums in other.sums.items():
            self.sums[cut].join(sums)


class Sums:
    """The sums of events."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.accounts: dict[int, list[Any]] = {}  # holder, balance, version, moves, refusals
        # accounts opened, deposits, paid in, withdrawals, paid out, refusals, corrections
        self.days: dict[date, list[int]] = {}
        self.transfers: dict[int, list[int]] = {}  # sent, arrived and returned by this account, amount sent
        self.on_its_way = 0
        self.day = self.day_ends = datetime.min.replace(tzinfo=UTC)
        self.today: list[int] = []
        self.tills = TillSums()

    def add(self, event: AccountEvent, recorded: ReadEvent) -> None:  # noqa: C901  # a case for each event
        """Add the next event."""
        moment = recorded.recorded_at
        if not self.day <= moment < self.day_ends:
            self._turn_to(moment)
        day = self.today
        account = self.accounts.get(event.account_id)
        if account is None:
            account = self.accounts[event.account_id] = ["", 0, 0, 0, 0]
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
            case DepositReversed():
                account[1] -= event.amount
                account[3] += 1
                day[4] += event.amount
                day[6] += 1
            case WithdrawalReversed():
                account[1] += event.amount
                account[3] += 1
                day[2] += event.amount
                day[6] += 1
            case MoneyTransferSent():
                self._transfer(account, event.account_id, 0, -event.amount)
                self.transfers[event.account_id][3] += event.amount
            case MoneyTransferReceived():
                self._transfer(account, event.from_account_id, 1, event.amount)
            case MoneyTransferReturned():
                self._transfer(account, event.account_id, 2, event.amount)
            case Refusal():
                account[4] += 1
                day[5] += 1
            case BankAccountCreated():
                account[0] = event.account_holder
                day[0] += 1
            case StatusChange() | Note():
                pass
            case _:
                assert_never(event)

    def _transfer(self, account: list[Any], sent_by: int, step: int, amount: int) -> None:
        """Add a step of a transfer: what it moved, and whose transfer it is."""
        account[1] += amount
        account[3] += 1
        self.on_its_way -= amount
        self.transfers.setdefault(sent_by, [0] * 4)[step] += 1

    def _turn_to(self, moment: datetime) -> None:
        """Set the current day to that of a time, with its beginning and end in UTC."""
        day = moment.astimezone(self.zone).date()
        self.day = datetime.combine(day, time.min, self.zone).astimezone(UTC)
        self.day_ends = datetime.combine(day + timedelta(days=1), time.min, self.zone).astimezone(UTC)
        self.today = self.days.setdefault(day, [0] * _COLUMNS)

    def join(self, other: "Sums") -> None:
        """Add the sums of other streams."""
        self.accounts |= other.accounts
        self.on_its_way += other.on_its_way
        for account_id, row in other.transfers.items():
            self.transfers[account_id] = _added(self.transfers.get(account_id, [0] * 4), row)
        self.tills.join(other.tills)
        for day, row in other.days.items():
            self.days[day] = _added(self.days.get(day, [0] * _COLUMNS), row)

    def rows(self, name: str) -> Rows:
        """Return the figures of a projection in the shape of its query."""
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
            case "names":
                parts = {account_id: len(name_keys(holder, account_id)) for account_id, (holder, *_) in accounts}
                return {account_id: (count,) for account_id, count in parts.items() if count}
            case "totals":
                opened, _, paid_in, _, paid_out, *_ = map(sum, zip([0] * _COLUMNS, *self.days.values(), strict=True))
                balance = sum(account[1] for account in self.accounts.values())
                return {1: (opened, balance, paid_in, paid_out, self.on_its_way)} if self.days else {}
            case "daily":
                return {day.isoformat(): tuple(row) for day, row in self.days.items()}
            case "transfers":
                return {account_id: tuple(row) for account_id, row in self.transfers.items()}
            case "tills":
                return self.tills.rows()
            case "till_movements":
                return self.tills.movements()
        raise NotImplementedError(f"There are no sums for the projection {name}.")


def _added(row: list[int], more: list[int]) -> list[int]:
    return [mine + other for mine, other in zip(row, more, strict=True)]
