"""The protocol between the harness and a contender, line by line.

    fill FIRST COUNT EVENTS     opens COUNT accounts from number FIRST on, with EVENTS events each   -> ready
    prepare FIRST COUNT STEP    says where the next COUNT deposits go: FIRST, FIRST + STEP, ...      -> ready
    warm                        makes them, and prepares the same again                              -> ready
    go                          makes them, one after the other                            -> seconds it took

`emmett.mjs` speaks the same. A program that fails says why on its standard error and ends.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol

AMOUNT = 100
"""What every deposit pays in, in minor units."""


class Bank(Protocol):
    """What a contender has to be able to do."""

    def fill(self, accounts: range, events: int) -> None:
        """Open accounts and bring each to this many events, the opening included. Nobody measures it."""

    def prepare(self, accounts: Sequence[int]) -> Callable[[], object]:
        """Return what makes a deposit at each of these accounts; only its call is timed."""


def serve(bank: Bank) -> None:
    """Take orders until there are no more."""
    accounts: list[int] = []
    work: Callable[[], object] = list
    for line in sys.stdin:
        order, *words = line.split()
        numbers = [int(word) for word in words]
        match order:
            case "fill":
                first, count, events = numbers
                bank.fill(range(first, first + count), events)
                answer = "ready"
            case "prepare":
                first, count, step = numbers
                accounts = [first + step * number for number in range(count)]
                work = bank.prepare(accounts)
                answer = "ready"
            case "warm":
                work()
                work = bank.prepare(accounts)
                answer = "ready"
            case "go":
                started = time.perf_counter()
                work()
                answer = str(time.perf_counter() - started)
            case _:
                raise ValueError(order)
        print(answer, flush=True)


def one_by_one(deposit: Callable[[int], object], accounts: Sequence[int]) -> Callable[[], object]:
    """Return what calls a deposit for each account."""

    def work() -> None:
        for account_id in accounts:
            deposit(account_id)

    return work
