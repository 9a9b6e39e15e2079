"""Sums of money beyond 64 bits, in two columns of 64 bits each. SQLite would turn a larger sum into a float.

A sum is `high * 2**62 + low`. The low column has the name of the sum, and is the only one of the first versions.
"""

from collections.abc import Iterable, Mapping

BITS = 62
"""The number of bits of the low column. The sum of two fits into 64 bits, sign included."""
_LOW = 2**BITS - 1


def split(amount: int) -> tuple[int, int]:
    """Return the high and the low part of a sum, which may be negative."""
    return amount >> BITS, amount & _LOW


def joined(high: int, low: int) -> int:
    """Return the sum of two parts. The low part may exceed its bits, because the previous version adds to it alone."""
    return (high << BITS) + low


def columns_of(sums: Iterable[str]) -> list[str]:
    """Return the column names of these sums, in the order of `split`."""
    return [column for each in sums for column in (f"{each}_high", each)]


def sums_added_up(sums: Iterable[str]) -> Mapping[str, str]:
    """Return `Projector.updates` that add a row's sums to those of the existing row."""
    updates = {}
    for low in sums:
        high, low_sum = f"{low}_high", f"((live.{low} & {_LOW}) + excluded.{low})"
        updates[high] = f"live.{high} + excluded.{high} + (live.{low} >> {BITS}) + ({low_sum} >> {BITS})"
        updates[low] = f"{low_sum} & {_LOW}"
    return updates
