"""Replays while tellers write and read: no page fails, no command fails, and the figures are right."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPException
from typing import NamedTuple

from tests.support.load import Load
from tests.support.programs import Program, run
from tests.support.teller import Answer, Teller
from tests.system.faults.books import Verdict
from tests.system.faults.kills import LOGIN, Bank

WRITERS, READERS = 4, 8
CHECK_EVERY = 5
"""The number of replays between two `--check` runs, which swap nothing."""


class Report(NamedTuple):
    """The results of a run."""

    replays: int
    commands: int
    answers: int
    """The number of requested pages and health checks."""
    failed_commands: int
    """Answers to tasks that were no receipt."""
    failed_pages: int
    """Answers to readers other than 200, and connections that were lost."""
    failed_replays: int
    """Replays and checks that ended with an error."""
    verdict: Verdict
    check: int
    """The exit status of `replay_projections --check` at the end."""
    longest: float
    """Seconds of the slowest answer to a reader."""
    said: Counter[str]
    """The failures, by what was answered."""

    @property
    def is_good(self) -> bool:
        failed = self.failed_commands + self.failed_pages + self.failed_replays
        return not failed and not any(self.verdict) and not self.check


class Readers:
    """Browsers that fetch one page after the other, and a load balancer that requests `/readyz`."""

    def __init__(self, load: Load, port: int, count: int) -> None:
        self.load, self.port = load, port
        self.answers, self.longest = 0, 0.0
        self.failures: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=[number]) for number in range(count)]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, number: int) -> None:
        chance = random.Random(number)
        teller = Teller(self.port, stays=True)
        teller.cookies = dict(self.load.tellers[0].cookies)
        while not self._stop.is_set():
            path = self._choose(chance)
            started = time.monotonic()
            try:
                answer = teller.get(path)
            except (OSError, HTTPException) as error:
                self.failures[f"{path}: {error!r}"] += 1
            else:
                self._judge(path, answer)
            self.answers += 1
            self.longest = max(self.longest, time.monotonic() - started)
        teller.close()

    def _choose(self, chance: random.Random) -> str:
        account_id = chance.choice(self.load.accounts)
        receipt = chance.choice(self.load.acknowledged[-20:]).command_id
        return chance.choice(
            (
                "/",
                "/accounts/",
                "/accounts/?q=jos",
                f"/accounts/{account_id}/",
                f"/accounts/{account_id}/deposit/",
                f"/receipts/{receipt}/",
                "/days/",
                "/readyz",
            )
        )

    def _judge(self, path: str, answer: Answer) -> None:
        if answer.status != 200:
            self.failures[f"{path} {answer.status}: {answer.words[:500]}"] += 1


def run_replays(
    bank: Bank,
    replays: int,
    *,
    writers: int = WRITERS,
    readers: int = READERS,
    seed: int = 1,
    progress: Callable[[int], object] = lambda done: None,
) -> Report:
    """Let tellers write and read, replay this often, and check every answer."""
    failed = 0
    failures: Counter[str] = Counter()
    port = bank.web.port
    with Load([port], LOGIN, clients=writers, seed=seed) as load, Readers(load, port, readers) as reading:
        for number in range(1, replays + 1):
            for arguments in [[], ["--check"]] if number % CHECK_EVERY == 0 else [[]]:
                with Program(bank.data, "replay_projections", *arguments, **bank.variables) as replay:
                    if replay.wait():
                        failed += 1
                        failures[replay.output[-1000:]] += 1
            progress(number)
    assert bank.web.stop() == 0, bank.web.output
    statuses = Counter(status for task in load.tasks for status in task.statuses)
    return Report(
        replays=replays,
        commands=len(load.tasks),
        answers=reading.answers,
        failed_commands=sum(task.sent > 1 for task in load.tasks) + statuses.total() - statuses[303],
        failed_pages=reading.failures.total(),
        failed_replays=failed,
        verdict=bank.books.judge(load.tasks),
        check=run(bank.data, "replay_projections", "--check", **bank.variables).returncode,
        longest=reading.longest,
        said=failures + reading.failures,
    )
