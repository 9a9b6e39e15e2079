"""The queries of supervisors: refused withdrawals and locked accounts. Amounts are in minor units; times are in UTC."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from eventstore.backends import backend_of

from .entries import REFUSED, Entry, entry_of, together
from .kinds import KINDS
from .name_search import MAX_ID
from .replicas import reading_from
from .sql import rows, utc


def reasons() -> Mapping[str, str]:
    """Return the reasons of refusals in words, by their stored names."""
    words = {kind.name: kind.because for kind in KINDS if kind.is_refusal}
    return {name: f"{because[0].upper()}{because[1:]}" for name, because in words.items()}


class RefusalsWanted(NamedTuple):
    """The refusals that a supervisor wants: from `since` until before `until`, of a reason, a teller or an account."""

    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""
    actor: str = ""
    account_id: int | None = None


EVERY_REFUSAL = RefusalsWanted()


class Locked(NamedTuple):
    """An account whose withdrawals are locked. `since` is missing if the read side does not have that line yet."""

    account_id: int
    account_holder: str
    wrong_pins: int
    since: datetime | None


def _condition(wanted: RefusalsWanted) -> tuple[str, list[object]]:
    """Return the SQL condition of refusals, and its values."""
    adapt = backend_of(reading_from()).adapt
    conditions = {
        "recorded_at >= %s": wanted.since and adapt(wanted.since),
        "recorded_at < %s": wanted.until and adapt(wanted.until),
        "reason = %s": wanted.reason or None,
        "actor = %s": wanted.actor or None,
        "account_id = %s": wanted.account_id if (wanted.account_id or 0) <= MAX_ID else 0,
    }
    used = {condition: value for condition, value in conditions.items() if value is not None}
    return " AND ".join(["TRUE", *used]), [*used.values()]


def refusals(wanted: RefusalsWanted, before: int | None, limit: int) -> list[Entry]:
    """Return the last refusals before a position, the latest first, with the holders' names."""
    position = MAX_ID if before is None else min(max(before, 0), MAX_ID)
    condition, values = _condition(wanted)
    statement = together(f"{REFUSED} WHERE position < %s AND {condition}")
    return [entry_of(*row) for row in rows(statement, position, *values, limit, limit)]


def refusals_by_reason(wanted: RefusalsWanted) -> Mapping[str, int]:
    """Return the number of refusals of each reason. The wanted reason does not count."""
    condition, values = _condition(wanted._replace(reason=""))
    statement = f"SELECT reason, COUNT(*) FROM projections_refusedwithdrawal WHERE {condition} GROUP BY reason"
    return dict(rows(statement, *values))


_LOCKED = """
    SELECT account_id, account_holder, wrong_pins, (
        SELECT recorded_at FROM projections_statementline AS line
        WHERE line.account_id = account.account_id AND kind = 'locked' ORDER BY version DESC LIMIT 1
    )
    FROM projections_accountsummary AS account WHERE pin_locked ORDER BY account_id LIMIT %s
"""


def locked_accounts(limit: int) -> list[Locked]:
    """Return the accounts with the lowest numbers among those that are locked."""
    found = rows(_LOCKED, limit)
    return [Locked(number, holder, wrong_pins, at and utc(at)) for number, holder, wrong_pins, at in found]
