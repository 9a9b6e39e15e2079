"""Deposits by HTTP: eight browsers at two web processes, as a branch has them."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from statistics import quantiles
from uuid import uuid4

from tests.benchmarks.bench import Bench, Claim
from tests.benchmarks.places import KEYS, Absent
from tests.benchmarks.rounds import Ratio, side_by_side
from tests.support.programs import Web
from tests.support.teller import Teller

CLIENTS, PROCESSES = 8, 2
LOGIN = ("teller", "correct horse battery")
NAIVE = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.naive.settings", "PROJECTION_MODE": "worker"}


def deposits(bench: Bench) -> Iterator[Claim]:
    """A deposit by HTTP against the naive ORM behind the same screens, and the slowest hundredth.

    It is timed from the sent form to the redirect to its receipt. A browser without a redirect, for example because of
    a locked database, ends the run.

    Both run the same server, middleware, session, form and redirect. Only `handle` and the projections are others:
    see `tests.benchmarks.naive`. The bank's engine does not run beside the naive ORM's own tables.
    """
    each = bench.size(50, 15)
    databases: dict[str, Callable[[str], Mapping[str, str]]] = {
        "SQLite": lambda name: {},
        "PostgreSQL": lambda name: bench.places.postgresql_variables(name),
    }
    for database, variables in databases.items():
        with ExitStack() as running:
            crowds = {}
            try:
                for name, own in (("the bank", {}), ("naive ORM", NAIVE)):
                    tag = f"http-{database}-{name[:5].strip()}".replace(" ", "-").lower()
                    web = Web(
                        bench.places.folder / tag, "--workers", str(PROCESSES), BANK_TELLER_PASSWORD=LOGIN[1],
                        **KEYS, **own, **variables(tag),
                    )  # fmt: skip
                    crowds[name] = Crowd(running.enter_context(web).port)
            except Absent as absent:
                bench.remark(str(absent))
                continue
            samples = side_by_side({name: lambda c=c: c.rate(each) for name, c in crowds.items()}, bench.rounds)  # type: ignore[misc]
            bench.keep(f"Deposit by HTTP on {database}", "deposits a second", samples)
        yield Claim("12", f"{database}, against the naive ORM", samples.ratio("the bank", "naive ORM"), 2.4, True)
        yield Claim("12", f"{database}, p99 against p50", crowds["the bank"].tail(), 8, False)


def pages(bench: Bench) -> Iterator[Claim]:
    """The account page and the desk by HTTP against an empty view by HTTP, on SQLite: eight browsers."""
    each = bench.size(50, 15)
    with Web(
        bench.places.folder / "http-pages", "--workers", str(PROCESSES), BANK_TELLER_PASSWORD=LOGIN[1], **KEYS
    ) as web:
        crowd = Crowd(web.port)
        reads: dict[str, Callable[[int], str]] = {
            "an empty view": lambda number: "/healthz",
            "the account page": lambda number: f"/accounts/{number}/",
            "the desk": lambda number: "/",
        }
        samples = side_by_side(
            {name: lambda path=path: 1 / crowd.rate(each, partial(_read, path)) for name, path in reads.items()},  # type: ignore[misc]
            bench.rounds,
        )
    bench.keep("What a page costs by HTTP", "seconds", samples)
    for name, most in (("the account page", 14), ("the desk", 13)):
        yield Claim("14", f"{name} by HTTP against an empty view", samples.ratio(name, "an empty view"), most, False)


def _read(path: Callable[[int], str], teller: Teller, account_id: int) -> float:
    """Read a page, and return the seconds that it took."""
    started = time.perf_counter()
    answer = teller.get(path(account_id))
    assert answer.status == 200, answer.words
    return time.perf_counter() - started


class Crowd:
    """Logged-in browsers, each with a connection and an account of its own."""

    def __init__(self, port: int) -> None:
        self.tellers = [Teller(port, stays=True) for _ in range(CLIENTS)]
        self.rounds: list[list[float]] = []
        for number, teller in enumerate(self.tellers, 1):
            teller.log_in(*LOGIN)
            teller.open_account(number)
            for _ in range(9):
                self._deposit(teller, number)

    def rate(self, each: int, work_once: Callable[[Teller, int], float] | None = None) -> float:
        """Let all of them make this many deposits, or do other work, at once. Return how many were done a second.

        Args:
            work_once: called with a browser and its account; returns the seconds that it took.
        """
        work_once = work_once or self._deposit
        seconds: list[float] = []
        failures: list[Exception] = []

        def work(number: int, teller: Teller) -> None:
            try:
                for _ in range(each):
                    seconds.append(work_once(teller, number))
            except Exception as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=pair) for pair in enumerate(self.tellers, 1)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - started
        if failures:
            raise failures[0]
        self.rounds.append(seconds)
        return len(seconds) / took

    def tail(self) -> Ratio:
        """Return the 99th percentile relative to the median, over all rounds and of each."""
        everything = [second for each in self.rounds[1:] for second in each]
        ratios = [_tail(each) for each in self.rounds[1:]]
        return Ratio(_tail(everything), min(ratios), max(ratios))

    @staticmethod
    def _deposit(teller: Teller, account_id: int) -> float:
        started = time.perf_counter()
        answer = teller.post(f"/accounts/{account_id}/deposit/", amount="1.00", command_id=uuid4())
        assert answer.status == 303, answer.words
        return time.perf_counter() - started


def _tail(seconds: list[float]) -> float:
    hundredths = quantiles(seconds, n=100)
    return hundredths[98] / hundredths[49]
