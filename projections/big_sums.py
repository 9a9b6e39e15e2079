"""Sums of money beyond 64 bits, each in two columns of 64 bits, because SQLite makes a float of a larger sum.

A sum is `high * 2**62 + low`. The low column has the name of the sum, and is all that the first versions had.
"""

from collections.abc import Iterable, Mapping

BITS = 62
"""Bits of the low column: two of them add up within 64 bits, sign included."""
_LOW = 2**BITS - 1


def split(amount: int) -> tuple[int, int]:
    """Return the high and the low part of a sum, which may be negative."""
    return amount >> BITS, amount & _LOW


def joined(high: int, low: int) -> int:
    """Return the sum of two parts. The version before adds to the low one alone, so that may have more bits."""
    return (high << BITS) + low


def columns_of(sums: Iterable[str]) -> list[str]:
    """Return the names of the columns of sums, in the order of `split`."""
    return [column for each in sums for column in (f"{each}_high", each)]


def sums_added_up(sums: Iterable[str]) -> Mapping[str, str]:
    """Return `Projector.updates` that add a row's sums to those of the row that exists."""
    updates = {}
    for low in sums:
        high, low_sum = f"{low}_high", f"((live.{low} & {_LOW}) + excluded.{low})"
        updates[high] = f"live.{high} + excluded.{high} + (live.{low} >> {BITS}) + ({low_sum} >> {BITS})"
        updates[low] = f"{low_sum} & {_LOW}"
    return updates
