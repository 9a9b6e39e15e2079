"""The statement of one account: its entries of a period and of some kinds, and their totals.

Time never goes back within a stream, so its versions are in the order of time, and a period is a range of versions. A
binary search on the index (account_id, version) finds the range, without an index on time.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from eventstore.backends import backend_of

from .entries import LINES, REFUSED, Entry, entry_of, linked, newly_made_entry_of
from .name_search import MAX_ID
from .replicas import reading_from, reads
from .sql import rows

AT_ONCE = 1000
"""The largest number of entries that one query of `in_order` returns."""
FIRST_STEP = 2**40
"""The first step of the binary search. No stream has more versions."""


class Group(NamedTuple):
    """Kinds of entries by which a statement can be limited: its label, and the conditions of its lines and refusals."""

    words: str
    lines: str
    refusals: str = "FALSE"


GROUPS = {
    "": Group("Everything", "TRUE", "TRUE"),
    "money": Group("Money in and out", "amount <> 0"),
    "in": Group("Paid in", "amount > 0"),
    "out": Group("Paid out", "amount < 0"),
    "refused": Group("Refused", "FALSE", "TRUE"),
    "other": Group("Changes of the account", "amount = 0"),
}
"""The groups of kinds by name."""


class Part(NamedTuple):
    """A part of a statement: the entries of a group, from the version `first` up to but not including `end`."""

    first: int = 0
    end: int = MAX_ID
    group: str = ""


WHOLE = Part()


class Totals(NamedTuple):
    """The totals of a part of a statement, and the balances before and after it.

    `lines` counts refusals too. The sums may exceed 64 bits.
    """

    lines: int
    paid_in: int
    paid_out: int
    before: int
    after: int


def _select(group: Group, direction: str) -> str:
    """Return the SELECT of the entries of a group between two versions."""
    each = (
        "WHERE account_id = %s AND version >= %s AND version < %s AND {condition} ORDER BY version {direction} LIMIT %s"
    )
    lines = f"{LINES} {each.format(condition=group.lines, direction=direction)}"
    refusals = f"{REFUSED} {each.format(condition=group.refusals, direction=direction)}"
    both = f"SELECT * FROM ({lines}) AS lines UNION ALL SELECT * FROM ({refusals}) AS refusals"
    return linked(f"{both} ORDER BY version {direction} LIMIT %s", f"version {direction}")


_LATEST_FIRST = {name: _select(group, "DESC") for name, group in GROUPS.items()}
_IN_ORDER = {name: _select(group, "ASC") for name, group in GROUPS.items()}


def latest_first(account_id: int, part: Part, limit: int) -> list[Entry]:
    """Return the latest entries of a part. They lack the holder's name, which the account has."""
    return [entry_of(*row) for row in _rows(_LATEST_FIRST[part.group], account_id, part, limit)]


def in_order(account_id: int, part: Part) -> Iterator[Entry]:
    """Yield the entries of a part, the first one first, with at most `AT_ONCE` of them in memory."""
    while found := _next(account_id, part):
        yield from found
        part = part._replace(first=found[-1].version + 1)


@reads
def _next(account_id: int, part: Part) -> list[Entry]:
    found = _rows(_IN_ORDER[part.group], account_id, part, AT_ONCE)
    return [newly_made_entry_of(*row) for row in found]


def _rows(statement: str, account_id: int, part: Part, limit: int) -> list[tuple[Any, ...]]:
    values = account_id, part.first, part.end, limit
    return rows(statement, *values, *values, limit)


# Periods


def _newest(column: str, version: str) -> str:
    """Return the SQL expression of a column of the entry with the highest version up to this one."""
    newest = """SELECT * FROM (
        SELECT {column} FROM {table} WHERE account_id = %s AND version <= {version} ORDER BY version DESC LIMIT 1
    ) AS newest_{table}"""
    tables = "projections_statementline", "projections_refusedwithdrawal"
    both = " UNION ALL ".join(newest.format(column=column, table=table, version=version) for table in tables)
    return f"(SELECT MAX({column}) FROM ({both}) AS newest)"


_IS_EARLIER = f"COALESCE({_newest('recorded_at', 'before + step')} < %s, TRUE)"
_FIRST_FROM = f"""
    WITH RECURSIVE search (before, step) AS (
        SELECT CAST(0 AS BIGINT), CAST({FIRST_STEP} AS BIGINT)
        UNION ALL
        SELECT before + CASE WHEN {_IS_EARLIER} THEN step ELSE 0 END, step / 2
        FROM search WHERE step > 0
    )
    SELECT before + 1 FROM search WHERE step = 0
"""
_LAST = f"SELECT {_newest('version', str(MAX_ID))}"


def part_of(account_id: int, since: datetime | None, until: datetime | None, group: str = "") -> Part:
    """Return the entries of a group that were recorded from `since` until before `until`, as a part of the statement.

    It ends with the latest entry that exists now.
    """
    first = _first_from(account_id, since) if since else 0
    end = _end(account_id)
    return Part(first, min(_first_from(account_id, until), end) if until else end, group)


def _first_from(account_id: int, moment: datetime) -> int:
    """Return the version of the first entry recorded at a time or later, or one above all versions."""
    adapted = backend_of(reading_from()).adapt(moment)
    [(version,)] = rows(_FIRST_FROM, account_id, account_id, adapted)
    return int(version)


def _end(account_id: int) -> int:
    """Return the version after the latest entry."""
    [(version,)] = rows(_LAST, account_id, account_id)
    return (version or 0) + 1


# Totals


def _sum(sign: str) -> str:
    """Return the two columns of the sum of the amounts with a sign, each below 64 bits."""
    amount = f"CASE WHEN amount {sign} 0 THEN ABS(amount) ELSE 0 END"
    return f"COALESCE(SUM(({amount}) >> 32), 0), COALESCE(SUM(({amount}) & {2**32 - 1}), 0)"


_RANGE = "account_id = %s AND version >= %s AND version < %s"
_BALANCE = """(
    SELECT balance FROM projections_statementline WHERE account_id = %s AND version < %s ORDER BY version DESC LIMIT 1
)"""
_TOTALS = {
    name: f"""
        SELECT {_BALANCE}, {_BALANCE},
            (SELECT COUNT(*) FROM projections_refusedwithdrawal WHERE {_RANGE} AND {group.refusals}),
            COUNT(*), {_sum(">")}, {_sum("<")}
        FROM projections_statementline WHERE {_RANGE} AND {group.lines}
    """
    for name, group in GROUPS.items()
}


def totals(account_id: int, part: Part) -> Totals:
    """Return the totals of a part. This reads each of its lines."""
    span = account_id, part.first, part.end
    [found] = rows(_TOTALS[part.group], account_id, part.first, account_id, part.end, *span, *span)
    before, after, refused, lines, *sums = (int(each or 0) for each in found)
    paid_in, paid_out = ((high << 32) + low for high, low in zip(sums[::2], sums[1::2], strict=True))
    return Totals(refused + lines, paid_in, paid_out, before, after)
