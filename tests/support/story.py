"""A short story for tests of the inspector, and the paths of its pages."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pytest_django import Settings

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount, WithdrawMoneyFromBankAccount
from bank.domain.errors import NoSuchAccount
from eventstore import clock, subscriptions

EVENTS = "/admin/eventstore/event/"
COMMANDS = "/admin/eventstore/commandrecord/"
DEPOSIT = UUID(int=5)
REJECTED = UUID(int=6)
TABLES = [
    *(f"/admin/eventstore/{name}/" for name in ("event", "commandrecord", "snapshot", "subscription")),
    *(
        f"/admin/projections/{name}/"
        for name in ("accountsummary", "statementline", "refusedwithdrawal", "banktotals", "dailytotals", "checkpoint")
    ),
]


@pytest.fixture
def story(bank: object, settings: Settings) -> None:
    """Events 1 to 5: account 7 opened, 12.50 deposited, a wrong PIN, account 1 opened, 1.00 deposited."""
    settings.EVENTSTORE_CATEGORIES = ["bank_account"]
    with clock.set_to(datetime(2026, 3, 1, 12, tzinfo=UTC)):
        handle(CreateBankAccount(7, "Josh", 1234), actor="tina")
        handle(DepositMoneyIntoBankAccount(7, 1250), actor="tina", command_id=DEPOSIT)
    with clock.set_to(datetime(2026, 3, 2, 12, tzinfo=UTC)):
        handle(WithdrawMoneyFromBankAccount(7, 5, 4321), actor="tom")
        handle(CreateBankAccount(1, "Luke", 1234), actor="tom")
    handle(DepositMoneyIntoBankAccount(1, 100))
    with pytest.raises(NoSuchAccount):
        handle(DepositMoneyIntoBankAccount(2, 100), command_id=REJECTED)
    subscriptions.rows(["a process manager"])
