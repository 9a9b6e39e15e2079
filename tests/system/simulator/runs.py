"""The run of one seed, from an empty bank to the last check."""

import hashlib
import logging
import math
import random
import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from django.test import override_settings

from bank.application import account_cache, pins, process_managers
from eventstore import clock, subscriptions
from eventstore.sqlite import wal
from projections import engine, queries
from projections.models import ParkedStream
from projections.workers import replay, resume
from tests.support.databases import FILES, Urls, copied_databases, migrated_databases
from tests.system.simulator import tills
from tests.system.simulator.clients import Clients
from tests.system.simulator.faults import Plan, circumstances, plan_of
from tests.system.simulator.invariants import Book, hold
from tests.system.simulator.scheduler import Scheduler

PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA recursive_triggers=ON;"
"""Only processes die here, never the machine, so nothing has to be synced to disk."""
NEVER_WAIT = {"timeout": 0, "init_command": PRAGMAS}
"""A locked database raises at once; the scheduler decides when the client goes on."""


class SeedFailed(AssertionError):
    """A run with a violation. The message says how to reproduce it."""


class Report(NamedTuple):
    """The figures of a run. `digest` covers every step and every row of the write side."""

    seed: int
    digest: str
    events: int
    commands: int
    steps: int
    deaths: int
    locked: int


class Bug(NamedTuple):
    """A known bug to plant: a patch of the program, and a change of the empty write side."""

    patch: AbstractContextManager[Any] = nullcontext()
    schema: Callable[[sqlite3.Connection], None] = lambda connection: None


HEALTHY = Bug()


@contextmanager
def simulated_databases() -> Iterator[Urls]:
    """Yield both databases, migrated and empty."""
    with (
        tempfile.TemporaryDirectory(prefix="bank-simulator-") as folder,
        migrated_databases("sqlite", Path(folder)) as urls,
    ):
        yield urls


def run(seed: int, template: Urls, bug: Bug = HEALTHY) -> Report:
    """Run a seed on copies of the empty databases.

    Raises:
        SeedFailed
    """
    chance = random.Random(seed)
    plan = plan_of(chance)
    scheduler = Scheduler(chance, switch=plan.switch, death=plan.death, patience=plan.patience)
    with (
        tempfile.TemporaryDirectory(prefix=f"seed-{seed}-") as name,
        copied_databases("sqlite", template, Path(name), NEVER_WAIT),
    ):
        folder = Path(name)
        with closing(sqlite3.connect(folder / FILES["default"])) as connection:
            bug.schema(connection)
        book = Book(folder, FILES, plan.attempts, (plan.poisoned, plan.poison))
        try:
            with _under_control(seed, plan), bug.patch:
                clients = Clients(chance, plan, scheduler, book)
                with mock.patch.object(process_managers, "handle", clients.carry_out):
                    with circumstances(plan):
                        scheduler.run(clients.works())
                    _check_processes(clients)
                _check_end(book)
            return Report(
                seed,
                _digest(scheduler, book),
                len(book.log),
                len(book.records),
                scheduler.steps,
                scheduler.deaths,
                scheduler.locked,
            )
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            last = "\n".join(scheduler.trace[-12:])
            raise SeedFailed(
                f"seed {seed} failed at step {scheduler.steps}: {type(error).__name__}: {error}\n{plan}\n"
                f"the last steps:\n{last}\nagain: uv run python -m tests.system.simulator --from {seed} --seeds 1"
            ) from error
        finally:
            book.close()


@contextmanager
def _under_control(seed: int, plan: Plan) -> Iterator[None]:
    """Replace all other randomness by the seed, and remove intended failures from the log output."""
    luck = random.Random(f"salt {seed}")
    before = random.getstate()
    logging.disable(logging.CRITICAL)
    try:
        random.seed(seed)
        settings = override_settings(PROJECTION_MODE=plan.mode, PIN_ATTEMPTS=plan.attempts)
        # Only one thread runs at a time, so a WAL checkpoint never has to wait for a writer.
        with (
            settings,
            mock.patch.object(wal, "HAS_RACE", new=False),
            mock.patch.object(secrets, "token_bytes", luck.randbytes),
            # Leases of subscriptions end by a real clock. Nothing may depend on them, so nobody sees or renews one.
            mock.patch.object(subscriptions, "is_leased", return_value="(1 = 0)"),
            mock.patch.object(subscriptions, "RENEWAL", math.inf),
            mock.patch.dict(account_cache._loaded, clear=True),
        ):
            yield
    finally:
        random.setstate(before)
        logging.disable(logging.NOTSET)


def _check_processes(clients: Clients) -> None:
    """Let process managers go on alone, and check that every transfer has ended, and that none ends twice."""
    book = clients.book
    write_side = book.database["default"]
    with clock.set_to(clients.tick()):
        clients.follow()
        book.read_log()
        for account in (history[-1][1] for history in book.histories.values()):
            hold(not account.sent, "no transfer is on its way for ever", account)
        paid, recorded = tills.cash_of_payments(book.log)
        hold(paid == recorded, "the cash of each payment is at its till, once", paid, recorded)
        ended = len(book.log)
        write_side.execute("UPDATE eventstore_subscription SET transaction_id = 0, position = 0")
        clients.follow()
        book.read_log()
    hold(len(book.log) == ended, "what is answered again changes nothing", book.log[ended:])


def _check_end(book: Book) -> None:
    """Run a healthy process, and check that everything is correct after its work."""
    engine.catch_up()
    book.check_tables()
    resume.resume()
    hold(ParkedStream.objects.count() == 0, "what was parked is resumed")
    book.check_tables()
    reached = book.reached()
    hold(set(reached.values()) == {len(book.log)}, "whoever comes after finds the way on", reached)
    hold(replay.check() == [], "a check finds no difference")
    replay.replay()
    book.check_tables()
    accounts = {number: history[-1][1] for number, history in book.histories.items() if history[-1][1].holder}
    hold(dict(queries.get_account_list()) == {number: each.holder for number, each in accounts.items()}, "the list")
    for number, account in accounts.items():
        hold(queries.check_balance(number) == account.balance, "a balance is what the model has", number, account)
        right = [pin for pin in (0, 42, 1234, 9999) if pins.matches(number, pin)]
        hold(right == [account.pin], "the PIN is the one that was chosen", number)
    hold(queries.get_total_deposits() == sum(each.balance for each in accounts.values()), "the total")


def _digest(scheduler: Scheduler, book: Book) -> str:
    digest = hashlib.sha256(scheduler.digest.digest())
    for table in ("eventstore_event", "eventstore_commandrecord", "bank_pinverifier"):
        for row in book.database["default"].execute(f"SELECT * FROM {table} ORDER BY 1"):
            digest.update(repr(row).encode())
    return digest.hexdigest()
