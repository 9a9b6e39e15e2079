"""The queries of the pages and of the challenge. They read the read side, and never the write side's events.

Amounts and balances are integers of minor units (cents); times are aware and in UTC.
"""

from datetime import datetime
from itertools import batched
from typing import NamedTuple
from uuid import UUID

from eventstore import store
from eventstore.events import Outcome
from eventstore.signals import catch_up_wanted

from . import account_search, entries, statements, supervision, tills
from . import desk as desks
from .balances import Stretch as Stretch
from .balances import balance_before as balance_before
from .balances import stretches as stretches
from .big_sums import columns_of, joined
from .days import Span as Span
from .days import first_day as first_day
from .days import spans as spans
from .days import total as total
from .desk import Day as Day
from .desk import Desk as Desk
from .desk import OwnTill as OwnTill
from .desk import day_of as day_of
from .desk import desk as desk
from .entries import Entry as Entry
from .free_numbers import next_account_id as next_account_id
from .name_search import MAX_ID
from .name_search import searched_number as searched_number
from .sql import rows, utc
from .statements import GROUPS as GROUPS
from .statements import WHOLE as WHOLE
from .statements import Part as Part
from .statements import Totals as Totals
from .statements import in_order as in_order
from .statements import part_of as part_of
from .statements import totals as totals
from .supervision import RefusalsWanted as RefusalsWanted
from .supervision import locked_accounts as locked_accounts
from .supervision import reasons as reasons
from .supervision import refusals_by_reason as refusals_by_reason
from .tills import Movement
from .tills import Shift as Shift
from .tills import find_shift as find_shift
from .tills import free_till as free_till
from .tills import last_shift_of as last_shift_of
from .tills import open_shift_of as open_shift_of
from .tills import shift_of_command as shift_of_command
from .tills import shift_of_payment as shift_of_payment
from .tills import shifts_between as shifts_between
from .transfers import Transfer as Transfer
from .transfers import find_transfer as find_transfer
from .transfers import transfers_on_their_way as transfers_on_their_way


class UnknownAccount(LookupError):
    """No account on the read side has this number."""


class AccountListEntry(NamedTuple):
    account_id: int
    account_holder: str


class Account(NamedTuple):
    """The current state of an account."""

    account_id: int
    account_holder: str
    balance: int
    version: int
    opened_at: datetime
    last_event_at: datetime
    wrong_pins: int
    pin_locked: bool
    closed_at: datetime | None


class Page[Row](NamedTuple):
    """A page of rows, and the start of the next page, or None."""

    rows: list[Row]
    next: int | None


class BankFigures(NamedTuple):
    """The bank's figures: `balance` is the money on deposit; `paid_in` and `paid_out` are the sums of all time.

    `on_its_way` is the money of transfers that have neither arrived nor come back. It and the money on deposit are what
    was paid in less what was paid out.
    """

    accounts: int
    balance: int
    paid_in: int
    paid_out: int
    on_its_way: int


class Parked(NamedTuple):
    """The number of accounts that figures lack, and since when. It is 0 if they lack a part of their one account."""

    accounts: int
    since: datetime


# The challenge's three queries, and their companions


def check_balance(account_id: int) -> int:
    """Return an account's balance in minor units.

    Raises:
        UnknownAccount
    """
    return find_account(account_id).balance


def get_account_list() -> list[AccountListEntry]:
    """Return every account's number and holder, ordered by number.

    Closed accounts are among them. The challenge defines this as the list of all accounts, `check_balance` answers for
    each number in it, and `get_total_deposits` counts each.
    """
    found = rows("SELECT account_id, account_holder FROM projections_accountsummary ORDER BY account_id")
    return [AccountListEntry(*row) for row in found]


def get_total_deposits() -> int:
    """Return the money on deposit: the sum of all balances."""
    return bank_figures().balance


def get_total_paid_in() -> int:
    """Return the sum of all money paid in."""
    return bank_figures().paid_in


def get_total_paid_out() -> int:
    """Return the sum of all money paid out."""
    return bank_figures().paid_out


# Queries of the screens


def bank_figures() -> BankFigures:
    """Return the bank's figures; all are 0 in an empty bank."""
    sums = columns_of(("balance", "paid_in", "paid_out", "on_its_way"))
    found = rows(f"SELECT accounts, {', '.join(sums)} FROM projections_banktotals")
    accounts, *parts = found[0] if found else [0] * 9
    return BankFigures(accounts, *(joined(high, low) for high, low in batched(parts, 2)))


_ACCOUNT = f"SELECT {', '.join(Account._fields)} FROM projections_accountsummary"


def find_account(account_id: int) -> Account:
    """Return an account.

    Raises:
        UnknownAccount
    """
    found = rows(f"{_ACCOUNT} WHERE account_id = %s", account_id) if 0 < account_id <= MAX_ID else []
    if not found:
        raise UnknownAccount(f"There is no account {account_id}.")
    return _account(*found[0])


def _account(
    account_id: int,
    account_holder: str,
    balance: int,
    version: int,
    opened_at: datetime,
    last_event_at: datetime,
    wrong_pins: int,
    pin_locked: bool,
    closed_at: datetime | None,
) -> Account:
    opened_at, last_event_at, closed_at = utc(opened_at), utc(last_event_at), closed_at and utc(closed_at)
    state = wrong_pins, pin_locked, closed_at
    return Account(account_id, account_holder, balance, version, opened_at, last_event_at, *state)


def find_accounts(
    text: str = "", *, closed: bool = False, locked: bool = False, after: int = 0, limit: int = 25
) -> Page[Account]:
    """Return the accounts with this number, or with each of these words in the holder's name, ordered by number.

    A word matches any part of a word. Order, case, accents, apostrophes and hyphens do not count. A number among the
    words also matches the account's number. `after` is the previous page's `next`.

    Args:
        closed: whether closed accounts are returned too. A closed account is always found by its number.
        locked: whether only accounts are returned whose withdrawals are locked.
    """
    condition, values = account_search.condition(text, closed=closed, locked=locked)
    statement = f"{_ACCOUNT} WHERE account_id > %s AND {condition} ORDER BY account_id LIMIT %s"
    values = [min(max(after, 0), MAX_ID), *values, limit + 1]
    found = [_account(*row) for row in rows(statement, *values)]
    return Page(found[:limit], found[limit - 1].account_id if len(found) > limit else None)


def statement(account_id: int, *, before: int | None = None, limit: int = 25, part: Part = WHOLE) -> Page[Entry]:
    """Return the entries of an account, refusals included, the latest first, each without the holder's name.

    `before` is the previous page's `next`, so the last page costs as much as the first. `part` limits the statement.
    """
    end = part.end if before is None else min(max(before, 0), part.end)
    found = statements.latest_first(account_id, part._replace(end=end), limit + 1)
    return Page(found[:limit], found[limit - 1].version if len(found) > limit else None)


def latest_activity(limit: int = 10) -> list[Entry]:
    """Return the last entries of the whole bank, with the holders' names."""
    return entries.latest(limit)


def receipt(command_id: UUID) -> Entry | None:
    """Return the first entry of a command, with what belongs to it, or None if the read side has none."""
    found = entries.of_command(command_id)[::-1]
    if not (own := [entry for entry in found if entry.command_id == command_id]):
        return None
    first, *others = own
    related = tuple(entry for entry in found if entry.command_id != command_id)
    return first._replace(beside=tuple(other.kind for other in others), related=related)


def command_at(position: int) -> UUID | None:
    """Return the command whose receipt has this reference number, or None."""
    return entries.command_at(position) if 0 < position <= MAX_ID else None


def command_name(command_id: UUID) -> str:
    """Return the name of a recorded command, or an empty text."""
    found = store.find_outcome(command_id)
    return found.name if found else ""


def outcome(command_id: UUID) -> Outcome | None:
    """Return the recorded outcome of a command that the read side lacks, or None if no such command is recorded.

    It wakes the projections, because the process that carried the command out may have died before it could.
    """
    found = store.find_outcome(command_id)
    if found is not None and found.accepted:
        catch_up_wanted.send(sender=outcome)
    return found


def refusals(
    wanted: RefusalsWanted = supervision.EVERY_REFUSAL, *, before: int | None = None, limit: int = 25
) -> Page[Entry]:
    """Return the refused withdrawals of the whole bank, the latest first; `before` is the previous page's `next`."""
    found = supervision.refusals(wanted, before, limit + 1)
    return Page(found[:limit], found[limit - 1].position if len(found) > limit else None)


def tasks_of(
    actor: str, since: datetime | None, until: datetime, *, before: int | None = None, limit: int = 25
) -> Page[Entry]:
    """Return a teller's tasks from one time, or ever, until before another one, the latest first."""
    found = desks.tasks_of(actor, since, until, before, limit + 1)
    return Page(found[:limit], found[limit - 1].position if len(found) > limit else None)


def till_movements(till_id: int, shift: int, *, before: int | None = None, limit: int = 25) -> Page[Movement]:
    """Return the movements of a shift of a till, the latest first; `before` is the previous page's `next`."""
    found = tills.movements(till_id, shift, before, limit + 1)
    return Page(found[:limit], found[limit - 1].position if len(found) > limit else None)


def parked_accounts() -> Parked | None:
    """Return the number of parked accounts, or None if nothing is parked."""
    found = rows("SELECT stream, recorded_at FROM projections_parkedstream ORDER BY recorded_at")
    return Parked(len({stream for stream, _ in found}), utc(found[0][1])) if found else None


def parked_stream(stream: str) -> Parked | None:
    """Return since when a stream is parked, or None."""
    statement = "SELECT recorded_at FROM projections_parkedstream WHERE stream = %s ORDER BY recorded_at LIMIT 1"
    found = rows(statement, stream)
    return Parked(0, utc(found[0][0])) if found else None
