"""Deposits on PostgreSQL: one client, eight, all at one account, and the worker that projects them."""

from collections.abc import Iterator
from contextlib import ExitStack

from tests.benchmarks.bench import Bench, Claim, Entrant, claims
from tests.benchmarks.rounds import Ratio, Samples, side_by_side
from tests.support.programs import Program

WORKER = "the bank, write side alone"
INLINE = "the bank, all projections inline"
BARE = "the driver alone, write side"
CLIENTS = 8
LAG = 2.0
"""The largest lag of a worker, in seconds of work."""


def _side_by_side(bench: Bench, clients: int) -> Samples:
    """Deposits at accounts with 10 events, by this many clients at different accounts."""
    places, tag = bench.places, str(clients)
    entrants = [
        Entrant(WORKER, lambda: places.postgresql(f"worker{tag}", clients=clients, PROJECTION_MODE="worker")),
        Entrant("eventsourcing", lambda: places.eventsourcing_postgresql(f"peer{tag}", "plain", clients)),
        Entrant("message-db", lambda: places.message_db(f"messages{tag}", clients)),
        Entrant("emmett", lambda: places.emmett_postgresql(f"emmett{tag}", clients)),
        Entrant(BARE, lambda: places.postgresql(f"bare{tag}", "bare", clients=clients), only_shown=True),
    ]
    if clients == 1:
        others = {
            INLINE: lambda: places.postgresql("inline"),
            "eventsourcing with its cache": lambda: places.eventsourcing_postgresql("cache", "cache"),
            "naive ORM": lambda: places.postgresql("naive", "naive_orm"),
        }
        entrants += [Entrant(other, make, only_shown=True) for other, make in others.items()]
    name = f"Deposit on PostgreSQL, {'one client' if clients == 1 else f'{clients} clients'}"
    return bench.deposits(name, entrants, each=bench.size(200, 60) if clients == 1 else bench.size(100, 25))


def one_client(bench: Bench) -> Iterator[Claim]:
    """A deposit by one client on PostgreSQL with synced commits; a worker projects, as in message-db."""
    yield from claims("4", _side_by_side(bench, 1), WORKER, [("eventsourcing", 2.5)])


def eight_clients(bench: Bench) -> Iterator[Claim]:
    """Deposits by eight processes at once, each at accounts of its own, without a read side."""
    wanted = [("eventsourcing", 3.5), ("message-db", 1.3)]
    yield from claims("5", _side_by_side(bench, CLIENTS), WORKER, wanted)


def hot_account(bench: Bench) -> Iterator[Claim]:
    """Deposits by eight processes at one account, against one process there."""
    each = bench.size(200, 40)
    with ExitStack() as running:
        alone, crowd = (
            running.enter_context(bench.places.postgresql(f"hot{clients}", clients=clients, PROJECTION_MODE="worker"))
            for clients in (1, CLIENTS)
        )
        for contender in (alone, crowd):
            contender.fill(1, 10)
        samples = side_by_side(
            {"8 clients": lambda: crowd.rate_at(1, each // 4), "1 client": lambda: alone.rate_at(1, each)}, bench.rounds
        )
    bench.keep("Deposits at one hot account on PostgreSQL", "deposits a second", samples)
    yield Claim("6", "8 clients at one account against 1", samples.ratio("8 clients", "1 client"), 0.6, True)


def projection_worker(bench: Bench) -> Iterator[Claim]:
    """The lag of `run_projections` while eight clients write as fast as possible on the same machine.

    The figure is the seconds of work that are left at the end of each round: a bounded lag does not grow.
    """
    each, rounds = bench.size(150, 40), 2 * bench.rounds
    contender = bench.places.postgresql("followed", clients=CLIENTS, PROJECTION_MODE="worker")
    lags = []
    with contender, Program(bench.places.folder / "follower", "run_projections", **contender.variables):
        contender.fill(each * CLIENTS * (rounds + 1), 2)
        for _ in range(rounds + 1):
            rate = contender.rate(each, warm=False)
            lags.append(_behind(bench, "followed") / rate)
    lags = lags[1:]
    later, earlier = max(lags[rounds // 2 :]), max(lags[: rounds // 2])
    ratio = Ratio(later / LAG, min(lags) / LAG, max(earlier, later) / LAG)
    yield Claim("7", f"most that waits for the worker, in parts of {LAG:.0f} s of work", ratio, 1.0, False)


def _behind(bench: Bench, name: str) -> int:
    """Return the number of events that the read side has not applied."""
    cluster = bench.places.cluster
    [[last]] = cluster.psql("SELECT MAX(position) FROM eventstore_event", f"{name}-bank")
    [[reached]] = cluster.psql("SELECT MIN(position) FROM projections_checkpoint", f"{name}-projections")
    return int(last - reached)
