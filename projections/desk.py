"""The queries of the desk: what a teller did on a day, the teller's till, and what waits.

The tables are those of statements, refusals, transfers and tills. Indexes on (actor, recorded_at) find the entries of
one teller and day. Amounts are in minor units; times are aware and in UTC.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from eventstore.backends import backend_of

from .entries import LINES, REFUSED, Entry, entry_of, together
from .models import shift_of_key
from .name_search import MAX_ID
from .replicas import reading_from
from .sql import rows, utc, uuid

FOLLOWS = "received", "returned", "locked"
"""The kinds of lines that follow from a task, and are no task of their own."""
MOST_WAITING = 5
"""The largest number of a teller's transfers on their way that the desk names."""


class Done(NamedTuple):
    """The number of tasks of a kind, and the sum of their amounts."""

    tasks: int = 0
    amount: int = 0


class Day(NamedTuple):
    """The tasks of one teller on one day, by kind; `refused` counts refused withdrawals, transfers and closings."""

    by_kind: frozenset[tuple[str, Done]]
    refused: int

    @property
    def tasks(self) -> int:
        """The number of all tasks."""
        return sum(each.tasks for _, each in self.by_kind) + self.refused

    @property
    def paid_in(self) -> Done:
        return self._sum("deposit", "undone_out")

    @property
    def paid_out(self) -> Done:
        return self._sum("withdrawal", "undone_in")

    @property
    def sent(self) -> Done:
        return self._sum("sent")

    @property
    def opened(self) -> int:
        return self._sum("opened").tasks

    @property
    def corrections(self) -> int:
        return self._sum("undone_in", "undone_out").tasks

    def _sum(self, *kinds: str) -> Done:
        found = [each for kind, each in self.by_kind if kind in kinds]
        return Done(sum(each.tasks for each in found), sum(each.amount for each in found))


class OwnTill(NamedTuple):
    """The till that a teller has open."""

    till_id: int
    shift: int
    expected: int
    opened_at: datetime


class OnItsWay(NamedTuple):
    """A transfer that the teller sent, and that has neither arrived nor come back."""

    transfer_id: UUID
    to_account_id: int
    amount: int
    sent_at: datetime


class Supervised(NamedTuple):
    """The numbers of what waits for any supervisor: `left_open` counts tills that are open since an earlier day."""

    locked: int = 0
    on_their_way: int = 0
    left_open: int = 0


class Desk(NamedTuple):
    """The figures on the desk of a teller, besides the latest tasks."""

    day: Day
    till: OwnTill | None
    on_their_way: tuple[OnItsWay, ...]
    supervised: Supervised | None


_TASKS = f"kind NOT IN ({', '.join(f"'{kind}'" for kind in FOLLOWS)})"
_OF_DAY = "actor = %s AND recorded_at >= %s AND recorded_at < %s"
_NO_TIME, _NO_ID = "CAST(NULL AS TIMESTAMP WITH TIME ZONE)", "CAST(NULL AS UUID)"
_ON_ITS_WAY = "arrived_at IS NULL AND returned_at IS NULL"
_DAY = f"""
    SELECT 'day', kind, COUNT(*), SUM(ABS(amount) & {2**32 - 1}), {_NO_TIME}, {_NO_ID}, SUM(ABS(amount) >> 32)
    FROM projections_statementline WHERE {_OF_DAY} AND {_TASKS} GROUP BY kind
    UNION ALL
    SELECT 'refused', '', COUNT(*), 0, {_NO_TIME}, {_NO_ID}, 0 FROM projections_refusedwithdrawal WHERE {_OF_DAY}
"""
_DESK = f"""
    SELECT 'sent' AS what, '' AS kind, to_account_id AS number, amount, sent_at AS moment, transfer_id AS id,
        0 AS high
    FROM projections_moneytransfer WHERE {_ON_ITS_WAY} AND %s IN (
        SELECT actor FROM projections_statementline AS line WHERE line.command_id = transfer_id
    )
    UNION ALL
    SELECT 'till', '', key, expected, opened_at, {_NO_ID}, 0 FROM projections_tillshift
    WHERE teller = %s AND closed_at IS NULL
    UNION ALL {_DAY}
"""
_SUPERVISED = f"""
    UNION ALL SELECT 'supervised', 'locked', COUNT(*), 0, {_NO_TIME}, {_NO_ID}, 0
    FROM projections_accountsummary WHERE pin_locked AND closed_at IS NULL
    UNION ALL SELECT 'supervised', 'on_their_way', COUNT(*), 0, {_NO_TIME}, {_NO_ID}, 0
    FROM projections_moneytransfer WHERE {_ON_ITS_WAY}
    UNION ALL SELECT 'supervised', 'left_open', COUNT(*), 0, {_NO_TIME}, {_NO_ID}, 0
    FROM projections_tillshift WHERE closed_at IS NULL AND opened_at < %s
"""


def desk(actor: str, since: datetime, until: datetime, *, supervises: bool = False) -> Desk:
    """Return the desk of a teller.

    Args:
        since: the beginning of the day.
        until: its end.
        supervises: whether the desk also counts what waits for a supervisor.
    """
    adapt = backend_of(reading_from()).adapt
    span = actor, adapt(since), adapt(until)
    if supervises:
        found = rows(_DESK + _SUPERVISED, actor, actor, *span, *span, adapt(since))
    else:
        found = rows(_DESK, actor, actor, *span, *span)
    sent = [
        OnItsWay(uuid(key), number, amount, utc(at)) for what, _, number, amount, at, key, _ in found if what == "sent"
    ]
    tills = [
        OwnTill(*shift_of_key(number), amount, utc(at)) for what, _, number, amount, at, *_ in found if what == "till"
    ]
    counts = {kind: number for what, kind, number, *_ in found if what == "supervised"}
    return Desk(
        _day(found), tills[0] if tills else None, tuple(sent[:MOST_WAITING]), Supervised(**counts) if counts else None
    )


def day_of(actor: str, since: datetime, until: datetime) -> Day:
    """Return the sums of a teller's tasks from one time until before another one."""
    adapt = backend_of(reading_from()).adapt
    span = actor, adapt(since), adapt(until)
    return _day(rows(_DAY, *span, *span))


def _day(found: list[tuple[Any, ...]]) -> Day:
    by_kind = frozenset(
        (kind, Done(count, (int(high) << 32) + int(low))) for what, kind, count, low, *_, high in found if what == "day"
    )
    return Day(by_kind, sum(count for what, _, count, *_ in found if what == "refused"))


_LATEST = together(
    f"{LINES} WHERE {_OF_DAY} AND position < %s AND {_TASKS}",
    f"{REFUSED} WHERE {_OF_DAY} AND position < %s",
    order="recorded_at DESC, position DESC",
)
_EVER = datetime.min.replace(tzinfo=UTC)


def tasks_of(actor: str, since: datetime | None, until: datetime, before: int | None, limit: int) -> list[Entry]:
    """Return the last tasks of a teller from one time, or ever, until before another one, the latest first."""
    adapt = backend_of(reading_from()).adapt
    position = MAX_ID if before is None else min(max(before, 0), MAX_ID)
    values = actor, adapt(since or _EVER), adapt(until), position, limit
    return [entry_of(*row) for row in rows(_LATEST, *values, *values, limit)]
