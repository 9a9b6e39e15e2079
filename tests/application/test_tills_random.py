"""Random days at tills, with processes that stop between a payment and its cash: no cash is lost or counted twice."""

import random
from collections import Counter
from contextlib import nullcontext, suppress

import pytest

from bank.application import process_managers, tills
from bank.application.dispatch import handle
from bank.domain.commands import (
    BringCashFromVault,
    CloseTill,
    DepositMoneyIntoBankAccount,
    OpenTill,
    TakeCashToVault,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.errors import CommandRejected
from bank.domain.events import MoneyDepositedIntoBankAccount, MoneyWithdrawnFromBankAccount
from bank.operations.audit import audit
from eventstore import subscriptions
from eventstore.models import Event
from projections import engine
from projections.models import TillShift
from tests.support.values import PIN, open_account

pytestmark = pytest.mark.usefixtures("bank")

TELLERS = ("tina", "tom", "tilda")


def follow() -> None:
    """Carry out what the stopped processes have left."""
    for subscriber in process_managers.subscribers():
        subscriptions.follow(subscriber)


@pytest.mark.parametrize("seed", range(4))
def test_each_payment_is_in_the_expected_cash_of_its_shift_or_beside_it(seed: int) -> None:
    chance = random.Random(seed)
    through: Counter[tuple[int, int]] = Counter()  # the cash of each shift, its opening cash included
    open_account(1, balance=500_00)
    for _ in range(80):
        teller, amount = chance.choice(TELLERS), chance.randint(1, 300_00)
        till = tills.till_of(teller)
        stops = process_managers.paused() if chance.random() < 0.3 else nullcontext()
        with stops, suppress(CommandRejected):
            act(chance, teller, till, amount, through)
        if chance.random() < 0.1:
            follow()
    follow()
    engine.catch_up()
    shifts = {(each.till_id, each.shift): each for each in TillShift.objects.all()}
    assert {key: each.expected + each.late for key, each in shifts.items()} == dict(through)
    assert all(each.difference in (None, (each.counted or 0) - each.expected) for each in shifts.values())
    assert audit(processes=1).findings == []
    before = Event.objects.count()
    subscriptions.set_back("tills")
    follow()
    assert Event.objects.count() == before, "a subscription that is set back changes nothing"


def act(
    chance: random.Random, teller: str, till: tills.TellersTill | None, amount: int, through: Counter[tuple[int, int]]
) -> None:
    """Do one thing at a till, and note the cash that went through it."""
    if till is None:
        till_id = chance.choice((1, 2))
        handle(OpenTill(till_id, teller, amount), actor=teller)
        opened = tills.till_of(teller)
        assert opened
        through[opened.till_id, opened.shift] = amount
    elif (luck := chance.random()) < 0.7:
        command = DepositMoneyIntoBankAccount(1, amount) if luck < 0.4 else WithdrawMoneyFromBankAccount(1, amount, PIN)
        for event in handle(command, actor=teller, metadata=till.metadata).events:
            through[till.till_id, till.shift] += amount * isinstance(event, MoneyDepositedIntoBankAccount)
            through[till.till_id, till.shift] -= amount * isinstance(event, MoneyWithdrawnFromBankAccount)
    elif luck < 0.8:
        handle(BringCashFromVault(*till, amount), actor=teller)
        through[till.till_id, till.shift] += amount
    elif luck < 0.85:
        handle(TakeCashToVault(*till, amount), actor=teller)
        through[till.till_id, till.shift] -= amount
    else:
        handle(CloseTill(*till, ((1, amount),)), actor=teller)
