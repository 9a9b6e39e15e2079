"""Entries: statement lines and refusals together, the latest first."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from bank.domain.events import Correction, MoneyTransferReturned

from .kinds import KINDS, because, kind_named
from .sql import rows, utc, uuid

MOST_BY_ONE_COMMAND = 10
"""An upper limit of the events of one command."""


class Entry(NamedTuple):
    """An entry of an account: a statement line or a refusal.

    `kind` is the name of a `Kind`. `amount` is never negative. `balance` is the balance afterwards, or None if a
    refusal did not check it. `other_account_id` is the account that the money came from or went to, `about_command_id`
    the earlier command that a line belongs to, with its position, and `reason` why it was done. `reversed_at` is the
    position of the correction that reversed a deposit or withdrawal. `beside` holds the kinds of the other events of
    the command, and `related` the lines of other commands that belong to it.
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
    other_account_id: int | None = None
    other_holder: str = ""
    about_command_id: UUID | None = None
    reason: str = ""
    about_position: int | None = None
    reversed_at: int | None = None
    beside: tuple[str, ...] = ()
    related: tuple["Entry", ...] = ()

    @property
    def words(self) -> str:
        kind = kind_named(self.kind)
        if kind.before_other and self.other_account_id is not None:
            return f"{gettext(kind.before_other)} {self.other_account_id} {self.other_holder}".strip()
        if kind.event is MoneyTransferReturned:
            return f"{gettext(kind.words)}: {because(self.reason)}"
        return gettext(REFUSED_CLOSING.get(self.kind, kind.words) if self.is_refused_closing else kind.words)

    @property
    def before_other(self) -> str:
        before = kind_named(self.kind).before_other
        return gettext(before) if before else ""

    @property
    def explanation(self) -> str:
        explanation = kind_named(self.kind).explanation
        return gettext(explanation) if explanation else ""

    @property
    def sign(self) -> int:
        return kind_named(self.kind).sign

    @property
    def is_refusal(self) -> bool:
        return kind_named(self.kind).is_refusal

    @property
    def is_correction(self) -> bool:
        return issubclass(kind_named(self.kind).event, Correction)

    @property
    def is_reversible(self) -> bool:
        """Whether a supervisor can reverse it, as far as the read side knows."""
        return self.kind in REVERSIBLE and self.reversed_at is None

    @property
    def is_refused_closing(self) -> bool:
        """Whether the PIN was wrong when the account was to be closed. A withdrawal has an amount."""
        return self.is_refusal and not self.amount

    @property
    def is_status_change(self) -> bool:
        return kind_named(self.kind).is_status_change


REFUSED_CLOSING = {
    "invalid_pin": gettext_noop("Closing refused: wrong PIN"),
    "withdrawal_blocked": gettext_noop("Closing refused: withdrawals are locked"),
}
"""The labels of refusals of closings, by kind."""
REVERSIBLE = "deposit", "withdrawal"
CORRECTIONS = tuple(kind.name for kind in KINDS if issubclass(kind.event, Correction))


def _texts(names: Iterable[str]) -> str:
    """Return names as an SQL list."""
    return ", ".join(f"'{name}'" for name in names)


_LINE = "position, account_id, version, {} AS kind, {} AS amount, balance, recorded_at, actor, command_id, {}"
_ABOUT = "other_account_id, about_command_id, reason AS about_reason"
_ABOUT_NOTHING = "CAST(NULL AS BIGINT) AS other_account_id, CAST(NULL AS UUID) AS about_command_id, '' AS about_reason"
LINES = f"SELECT {_LINE.format('kind', 'amount', _ABOUT)} FROM projections_statementline"
REFUSED = f"SELECT {_LINE.format('reason', 'amount_requested', _ABOUT_NOTHING)} FROM projections_refusedwithdrawal"


_HOLDER = "(SELECT account_holder FROM projections_accountsummary AS account WHERE account.account_id = entry.{})"


_LINKED = f"""
    entry.*,
    {_HOLDER.format("other_account_id")},
    (SELECT MIN(position) FROM projections_statementline AS first WHERE first.command_id = entry.about_command_id),
    CASE WHEN entry.kind IN ({_texts(REVERSIBLE)}) THEN (
        SELECT MIN(position) FROM projections_statementline AS correction
        WHERE correction.about_command_id = entry.command_id AND correction.kind IN ({_texts(CORRECTIONS)})
    ) END
"""
"""The columns of entries, with the other account's holder and the positions of the lines that they are linked to."""


def linked(entries: str, order: str) -> str:
    """Return the SELECT of entries with `_LINKED`."""
    return f"SELECT {_LINKED} FROM ({entries}) AS entry ORDER BY {order}"


def _with_holders(entries: str) -> str:
    """Return the SELECT of the latest entries with the holders of their accounts too."""
    return f"SELECT {_LINKED}, {_HOLDER.format('account_id')} FROM ({entries}) AS entry ORDER BY position DESC LIMIT %s"


def together(*selects: str, order: str = "position DESC") -> str:
    """Return the SELECT of the latest rows of several SELECTs, each of them cut off in an order that an index has."""
    latest = f"SELECT * FROM ({{}} ORDER BY {order} LIMIT %s) AS part{{}}"
    return _with_holders(" UNION ALL ".join(latest.format(select, at) for at, select in enumerate(selects)))


_LATEST = together(LINES, REFUSED)
_OF_COMMAND = together(
    f"{LINES} WHERE command_id = %s",
    f"{LINES} WHERE about_command_id = %s AND command_id <> %s",
    f"{REFUSED} WHERE command_id = %s",
)
_COMMAND_AT = """
    SELECT command_id FROM projections_statementline WHERE position = %s
    UNION ALL SELECT command_id FROM projections_refusedwithdrawal WHERE position = %s
"""


def of_command(command_id: UUID) -> list[Entry]:
    """Return the entries of a command, and the lines of other commands that belong to it, the latest first."""
    key, most = command_id.hex, MOST_BY_ONE_COMMAND
    return [entry_of(*row) for row in rows(_OF_COMMAND, key, most, key, key, most, key, most, 3 * most)]


def latest(limit: int) -> list[Entry]:
    """Return the last entries of the whole bank."""
    return [entry_of(*row) for row in rows(_LATEST, limit, limit, limit)]


def command_at(position: int) -> UUID | None:
    """Return the command of the entry at a log position, or None."""
    found = rows(_COMMAND_AT, position, position)
    return uuid(found[0][0]) if found else None


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
    other_account_id: int | None,
    about_command_id: Any,
    reason: str,
    other_holder: str | None,
    about_position: int | None,
    reversed_at: int | None,
    account_holder: str | None = None,
) -> Entry:
    """Return the entry of a row."""
    return Entry(
        position,
        account_id,
        version,
        kind,
        abs(amount),
        balance,
        utc(recorded_at),
        actor,
        uuid(command_id),
        account_holder or "",
        other_account_id,
        other_holder or "",
        about_command_id and uuid(about_command_id),
        reason,
        about_position,
        reversed_at,
    )


entry_of = lru_cache(maxsize=4096)(newly_made_entry_of)
"""Return the entry of a row, from memory if possible: pages show the same rows again and again."""
