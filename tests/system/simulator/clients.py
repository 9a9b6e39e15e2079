"""The simultaneous clients of the bank: their actions, and the answers that they must get.

Every client is a process: it can be killed at any statement, and is started again.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError

from bank.application import pins, process_managers
from bank.application.dispatch import Ack, Busy, Cause, handle
from bank.application.tills import till_of
from bank.domain.commands import (
    AccountCommand,
    ChangePin,
    CloseBankAccount,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    ReverseDeposit,
    ReverseWithdrawal,
    TransferMoneyBetweenBankAccounts,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import CommandRejected
from bank.domain.events import encode
from eventstore import clock, subscriptions
from eventstore.models import Snapshot
from projections import engine, queries
from projections.projectors import PROJECTORS
from projections.workers import replay, resume
from tests.system.simulator import tills
from tests.system.simulator.faults import FOREVER, Plan, Poisoned
from tests.system.simulator.invariants import Book, hold
from tests.system.simulator.model import Account
from tests.system.simulator.scheduler import Scheduler
from tests.system.simulator.tables import HOLDERS

NONSENSE = (0, -1, 10**12 + 1, 2**63, 10**40)
PINS = (0, 42, 1234, 9999)
CASH = (DepositMoneyIntoBankAccount, WithdrawMoneyFromBankAccount)


class Clients:
    """All clients of one run, and the answers that they remember."""

    def __init__(self, chance: random.Random, plan: Plan, scheduler: Scheduler, book: Book) -> None:
        self.chance, self.plan, self.scheduler, self.book = chance, plan, scheduler, book
        self.answers: dict[UUID, Ack | tuple[str, str]] = {}
        self.sent: list[tuple[UUID, AccountCommand]] = []
        self.attempts: dict[UUID, int] = {}
        self.now = plan.morning

    def works(self) -> dict[str, Callable[[], None]]:
        """Return the work of each client from beginning to end."""
        works: dict[str, Callable[[], None]] = {}
        for number in range(self.plan.tellers):
            works[f"teller {number}"] = lambda name=f"teller {number}": self.teller(name)  # type: ignore[misc]
        for number in range(self.plan.tills):  # another session of the same teller
            works[f"cashier {number}"] = lambda name=f"teller {number}": self.cashier(name)  # type: ignore[misc]
        for number in range(self.plan.workers):
            works[f"worker {number}"] = lambda: self.again_and_again(self.work, 12)
        works["operator"] = lambda: self.again_and_again(self.operate, self.plan.operations)
        works["reader"] = lambda: self.again_and_again(self.look, 8)
        return works

    # Tellers

    def teller(self, name: str) -> None:
        for _ in range(self.plan.commands):
            command_id, command = self.next_command()
            for _ in range(4):  # forms are sent again, unanswered and answered ones
                if self.submit(name, command_id, command) and self.chance.random() < 0.8:
                    break

    def cashier(self, name: str) -> None:
        """Open, fill, empty and close tills."""
        for _ in range(self.plan.commands):
            command = tills.next_command(self.chance, self.plan.tills, name, self.book.till_of(name))
            command_id = UUID(int=self.chance.getrandbits(128), version=4)
            for _ in range(2):
                if self.submit(name, command_id, command):
                    break

    def next_command(self) -> tuple[UUID, AccountCommand]:
        """Return a new command, an earlier command, or an earlier command id with another command."""
        luck = self.chance.random()
        if self.sent and luck < 0.15:
            command_id, command = self.chance.choice(self.sent[-6:])
            if luck < 0.05:
                other = self.make_command()
                # A command that differs only in the PIN would count as the same.
                command = command if pins.fingerprint(other) == pins.fingerprint(command) else other
        else:
            command_id, command = UUID(int=self.chance.getrandbits(128), version=4), self.make_command()
        self.sent.append((command_id, command))
        return command_id, command

    def make_command(self) -> AccountCommand:
        chance = self.chance
        account_id = chance.randint(1, self.plan.accounts)
        known = self.book.account(account_id)
        amount = chance.choice((1, chance.randint(1, 100), known.balance or 1, known.balance + 1, 10**12))
        pin = known.pin if known.holder and chance.random() < 0.8 else chance.choice(PINS)
        if chance.random() < 0.06:
            nonsense = chance.choice(NONSENSE)
            return chance.choice(
                (
                    DepositMoneyIntoBankAccount(account_id, nonsense),
                    DepositMoneyIntoBankAccount(nonsense, amount),
                    WithdrawMoneyFromBankAccount(account_id, nonsense, pin),
                    WithdrawMoneyFromBankAccount(account_id, amount, chance.choice((-1, 10_000))),
                    CreateBankAccount(account_id, " ", pin),
                    ChangePin(account_id, 12345),
                )
            )
        if chance.random() < (0.1 if known.holder else 0.7):
            return CreateBankAccount(account_id, chance.choice(tuple(HOLDERS)), chance.choice(PINS))
        if chance.random() < (0.4 if known.locked else 0.08):
            return chance.choice((UnlockPin(account_id), ChangePin(account_id, chance.choice(PINS))))
        if chance.random() < 0.1:
            return self.make_correction(account_id)
        if chance.random() < (0.02 if known.balance else 0.1):
            return CloseBankAccount(account_id, pin)
        if chance.random() < (0.5 if known.balance else 0.1):
            other = chance.randint(1, self.plan.accounts + 1)
            some = chance.choice((amount, chance.randint(1, known.balance or 1)))
            return TransferMoneyBetweenBankAccounts(account_id, other, some, pin)
        if chance.random() < 0.45:
            return DepositMoneyIntoBankAccount(account_id, chance.randint(1, 1000))
        return WithdrawMoneyFromBankAccount(account_id, amount, pin)

    def make_correction(self, account_id: int) -> AccountCommand:
        """Return the reversal of a deposit or withdrawal, often of one that is reversed, or of something else."""
        chance = self.chance
        account = self.book.account(account_id)
        own = [(UUID(command_id), kind) for command_id, kind, _ in account.moves]
        again = [each for each in own if str(each[0]) in account.undone]
        others = [(command_id, chance.choice(("deposit", "withdrawal"))) for command_id, _ in self.sent[-6:]]
        luck = chance.random()
        wanted = again if again and luck < 0.4 else own if own and luck < 0.8 else others
        command_id, kind = chance.choice(wanted or [(UUID(int=0), "deposit")])
        reverse = ReverseDeposit if kind == "deposit" else ReverseWithdrawal
        return reverse(account_id, command_id, chance.choice(("Typed twice", "Typed twice", "Another account", "")))

    def submit(self, actor: str, command_id: UUID, command: Command) -> bool:
        """Send a command, and check its answer. Return whether there was one."""
        moment = self.tick()
        self.attempts[command_id] = self.attempts.get(command_id, 0) + 1
        submission = self.book.submit(command_id, command, actor, moment)
        answer: Ack | CommandRejected | Busy | None = None
        with self.scheduler.process(self.book.committed), clock.set_to(moment):
            if self.plan.tills and isinstance(command, CASH) and (till := till_of(actor)):
                submission.till = till.metadata
            try:
                answer = handle(command, command_id=command_id, actor=actor, metadata=submission.till)
            except (CommandRejected, Busy) as refusal:
                answer = refusal
        match answer:
            case Ack():
                self.check_ack(command_id, command, answer)
            case CommandRejected():
                self.check_rejection(command_id, command, answer)
            case Busy():
                alone = self.attempts[command_id] == 1
                hold(not alone or command_id not in self.book.records, "who is told busy has changed nothing")
        return isinstance(answer, Ack | CommandRejected)

    def check_ack(self, command_id: UUID, command: Command, ack: Ack) -> None:
        record = self.book.records.get(command_id)
        hold(record is not None and record["outcome"] == "accepted", "what is acknowledged is on record", ack)
        assert record is not None
        hold((ack.version, ack.position) == (record["version"], record["position"]), "an ack is true", ack, record)
        events = self.book.log[ack.position - record["event_count"] : ack.position]
        answered = [encode(event) for event in ack.events]
        hold(answered == [(event.type, event.data) for event in events], "an ack says what happened", ack, events)
        hold((ack.stream, ack.command_id) == (command.stream, command_id), "an ack is of its command", ack)
        before = self.answers.setdefault(command_id, ack)
        hold(isinstance(before, Ack) and before._replace(repeated=ack.repeated) == ack, "one outcome", before, ack)
        assert isinstance(before, Ack)
        hold(before is ack or before.repeated or ack.repeated, "a command is new once", before, ack)
        if self.plan.reads_own_writes:
            for name, position in self.book.reached().items():
                hold(position >= ack.position or name == self.plan.poisoned, "who has the ack sees it", name, ack)

    def check_rejection(self, command_id: UUID, command: Command, rejection: CommandRejected) -> None:
        record = self.book.records.get(command_id)
        hold(record is not None, "what is rejected is on record", rejection)
        assert record is not None
        if rejection.code == "command_id_reused":
            others = {each.command for each in self.book.submitted[command_id]} - {command}
            hold(others, "only an id that came with something else is refused for that", command)
            return
        hold((record["outcome"], record["reason"]) == ("rejected", rejection.code), "a rejection is true", record)
        answer = (rejection.code, str(rejection))
        hold(self.answers.setdefault(command_id, answer) == answer, "one outcome", self.answers[command_id], answer)

    def tick(self) -> datetime:
        """Return the time of the current client's clock, which advances and is sometimes set back."""
        luck = self.chance.random()
        seconds = -self.chance.randint(1, 200_000) if luck < 0.04 else self.chance.randint(0, 9000)
        self.now += timedelta(seconds=seconds, microseconds=self.chance.randint(0, 999_999))
        return self.now

    # The others

    def again_and_again(self, work: Callable[[], None], times: int) -> None:
        for _ in range(times):
            self.scheduler.pause("begins")
            with self.scheduler.process(self.book.committed):
                try:
                    work()
                except OperationalError:  # a lock that is not released; the client tries again soon
                    hold(self.plan.patience != FOREVER, "who waits gets on")

    def work(self) -> None:
        """Project, as the projection worker and a wake-up do."""
        names = self.chance.choice(((), (), self.chance.sample(tuple(PROJECTORS), 2)))
        engine.catch_up(names)
        with clock.set_to(self.tick()):
            self.follow()

    def follow(self) -> None:
        """Let the process managers answer what is in the log, as a worker does."""
        for each in process_managers.subscribers():
            subscriptions.follow(each)

    def carry_out(self, command: Command, *, command_id: UUID, actor: str, cause: Cause, **more: Any) -> Ack:
        """Carry out a command of a process manager, and note that it was sent."""
        self.book.caused[command_id] = cause
        self.book.submit(command_id, command, actor, clock.now())
        return handle(command, command_id=command_id, actor=actor, cause=cause, **more)

    def operate(self) -> None:
        """Rebuild, compare, or delete a cache."""
        names = self.chance.choice(((), self.chance.sample(tuple(PROJECTORS), 2)))
        try:
            match self.chance.randint(0, 4):
                case 0 | 1:
                    replay.replay(names)
                case 2:
                    hold(replay.check(names) == [], "a check finds no difference")
                case 3:
                    Snapshot.objects.all().delete()
                case 4:
                    resume.resume(names)
        except (replay.ReplayRunning, replay.NotComparable, Poisoned):
            pass

    def look(self) -> None:
        """Read the data of a page."""
        for account_id in range(1, self.plan.accounts + 1):
            try:
                account = queries.find_account(account_id)
            except queries.UnknownAccount:
                continue
            balances = {known.balance for _, known in self.book.histories.get(account_id, [(0, Account())])}
            hold(account.balance in balances, "a page shows a balance that was", account)
        hold(queries.get_total_deposits() >= 0, "there is no less than nothing on deposit")
