"""The protocol between the harness and a contender, line by line.

    fill FIRST COUNT EVENTS     open COUNT accounts from number FIRST on, with EVENTS events each    -> ready
    prepare FIRST COUNT STEP    prepare the next COUNT deposits, at FIRST, FIRST + STEP, ...         -> ready
    warm                        make them, and prepare the same again                                -> ready
    go                          make them, one after the other                             -> seconds taken

`emmett.mjs` uses it too. A program that fails prints the reason to standard error and ends.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol

AMOUNT = 100
"""The amount of every deposit in minor units."""


class Bank(Protocol):
    """The interface of a contender."""

    def fill(self, accounts: range, events: int) -> None:
        """Open accounts and bring each to this many events, the opening included. It is not timed."""

    def prepare(self, accounts: Sequence[int]) -> Callable[[], object]:
        """Return a function that makes a deposit at each of these accounts; only its call is timed."""


def serve(bank: Bank) -> None:
    """Follow orders until there are no more."""
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
    """Return a function that calls `deposit` for each account."""

    def work() -> None:
        for account_id in accounts:
            deposit(account_id)

    return work
