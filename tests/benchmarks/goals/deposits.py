"""The cost of a deposit on SQLite, compared with others, with the bare driver, and on long histories."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from tests.benchmarks.bench import Bench, Claim, Entrant, claims
from tests.benchmarks.rounds import Samples, side_by_side

INLINE = "the bank, all projections inline"
WORKER = "the bank, write side alone"
HOT = 1


def _side_by_side(bench: Bench) -> Samples:
    """Deposits by one client on SQLite files that sync each commit, at accounts with 10 events."""
    places = bench.places
    entrants = [
        Entrant(INLINE, lambda: places.sqlite("inline")),
        Entrant(f"{INLINE}, account not seen before", lambda: places.sqlite("first"), warm=False, only_shown=True),
        Entrant(WORKER, lambda: places.sqlite("worker", PROJECTION_MODE="worker"), only_shown=True),
        Entrant("eventsourcing", lambda: places.eventsourcing_sqlite("plain")),
        Entrant("eventsourcing with snapshots", lambda: places.eventsourcing_sqlite("snapshots"), only_shown=True),
        Entrant("eventsourcing with its cache", lambda: places.eventsourcing_sqlite("cache"), only_shown=True),
        Entrant(
            "eventsourcing with one projection", lambda: places.eventsourcing_sqlite("projection"), only_shown=True
        ),
        Entrant("emmett", places.emmett_sqlite),
        Entrant("naive ORM", lambda: places.sqlite("naive", "naive_orm"), only_shown=True),
        Entrant(
            "the driver alone, both databases", lambda: places.sqlite("bare", "bare", BENCH_BOTH="1"), only_shown=True
        ),
        Entrant("the driver alone, write side", lambda: places.sqlite("bare-write", "bare"), only_shown=True),
    ]
    return bench.deposits("Deposit on SQLite, one client", entrants, each=bench.size(200, 60))


def inline(bench: Bench) -> Iterator[Claim]:
    """A deposit with all projections applied before the answer, on both databases, against others on SQLite.

    eventsourcing alone has no read side; with one projection it has a table of balances in a file that need not sync,
    as the bank's read side. emmett has no read side, and opens its file for each call.
    """
    wanted = [("eventsourcing", 1.2), ("emmett", 4.0)]
    yield from claims("1", _side_by_side(bench), INLINE, wanted)


def long_histories(bench: Bench) -> Iterator[Claim]:
    """The cost of a deposit at an account with a long history, against one at an account with 10 events.

    A warm process has served the account before. A fresh process has just started: its first command opens the
    connections.
    """
    sizes = [10, 10_000] if bench.quick else [10, 10_000, 100_000]
    each, repeats = bench.size(60, 20), bench.size(9, 3)
    with ExitStack() as running:
        contender = running.enter_context(bench.places.sqlite("long", PROJECTION_MODE="worker"))
        for account_id, events in enumerate(sizes, HOT):
            contender.fill_from(account_id, 1, events)
        at = {events: account_id for account_id, events in enumerate(sizes, HOT)}
        warm = side_by_side({str(n): partial(_cost, contender.rate_at, at[n], each) for n in sizes}, bench.rounds)
        fresh = side_by_side({str(n): partial(_cost, contender.fresh_rate_at, at[n], 1) for n in sizes}, repeats)
    bench.keep("Deposit at long histories, warm", "seconds", warm)
    bench.keep("Deposit at long histories, fresh process", "seconds", fresh)
    for events in sizes[1:]:
        yield Claim("3", f"warm, {events:,} events against 10", warm.ratio(str(events), "10"), 1.1, False)
        yield Claim("3", f"fresh process, {events:,} events against 10", fresh.ratio(str(events), "10"), 1.5, False)


def _cost(rate: Callable[[int, int], float], account_id: int, deposits: int) -> float:
    return 1 / rate(account_id, deposits)
