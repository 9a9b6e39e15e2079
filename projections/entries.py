"""Entries: statement lines and refusals together, the latest first."""

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from .kinds import kind_named
from .sql import rows, utc, uuid

MOST_BY_ONE_COMMAND = 10
"""An upper limit of the events of one command."""


class Entry(NamedTuple):
    """An entry of an account: a statement line or a refusal.

    `kind` is the name of a `Kind`. `amount` is never negative. `balance` is the balance afterwards, or None if a
    refusal did not check it. `beside` holds the kinds of the other events of the command.
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
    def words(self) -> str:
        return kind_named(self.kind).words

    @property
    def explanation(self) -> str:
        return kind_named(self.kind).explanation

    @property
    def sign(self) -> int:
        return kind_named(self.kind).sign

    @property
    def is_refusal(self) -> bool:
        return kind_named(self.kind).is_refusal

    @property
    def is_status_change(self) -> bool:
        return kind_named(self.kind).is_status_change


_LINE = "position, account_id, version, {}, {}, balance, recorded_at, actor, command_id"
LINES = f"SELECT {_LINE.format('kind', 'amount')} FROM projections_statementline"
REFUSED = f"SELECT {_LINE.format('reason', 'amount_requested')} FROM projections_refusedwithdrawal"


def _together(condition: str, order: str) -> str:
    """Return the SELECT of the latest statement lines and refusals together."""
    latest = f"WHERE {condition} ORDER BY {order} DESC LIMIT %s"
    return f"SELECT * FROM ({LINES} {latest}) AS lines UNION ALL SELECT * FROM ({REFUSED} {latest}) AS refused"


def _with_holders(condition: str, order: str) -> str:
    """Return the SELECT of the latest statement lines and refusals together, with the holders' names."""
    return f"""
        SELECT entry.*, account.account_holder
        FROM ({_together(condition, order)}) AS entry
        LEFT JOIN projections_accountsummary AS account ON account.account_id = entry.account_id
        ORDER BY entry.{order} DESC LIMIT %s
    """


_LATEST = _with_holders("position > %s", "position")
_OF_COMMAND = _with_holders("command_id = %s", "position")
_ALL_REFUSED = f"""
    SELECT entry.*, account.account_holder
    FROM ({REFUSED} WHERE position < %s ORDER BY position DESC LIMIT %s) AS entry
    LEFT JOIN projections_accountsummary AS account ON account.account_id = entry.account_id
    ORDER BY entry.position DESC
"""


def of_command(command_id: UUID) -> list[Entry]:
    """Return the entries of a command."""
    part = command_id.hex, MOST_BY_ONE_COMMAND
    return [entry_of(*row) for row in rows(_OF_COMMAND, *part, *part, MOST_BY_ONE_COMMAND)]


def latest(limit: int) -> list[Entry]:
    """Return the last entries of the whole bank."""
    return [entry_of(*row) for row in rows(_LATEST, 0, limit, 0, limit, limit)]


def refused(before: int, limit: int) -> list[Entry]:
    """Return the last refusals of the whole bank before a position."""
    return [entry_of(*row) for row in rows(_ALL_REFUSED, before, limit)]


def newly_made_entry_of(
    position: int,
    account_id: int,
    version: int,
    kind: str,
    amount: int,
    balance: int | None,
    recorded_at: datetime,
    actor: str,
    command_id: Any,
    account_holder: str | None = None,
) -> Entry:
    """Return the entry of a row."""
    amount, moment, command_id = abs(amount), utc(recorded_at), uuid(command_id)
    return Entry(position, account_id, version, kind, amount, balance, moment, actor, command_id, account_holder or "")


entry_of = lru_cache(maxsize=4096)(newly_made_entry_of)
"""Return the entry of a row, from memory if possible: pages show the same rows again and again."""
