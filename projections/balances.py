"""The balance of an account over time, in few points however many lines there are.

The versions of a part of a statement are cut into stretches of equal length. Of each stretch the database returns the
first and the last line, and the first lines with the least and the most balance. These are the points at which a line
through all balances would be drawn at the same resolution.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from .sql import rows, utc
from .statements import Part

STRETCHES = 60
"""The largest number of stretches."""


class Stretch(NamedTuple):
    """Some lines of a statement: their number, and the times and balances of at most four of them, in order."""

    lines: int
    points: Sequence[tuple[datetime, int]]

    @property
    def last_at(self) -> datetime:
        return self.points[-1][0]

    @property
    def balance(self) -> int:
        """The balance after the last line."""
        return self.points[-1][1]

    @property
    def least(self) -> int:
        return min(balance for _, balance in self.points)

    @property
    def most(self) -> int:
        return max(balance for _, balance in self.points)


_FIRST_WITH = """(
    SELECT version FROM projections_statementline
    WHERE account_id = %s AND version >= first AND version <= last AND balance = {} ORDER BY version LIMIT 1
)"""
_STRETCHES = f"""
    WITH stretch AS MATERIALIZED (
        SELECT (version - %s) / %s AS number, COUNT(*) AS lines, MIN(version) AS first, MAX(version) AS last,
            MIN(balance) AS least, MAX(balance) AS most
        FROM projections_statementline WHERE account_id = %s AND version >= %s AND version < %s GROUP BY 1
    )
    SELECT lines, first, last, {_FIRST_WITH.format("least")}, {_FIRST_WITH.format("most")} FROM stretch ORDER BY number
"""
_POINTS = """
    SELECT version, recorded_at, balance FROM projections_statementline WHERE account_id = %s AND version IN ({})
"""


def stretches(account_id: int, part: Part) -> list[Stretch]:
    """Return the stretches of a part that have lines. Its group does not count."""
    length = max(-(-(part.end - part.first) // STRETCHES), 1)
    cut = rows(_STRETCHES, part.first, length, account_id, part.first, part.end, account_id, account_id)
    wanted = sorted({version for _, *versions in cut for version in versions})
    if not wanted:
        return []
    found = rows(_POINTS.format(", ".join(["%s"] * len(wanted))), account_id, *wanted)
    points = {version: (utc(at), balance) for version, at, balance in found}
    return [Stretch(lines, [points[each] for each in sorted(set(versions))]) for lines, *versions in cut]


def balance_before(account_id: int, version: int) -> int:
    """Return the balance of an account before the line with a version."""
    statement = """
        SELECT balance FROM projections_statementline WHERE account_id = %s AND version < %s
        ORDER BY version DESC LIMIT 1
    """
    found = rows(statement, account_id, version)
    return int(found[0][0]) if found else 0
