"""Two worlds side by side: everything observable of each, and their first difference."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.databases import Urls, copied_databases
from tests.system.canaries.scenes import Bank
from tests.system.canaries.world import Clock, Other, Seen, see_databases, world


@contextmanager
def fresh_world(template: Urls, folder: Path, seen: Seen) -> Iterator[Clock]:
    """Run the block in a world with empty databases, at the same paths in each world."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with copied_databases("sqlite", template, folder), world(seen) as clock:
        yield clock


def see_screens(
    template: Urls, folder: Path, of: Other, canaries: Sequence[int], at: Sequence[int], *, inspects: bool = True
) -> list[str]:
    """Return everything observable of a bank whose customers have these PINs, with failures at some statements.

    The pages of the admin show what the databases hold, so `inspects` may skip them.
    """
    seen = Seen()
    with fresh_world(template, folder, seen) as clock:
        bank = Bank(seen, clock, of)
        for number, pin in enumerate(canaries, start=1):
            bank.business(number, pin)
        failed = bank.faults(1, canaries[0] + 2, at)
        if inspects:
            bank.inspect()
        see_databases(seen)
    assert failed > 4 or not at, "there were failures in mid-command"
    return seen.take()


def difference(one: list[str], two: list[str]) -> str:
    """Return the first difference of two worlds, or the empty string."""
    for number, (here, there) in enumerate(zip(one, two, strict=False)):
        if here != there:
            at = next((i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), 0)
            return f"{number}: ...{here[max(0, at - 80) : at + 80]!r} and not {there[max(0, at - 80) : at + 80]!r}"
    return "" if len(one) == len(two) else f"{len(one)} things and not {len(two)}"
