"""The suggested number of a new account."""

from .name_search import MAX_ID
from .sql import rows

LOOKED_AT = 1000
"""The number of the highest account numbers that a suggestion looks at."""
_HIGHEST = "SELECT account_id FROM projections_accountsummary ORDER BY account_id DESC LIMIT %s"
_LOWEST_FREE = """
    SELECT MIN(free) FROM (
        SELECT 1 AS free UNION ALL SELECT account_id + 1 FROM projections_accountsummary WHERE account_id < %s
    ) AS number WHERE NOT EXISTS (SELECT 1 FROM projections_accountsummary WHERE account_id = free)
"""


def next_account_id(taken: int = 0) -> int:
    """Return a free account number: the one after the highest run of numbers on the read side.

    A single number above a run was a typing error, or belongs to another scheme. It does not move the suggestion.

    Args:
        taken: a number of an existing account that the read side may not show yet.
    """
    numbers = {number for (number,) in rows(_HIGHEST, LOOKED_AT)} | {taken} - {0}
    if not numbers:
        return 1
    ends = [number for number in numbers if number < MAX_ID and number + 1 not in numbers]
    if runs := [end for end in ends if end - 1 in numbers]:
        return max(runs) + 1
    if ends:
        return min(ends) + 1
    lowest: int = rows(_LOWEST_FREE, MAX_ID)[0][0]  # the highest run ends at the highest number
    return lowest
