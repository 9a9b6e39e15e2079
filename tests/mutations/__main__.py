"""Breaks each line of the list, one at a time, and reports the test that notices it.

uv run python -m tests.mutations [--jobs N] [--only TEXT] [--list] [--write]
"""

import argparse
import os
import queue
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.support import postgres

from . import report, trial
from .mutation import Mutation
from .rooms import ROOMS

ROOT = Path(__file__).parents[2]

type Key = tuple[str, tuple[str, ...]]
type Lend = Callable[[str], AbstractContextManager[str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if each chosen mutation was noticed, else 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = _options(arguments)
    every = [each for mutations in ROOMS.values() for each in mutations]
    wanted = [text.lower() for text in options.only or [""]]
    chosen = [each for each in every if any(text in f"{each.file}: {each.breaks}".lower() for text in wanted)]
    if not chosen:
        print(f"No mutation has {' or '.join(options.only)} in its name; --list shows all.", file=sys.stderr)
        return 1
    if options.list:
        print(*(f"{each.file}: {each.breaks}" for each in chosen), sep="\n")
        return 0
    trials = _run(chosen, options.jobs)
    unnoticed = [each for each in trials.values() if not each.noticed_by]
    print(f"\n{len(trials) - len(unnoticed)} of {len(trials)} mutations were noticed.")
    for each in unnoticed:
        print(f"NOT NOTICED: {each.mutation.breaks} ({each.mutation.file}): {each.problem}")
    if options.write:
        report.write(ROOT, ROOMS, trials)
    return 1 if unnoticed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many run at a time")
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        help="only the mutations with this text in their name or their file; may be repeated",
    )
    parser.add_argument("--list", action="store_true", help="show the mutations and run nothing")
    parser.add_argument("--write", action="store_true", help=f"write the result into {report.DOCUMENT}")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs is at least 1")
    if options.write and options.only:
        parser.error("--write needs the result of all mutations, so it does not go with --only")
    return options


def _run(chosen: Sequence[Mutation], jobs: int) -> dict[str, trial.Trial]:
    """Try mutations, several at a time. Their tests run without a change first, those of the same files together."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="mutations-", dir=postgres.throw_away_folder()))
        )
        on_postgresql = sum(each.database == "postgresql" for each in chosen)
        lend = stack.enter_context(_servers(min(jobs, on_postgresql)))
        pool = ThreadPoolExecutor(jobs)
        stack.callback(pool.shutdown)
        stack.callback(trial.stop)
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        unchanged = trial.copy_tree(ROOT, folder, compiled=False)

        def run_unchanged(key: Key) -> trial.Result:
            with lend(key[0]) as url:
                return trial.run_tests(unchanged, list(wanted[key]), url)

        def attempt(mutation: Mutation) -> trial.Trial:
            with lend(mutation.database) as url:
                return trial.attempt(unchanged, folder, mutation, url)

        wanted: dict[Key, dict[str, None]] = {}
        for each in chosen:
            wanted.setdefault(_key(each), {}).update(dict.fromkeys(each.tests))
        print(f"{len(wanted)} runs without a change, then {len(chosen)} mutations.", flush=True)
        without = dict(zip(wanted, pool.map(run_unchanged, wanted), strict=True))
        ended = {
            each.breaks: trial.Trial(each, problem=problem)
            for each in chosen
            if (problem := trial.why_unfit(without[_key(each)], each.tests))
        }
        futures = [pool.submit(attempt, each) for each in chosen if each.breaks not in ended]
        for future in as_completed(futures):
            one = future.result()
            ended[one.mutation.breaks] = one
            print(f"{'noticed' if one.noticed_by else 'NOT NOTICED'}: {one.mutation.breaks}", flush=True)
        return {each.breaks: ended[each.breaks] for each in chosen}


def _key(mutation: Mutation) -> Key:
    """Return the key of mutations whose tests run together without a change."""
    return mutation.database, tuple(sorted({test.partition("::")[0] for test in mutation.tests}))


@contextmanager
def _servers(count: int) -> Iterator[Lend]:
    """Start PostgreSQL servers, and yield a function that lends the URL of a free one; for SQLite it lends no URL.

    Raises:
        SystemExit: no server can run on this machine.
    """
    if count and (reason := postgres.reason()):
        sys.exit(f"Some mutations need PostgreSQL: {reason}. Choose others with --only.")
    free: queue.Queue[str] = queue.Queue()

    @contextmanager
    def lend(database: str) -> Iterator[str]:
        if database == "sqlite":
            yield ""
            return
        url = free.get()
        try:
            yield url
        finally:
            free.put(url)

    with ExitStack() as stack:
        for _ in range(count):
            free.put(stack.enter_context(postgres.Cluster(settings=postgres.THROW_AWAY)).url())
        yield lend


if __name__ == "__main__":
    sys.exit(main())
