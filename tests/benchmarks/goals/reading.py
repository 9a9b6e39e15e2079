"""The read side: the speed of a replay, and the cost of a page."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.benchmarks.bench import Bench, Claim
from tests.benchmarks.rounds import Ratio, side_by_side

ACCOUNT, DESK, EMPTY = "/accounts/7/", "/", "/healthz"
GROWN = [
    "/", "/accounts/", "/accounts/?q=ada", "/accounts/?q=hopper+7", "/accounts/?q=nobody", "/accounts/7/", "/days/",
    "/accounts/open/",
]  # fmt: skip
"""Every kind of page with figures. "ada" finds a sixth of all accounts, "hopper 7" a twentieth, and "nobody" none."""


def replay(bench: Bench) -> Iterator[Claim]:
    """A replay of all tables against the bare driver writing the same rows, and a full verification against the replay.

    1,000,000 events over 10,000 accounts; a twentieth of that in the quick form. The memory is that of a process after
    a whole replay, against one after a tenth.
    """
    accounts, rounds = bench.size(10_000, 500), bench.size(5, 3)
    with bench.places.sqlite("replayed", "reads") as whole, bench.places.sqlite("tenth", "reads") as tenth:
        whole.fill(accounts, 100)
        tenth.fill(accounts // 10, 100)
        samples = bench.keep(
            "Replay and verification on SQLite",
            "events a second",
            side_by_side(
                {
                    "replay of all tables": lambda: whole.measure("replay"),
                    "the driver alone, writing the same rows": lambda: whole.measure("write"),
                    "verification of everything": lambda: whole.measure("verify"),
                },
                rounds,
            ),
        )
    memory = []
    for contender in (whole, tenth):
        with contender:
            contender.measure("replay")
            memory.append(contender.measure("memory"))
    written = samples.ratio("replay of all tables", "the driver alone, writing the same rows")
    yield Claim("8", "replay of all tables against the driver alone", written, 0.5, True)
    flat = memory[0] / memory[1]
    yield Claim("8", "memory of a replay ten times as long", Ratio(flat, flat, flat), 1.2, False)
    verified = samples.ratio("verification of everything", "replay of all tables")
    yield Claim("9", "verification of everything against a replay", verified, 1, True)


def pages(bench: Bench) -> Iterator[Claim]:
    """Pages against an empty view without a log-in, through all of Django but without HTTP.

    Each page of the logged-in teller reads session, user, permissions, freshness and figures.
    """
    with bench.places.sqlite("pages", "reads") as bank:
        bank.fill(200, 60)
        count = bench.size(100, 30)
        paths = {"an empty view": EMPTY, "the account page": ACCOUNT, "the desk": DESK}
        samples = bench.keep(
            "What a page costs",
            "seconds",
            side_by_side({name: lambda p=path: bank.measure("page", p, count) for name, path in paths.items()},  # type: ignore[misc]
                         bench.rounds),
        )  # fmt: skip
    for name, most in (("the account page", 14), ("the desk", 13)):
        yield Claim("11", f"{name} against an empty view", samples.ratio(name, "an empty view"), most, False)


def growth(bench: Bench) -> Iterator[Claim]:
    """The cost of a deposit and of every page in a large bank against a small one, on SQLite, 10 events per account.

    The small bank has 1,000 accounts. The large one has 1,000,000 with `--growth`, else a tenth of that, and some
    thousands in the quick form. The process has not served the deposit's account before.
    """
    small, large = 1_000, 1_000_000 if bench.growth else bench.size(100_000, 5_000)
    count = bench.size(50, 20)
    with bench.places.sqlite("small", "reads") as one, bench.places.sqlite("large", "reads") as other:
        banks = {small: one, large: other}
        for accounts, contender in banks.items():
            contender.fill(accounts, 10)
        whats = {f"page {path}": ("page", path, count) for path in GROWN}
        for name, words in {"deposit": (), **whats}.items():
            served = {accounts: iter(range(1, accounts)) for accounts in banks}

            def cost(accounts: int, words: tuple[object, ...] = words, served: Any = served) -> float:
                first, step = next(served[accounts]), accounts // count
                return banks[accounts].measure(*(words or ("deposit", first, count, step)))

            samples = side_by_side({str(n): partial(cost, n) for n in banks}, bench.rounds)
            yield Claim(
                "10", f"{name}, {large:,} accounts against {small:,}", samples.ratio(str(large), str(small)), 1.3, False
            )
