"""The whole bank compared with a small model, over Hypothesis's sequences of commands."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bank.application import repository
from bank.application.dispatch import Ack, handle
from bank.domain.commands import (
    AccountCommand,
    ChangePin,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import CommandRejected
from bank.domain.events import (
    AccountEvent,
    AccountOverdrawn,
    BankAccountCreated,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
)
from eventstore.models import Snapshot
from projections import queries
from projections.workers import replay
from tests.support.databases import Urls, copied_databases
from tests.support.values import broken_links

ACCOUNTS = st.integers(1, 3)
PINS = st.sampled_from([0, 1234])
AMOUNTS = st.integers(0, 120)
ATTEMPTS = 3


class Bank(RuleBasedStateMachine):
    """Sends commands to the bank and to the model, and compares the results."""

    vendor: ClassVar[str]
    template: ClassVar[Urls]
    sent: Bundle[tuple[UUID, AccountCommand]] = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.mine = ExitStack()
        folder = Path(self.mine.enter_context(tempfile.TemporaryDirectory(prefix="bank-")))
        self.mine.enter_context(copied_databases(self.vendor, self.template, folder))
        self.holders: dict[int, str] = {}
        self.pins: dict[int, int] = {}
        self.balances: dict[int, int] = {}
        self.wrong_pins: dict[int, int] = {}
        self.locked: set[int] = set()
        self.versions: dict[int, int] = {}
        self.refusals = 0
        self.outcomes: dict[UUID, Ack | str] = {}

    @initialize()
    def empty(self) -> None:
        assert queries.get_account_list() == []

    def expected(self, command: AccountCommand) -> list[AccountEvent]:
        """Return the model's events for a command; none if it is rejected."""
        account_id = command.account_id
        if isinstance(command, CreateBankAccount):
            if account_id in self.holders:
                return []
            self.holders[account_id], self.pins[account_id] = command.account_holder, command.pin
            self.balances[account_id] = self.wrong_pins[account_id] = 0
            return [BankAccountCreated(account_id, command.account_holder)]
        if account_id not in self.holders:
            return []
        match command:
            case DepositMoneyIntoBankAccount(_, amount) if amount:
                self.balances[account_id] += amount
                return [MoneyDepositedIntoBankAccount(account_id, amount)]
            case WithdrawMoneyFromBankAccount(_, amount, pin) if amount:
                return self.expected_withdrawal(account_id, amount, pin)
            case ChangePin(_, pin):
                self.pins[account_id], self.wrong_pins[account_id] = pin, 0
                return [PinChanged(account_id), *self.expected_opening(account_id)]
            case UnlockPin():
                return self.expected_opening(account_id)
        return []

    def expected_withdrawal(self, account_id: int, amount: int, pin: int) -> list[AccountEvent]:
        if account_id in self.locked:
            self.refusals += 1
            return [WithdrawalBlocked(account_id, amount)]
        if pin != self.pins[account_id]:
            self.refusals += 1
            self.wrong_pins[account_id] += 1
            if self.wrong_pins[account_id] == ATTEMPTS:
                self.locked.add(account_id)
                return [InvalidPin(account_id, amount), PinLocked(account_id, ATTEMPTS)]
            return [InvalidPin(account_id, amount)]
        self.wrong_pins[account_id] = 0
        if amount > self.balances[account_id]:
            self.refusals += 1
            return [AccountOverdrawn(account_id, self.balances[account_id], amount)]
        self.balances[account_id] -= amount
        return [MoneyWithdrawnFromBankAccount(account_id, amount)]

    def expected_opening(self, account_id: int) -> list[AccountEvent]:
        if account_id not in self.locked:
            return []
        self.locked.remove(account_id)
        self.wrong_pins[account_id] = 0
        return [PinUnlocked(account_id)]

    def send(self, command: AccountCommand) -> tuple[UUID, AccountCommand]:
        command_id, events = uuid4(), self.expected(command)
        if not events:
            with pytest.raises(CommandRejected) as rejection:
                handle(command, command_id=command_id)
            self.outcomes[command_id] = rejection.value.code
        else:
            ack = handle(command, command_id=command_id)
            self.versions[command.account_id] = self.versions.get(command.account_id, 0) + len(events)
            assert ack.events == tuple(events)
            assert ack.version == self.versions[command.account_id]
            self.outcomes[command_id] = ack
        return command_id, command

    @rule(target=sent, account_id=ACCOUNTS, holder=st.sampled_from(["Josh", "Luke"]), pin=PINS)
    def create(self, account_id: int, holder: str, pin: int) -> tuple[UUID, AccountCommand]:
        return self.send(CreateBankAccount(account_id, holder, pin))

    @rule(target=sent, account_id=ACCOUNTS, amount=AMOUNTS)
    def deposit(self, account_id: int, amount: int) -> tuple[UUID, AccountCommand]:
        return self.send(DepositMoneyIntoBankAccount(account_id, amount))

    @rule(target=sent, account_id=ACCOUNTS, amount=AMOUNTS, pin=PINS)
    def withdraw(self, account_id: int, amount: int, pin: int) -> tuple[UUID, AccountCommand]:
        return self.send(WithdrawMoneyFromBankAccount(account_id, amount, pin))

    @rule(target=sent, account_id=ACCOUNTS)
    def unlock(self, account_id: int) -> tuple[UUID, AccountCommand]:
        return self.send(UnlockPin(account_id))

    @rule(target=sent, account_id=ACCOUNTS, pin=PINS)
    def change_pin(self, account_id: int, pin: int) -> tuple[UUID, AccountCommand]:
        return self.send(ChangePin(account_id, pin))

    @rule(account_id=ACCOUNTS, pin=PINS)
    def guess_until_it_locks(self, account_id: int, pin: int) -> None:
        for _ in range(ATTEMPTS):
            self.send(WithdrawMoneyFromBankAccount(account_id, 1, pin))

    @rule(earlier=sent)
    def send_again(self, earlier: tuple[UUID, AccountCommand]) -> None:
        command_id, command = earlier
        outcome = self.outcomes[command_id]
        if isinstance(outcome, Ack):
            assert handle(command, command_id=command_id) == outcome._replace(repeated=True)
        else:
            with pytest.raises(CommandRejected) as rejection:
                handle(command, command_id=command_id)
            assert rejection.value.code == outcome

    @rule()
    def lose_the_snapshots(self) -> None:
        Snapshot.objects.all().delete()

    @rule()
    def rebuild(self) -> None:
        replay.replay()

    def teardown(self) -> None:
        with self.mine:
            self.compare()

    def compare(self) -> None:
        assert dict(queries.get_account_list()) == self.holders
        for account_id, balance in self.balances.items():
            loaded = repository.load(account_id)
            assert balance >= 0
            assert queries.check_balance(account_id) == loaded.aggregate.balance == balance
            assert loaded.version == self.versions[account_id]
            shown = queries.find_account(account_id)
            assert shown.wrong_pins == loaded.aggregate.wrong_pins == self.wrong_pins[account_id]
            assert shown.pin_locked == loaded.aggregate.pin_locked == (account_id in self.locked)
        assert queries.get_total_deposits() == sum(self.balances.values())
        assert len(queries.refusals(limit=1000).rows) == self.refusals
        assert replay.check() == []
        assert broken_links() == []


@pytest.mark.usefixtures("bank")
def test_the_bank_matches_the_model(vendor: str, templates: dict[str, Urls]) -> None:
    Bank.vendor, Bank.template = vendor, templates[vendor]
    examples = 16 if vendor == "sqlite" else 5
    unhurried = settings(
        max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Bank, settings=unhurried)
