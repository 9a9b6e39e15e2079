"""What the pages and the challenge ask of the read side. Nothing here looks at the write side's events.

Amounts and balances are integers of minor units (cents), times are aware and in UTC.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from eventstore import store
from eventstore.records import Outcome
from eventstore.signals import events_appended

from .models import AccountSummary, BankTotals, DailyTotals, RefusedWithdrawal, StatementLine
from .projectors import search_form

MAX_ID = 2**63 - 1
MOST_BY_ONE_COMMAND = 10
"""More events than any one command records."""


class UnknownAccount(LookupError):
    """The read side has no account of this number."""


class AccountListEntry(NamedTuple):
    account_id: int
    account_holder: str


class Account(NamedTuple):
    """An account as it stands."""

    account_id: int
    account_holder: str
    balance: int
    version: int
    opened_at: datetime
    last_event_at: datetime
    wrong_pins: int
    pin_locked: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to an account.

    `kind` is opened, deposit, withdrawal, locked, unlocked or new_pin; or a refusal, in which no money moved:
    invalid_pin, account_overdrawn or withdrawal_blocked. `amount` is never negative. `balance` is the one after
    it; where a refusal did not look at it, it is not known. `beside` are the kinds of what else the command did.
    """

    position: int
    account_id: int
    version: int
    kind: str
    amount: int
    balance: int | None
    recorded_at: datetime
    actor: str
    command_id: UUID
    account_holder: str = ""
    beside: tuple[str, ...] = ()

    @property
    def is_refusal(self) -> bool:
        return self.kind in RefusedWithdrawal.Reason

    @property
    def is_about_pin(self) -> bool:
        return self.kind in ("locked", "unlocked", "new_pin")


class Page[Row](NamedTuple):
    """Some rows, and from where the next page goes on, if there is one."""

    rows: list[Row]
    next: int | None


class BankFigures(NamedTuple):
    """`balance` is the money on deposit; `paid_in` and `paid_out` are all that ever was."""

    accounts: int
    balance: int
    paid_in: int
    paid_out: int


# The challenge's three, and their companions


def check_balance(account_id: int) -> int:
    """Return an account's balance in minor units.

    Raises:
        UnknownAccount
    """
    return find_account(account_id).balance


def get_account_list() -> list[AccountListEntry]:
    """Return every account's number and holder, ordered by number."""
    rows = AccountSummary.objects.order_by("account_id").values_list("account_id", "account_holder")
    return [AccountListEntry(*row) for row in rows]


def get_total_deposits() -> int:
    """Return the money on deposit: the sum of all balances."""
    return bank_figures().balance


def get_total_paid_in() -> int:
    """Return all money that was ever paid in."""
    return bank_figures().paid_in


def get_total_paid_out() -> int:
    """Return all money that was ever paid out."""
    return bank_figures().paid_out


# What the screens need


def bank_figures() -> BankFigures:
    """Return the bank's figures; all are 0 in an empty bank."""
    row = BankTotals.objects.values_list("accounts", "balance", "paid_in", "paid_out").first()
    return BankFigures(*(row or (0, 0, 0, 0)))


_ACCOUNT = Account._fields


def find_account(account_id: int) -> Account:
    """Return an account.

    Raises:
        UnknownAccount
    """
    row = None
    if 0 < account_id <= MAX_ID:
        row = AccountSummary.objects.filter(account_id=account_id).values_list(*_ACCOUNT).first()
    if row is None:
        raise UnknownAccount(f"There is no account {account_id}.")
    return Account(*row)


def find_accounts(text: str = "", *, after: int = 0, limit: int = 25) -> Page[Account]:
    """Return the accounts with this number or with this part in the holder's name, ordered by number.

    Case and accents do not count. `after` is the previous page's `next`.
    """
    rows = AccountSummary.objects.filter(account_id__gt=min(max(after, 0), MAX_ID))
    if words := search_form(text.strip().replace("\0", "")):
        wanted = Q(search_name__contains=words)
        if words.isascii() and words.isdigit() and len(words) <= 19 and int(words) <= MAX_ID:
            wanted |= Q(account_id=int(words))
        rows = rows.filter(wanted)
    found = [Account(*row) for row in rows.order_by("account_id").values_list(*_ACCOUNT)[: limit + 1]]
    return Page(found[:limit], found[limit - 1].account_id if len(found) > limit else None)


def next_account_id() -> int:
    """Return a number that no account had when the read side last looked; 1 in an empty bank."""
    last = AccountSummary.objects.order_by("-account_id").values_list("account_id", flat=True).first()
    return min((last or 0) + 1, MAX_ID)


_ORIGIN = ("recorded_at", "actor", "command_id")
_LINE = ("position", "account_id", "version", "kind", "amount", "balance", *_ORIGIN)
_REFUSAL = ("position", "account_id", "version", "reason", "amount_requested", "balance", *_ORIGIN)


def _entries(limit: int, order: str, **conditions: object) -> list[Entry]:
    """Return the latest statement lines and refusals together."""
    lines: QuerySet[StatementLine] = StatementLine.objects.filter(**conditions).order_by(f"-{order}")
    refusals = RefusedWithdrawal.objects.filter(**conditions).order_by(f"-{order}")
    rows = [*lines.values_list(*_LINE)[:limit], *refusals.values_list(*_REFUSAL)[:limit]]
    entries = [_entry(*row) for row in rows]
    return sorted(entries, key=lambda entry: -getattr(entry, order))[:limit]


def _entry(position: int, account_id: int, version: int, kind: str, amount: int, *others: Any) -> Entry:
    return Entry(position, account_id, version, kind, abs(amount), *others)


def statement(account_id: int, *, before: int | None = None, limit: int = 25) -> Page[Entry]:
    """Return what happened to an account, the latest first, refusals included.

    `before` is the previous page's `next`, so the last page costs what the first does.
    """
    version = MAX_ID if before is None else min(max(before, 0), MAX_ID)
    found = _entries(limit + 1, "version", account_id=account_id, version__lt=version)
    return Page(found[:limit], found[limit - 1].version if len(found) > limit else None)


def latest_activity(limit: int = 10) -> list[Entry]:
    """Return what happened last in the whole bank, with the holders' names."""
    return _named(_entries(limit, "position"))


def receipt(command_id: UUID) -> Entry | None:
    """Return what a command did, or None where the read side knows of none.

    Where it did several things that is the first, and the others are beside it.
    """
    entries = _named(_entries(MOST_BY_ONE_COMMAND, "position", command_id=command_id))
    if not entries:
        return None
    *others, first = entries
    return replace(first, beside=tuple(other.kind for other in reversed(others)))


def outcome(command_id: UUID) -> Outcome | None:
    """Return what the log's own record says of a command that the read side does not know, or None if it is in neither.

    The process that carried it out may have died before it could wake the projections, so they are woken.
    """
    found = store.find_outcome(command_id)
    if found is not None and found.accepted:
        events_appended.send(sender=outcome, events=())
    return found


def _named(entries: list[Entry]) -> list[Entry]:
    ids = {entry.account_id for entry in entries}
    summaries = AccountSummary.objects.filter(account_id__in=ids).values_list("account_id", "account_holder")
    holders = dict(summaries) if ids else {}
    return [replace(entry, account_holder=holders.get(entry.account_id, "")) for entry in entries]


def refusals(*, before: int | None = None, limit: int = 25) -> Page[Entry]:
    """Return the refused withdrawals of the whole bank, the latest first; `before` is the previous page's `next`."""
    position = MAX_ID if before is None else min(max(before, 0), MAX_ID)
    rows = RefusedWithdrawal.objects.filter(position__lt=position).order_by("-position")
    found = [_entry(*row) for row in rows.values_list(*_REFUSAL)[: limit + 1]]
    return Page(_named(found[:limit]), found[limit - 1].position if len(found) > limit else None)


def daily_totals(limit: int = 30) -> list[DailyTotals]:
    """Return what happened on each of the latest days on which anything did, the latest first."""
    return list(DailyTotals.objects.order_by("-day")[:limit])
