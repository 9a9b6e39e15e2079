"""A demonstration bank with some weeks of business, made by real commands, so that every screen shows data."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from eventstore import clock, store

from ..application import process_managers, repository, tills
from ..application.dispatch import handle
from ..domain.commands import (
    BringCashFromVault,
    CloseBankAccount,
    CloseTill,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    OpenTill,
    ReverseDeposit,
    TransferMoneyBetweenBankAccounts,
    WithdrawMoneyFromBankAccount,
)

HOLDERS = [
    "Ada Lovelace", "Alan Turing", "Amalie Dietrich", "Barbara Liskov", "Björk Guðmundsdóttir", "Chinua Achebe",
    "Dennis Ritchie", "Edsger Dijkstra", "Émilie du Châtelet", "François Viète", "Grace Hopper", "Hedy Lamarr",
    "Ibn al-Haytham", "Jürgen Moser", "Katherine Johnson", "Łukasz Kruk", "Maryam Mirzakhani", "Niels Bohr",
    "Olga Ladyschenskaja", "Paul Erdős", "Radia Perlman", "Søren Kierkegaard", "Tōru Takemitsu", "Wangari Maathai",
    "Žofia Nováková",
]  # fmt: skip
WEEKS = 6
MOVEMENTS = 400
FORGETFUL = 3
"""The account whose holder has forgotten the PIN, and tries once more after it is locked."""
TRIES = 4
NO_ACCOUNT = 4022
TELLER, COLLEAGUE = "teller", "tilda"
SHORT = 5_00
"""The cash that is missing in the teller's till on the last day."""


def fill() -> bool:
    """Fill an empty bank with the same business each time. Return False, and change nothing, if it is not empty."""
    if store.last_position():
        return False
    *business, (last, under_way) = _business(random.Random(1))
    for moment, command in business:
        with clock.set_to(moment):
            if moment.date() == last.date() and not tills.till_of(TELLER):
                _open_tills()
            handle(command, actor=TELLER, metadata=_through_till(command))
    with clock.set_to(last):
        _close_till()
    _set_right(last)
    with clock.set_to(last), process_managers.paused():
        handle(under_way, actor=TELLER)  # its money is on its way until process managers run
    return True


def _open_tills() -> None:
    """Open the teller's till of the last day, and that of a colleague who leaves it open."""
    for till_id, teller, cash in ((1, TELLER, 2_000_00), (2, COLLEAGUE, 1_000_00)):
        handle(OpenTill(till_id, teller, cash), actor=teller)


def _through_till(command: Command) -> Mapping[str, Any]:
    """Return the metadata of a payment in cash while the teller has a till."""
    till = tills.till_of(TELLER)
    is_cash = isinstance(command, DepositMoneyIntoBankAccount | WithdrawMoneyFromBankAccount)
    return till.metadata if till and is_cash else {}


def _close_till() -> None:
    """Fill the teller's till up from the vault, and close it short by `SHORT`."""
    till = tills.till_of(TELLER)
    assert till, "it was opened on the last day"
    handle(BringCashFromVault(*till, 1_000_00), actor=TELLER)
    cash = repository.load_till(till.till_id).aggregate.cash
    counts, rest = [], cash - SHORT
    for denomination in (100_00, 20_00, 5_00, 1_00, 25, 1):
        pieces, rest = divmod(rest, denomination)
        counts.append((denomination, pieces))
    handle(CloseTill(*till, tuple(counts)), actor=TELLER)


def _business(chance: random.Random) -> Iterator[tuple[datetime, Command]]:
    """Yield the commands in order, each with its time."""
    pins = {account_id: chance.randint(0, 9999) for account_id in range(1, len(HOLDERS) + 1)}
    moments = _moments(chance, len(HOLDERS) + MOVEMENTS + TRIES)
    opened: list[int] = []
    for number, moment in enumerate(moments[:-TRIES]):
        if len(opened) < len(HOLDERS) and (not opened or number >= len(opened) * 6):
            account_id = len(opened) + 1
            opened.append(account_id)
            yield moment, CreateBankAccount(account_id, HOLDERS[account_id - 1], pins[account_id])
            continue
        account_id = chance.choice(opened)
        pin = pins[account_id]
        what = chance.random()
        if what < 0.6:
            yield moment, DepositMoneyIntoBankAccount(account_id, chance.randint(1, 4000) * 50)
        elif what < 0.92:
            yield moment, WithdrawMoneyFromBankAccount(account_id, chance.randint(1, 600) * 100, pin)
        elif what < 0.96:
            yield moment, WithdrawMoneyFromBankAccount(account_id, chance.randint(1, 600) * 100, (pin + 1) % 10_000)
        else:
            yield moment, WithdrawMoneyFromBankAccount(account_id, chance.randint(20_000, 90_000) * 100, pin)
    for moment in moments[-TRIES:]:
        yield moment, WithdrawMoneyFromBankAccount(FORGETFUL, 50_00, (pins[FORGETFUL] + 1) % 10_000)
    yield from _transfers(moments[-1], pins)


def _transfers(begin: datetime, pins: Mapping[int, int]) -> Iterator[tuple[datetime, Command]]:
    """Yield transfers. The one before the last goes to no account and comes back."""
    pairs = [(5, 11), (11, 5), (7, 5), (5, 24), (20, 1), (5, NO_ACCOUNT), (5, 7)]
    for number, (account_id, to_account_id) in enumerate(pairs, 1):
        moment = begin + timedelta(minutes=number)
        yield moment, TransferMoneyBetweenBankAccounts(account_id, to_account_id, 12_50 * number, pins[account_id])


def _set_right(moment: datetime) -> None:
    """Take a deposit twice and reverse one, and open an account by mistake and close it."""
    with clock.set_to(moment):
        _, twice = [handle(DepositMoneyIntoBankAccount(5, 80_00), actor="teller") for _ in range(2)]
        handle(ReverseDeposit(5, twice.command_id, "The deposit was typed twice"), actor="supervisor")
        handle(CreateBankAccount(len(HOLDERS) + 1, "Ada Lovelace", 1815), actor="teller")
        handle(CloseBankAccount(len(HOLDERS) + 1, 1815), actor="teller")


def _moments(chance: random.Random, count: int) -> list[datetime]:
    """Return this many times within the business hours of the past weeks, the earliest first."""
    today = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in range(WEEKS * 7, 0, -1)]
    open_days = [day for day in days if day.weekday() < 5]
    return sorted(chance.choice(open_days) + timedelta(seconds=chance.randint(0, 8 * 3600)) for _ in range(count))
