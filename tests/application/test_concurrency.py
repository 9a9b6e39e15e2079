"""Sixteen processes at a real server, on 1 and 50 accounts: no money is lost, made or owed."""

import random
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bank.application.dispatch import Busy, handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount, WithdrawMoneyFromBankAccount
from bank.domain.errors import AccountAlreadyExists, NoSuchAccount
from bank.domain.events import MoneyDepositedIntoBankAccount, MoneyWithdrawnFromBankAccount
from projections import engine, queries
from projections.workers import replay
from tests.support.databases import Urls
from tests.support.programs import ROOT, Program, environment
from tests.support.values import PIN, broken_links, query

PROCESSES = 16
COMMANDS = 25
"""The number of commands of each process."""
PROGRAM = f"""
import os, sys, django
django.setup()
from {__name__} import PROCESSES, business
children = []
for seed in range(PROCESSES):
    if child := os.fork():
        children.append(child)
        continue
    said = " ".join(map(str, business(seed, *map(int, sys.argv[1:]))))
    os.write(1, (said + "\\n").encode())  # a line at once, beside which nobody else's can come
    os._exit(0)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""
"""The forked processes share the imports. No connection is open yet."""


class Sums(NamedTuple):
    """The sums of one process's acknowledgements, and the lowest balance that it read."""

    commands: int
    paid_in: int
    paid_out: int
    lowest: int


def business(seed: int, accounts: int, commands: int) -> Sums:
    """Send random commands to random accounts, open missing ones, and read balances."""
    chance = random.Random(seed)
    paid_in = paid_out = given = lowest = 0
    while given < commands:
        account_id, amount = chance.randint(1, accounts), chance.randint(1, 100)
        try:
            if chance.random() < 0.5:
                ack = handle(DepositMoneyIntoBankAccount(account_id, amount))
            else:
                ack = handle(WithdrawMoneyFromBankAccount(account_id, amount, PIN))
        except NoSuchAccount:
            try:
                ack = handle(CreateBankAccount(account_id, f"Holder {account_id}", PIN))
            except AccountAlreadyExists:
                continue  # another process was first
        except Busy:
            continue  # nothing has changed, and there are more processes than processors
        given += 1
        match ack.events[0]:
            case MoneyDepositedIntoBankAccount():
                paid_in += amount
            case MoneyWithdrawnFromBankAccount():
                paid_out += amount
        lowest = min([lowest, *(balance for (balance,) in visible_balances(chance, accounts))])
    return Sums(given, paid_in, paid_out, lowest)


def visible_balances(chance: random.Random, accounts: int) -> list[tuple[Any, ...]]:
    """Return some balances, and sometimes all, as a reader sees them now."""
    if chance.random() < 0.1:
        return query("SELECT MIN(balance) FROM projections_accountsummary HAVING COUNT(*) > 0", using="projections")
    account_id = chance.randint(1, accounts)
    return query(
        "SELECT balance FROM projections_accountsummary WHERE account_id = %s", account_id, using="projections"
    )


@pytest.mark.only_on("postgresql", reason="on SQLite one process writes at a time: see test_races.py")
@pytest.mark.parametrize(("accounts", "mode"), [(1, "worker"), (50, "inline")])
def test_sixteen_processes_lose_double_and_owe_nothing(bank: Path, urls: Urls, accounts: int, mode: str) -> None:
    variables = {"PROJECTION_MODE": mode, "SECRET_KEY": "a" * 16, "PIN_KEYS": "one for all of them", **urls}
    with Program(bank / "worker", "run_projections", **variables) if mode == "worker" else nullcontext():
        totals = all_at_once(bank, accounts, DJANGO_SETTINGS_MODULE="bank.settings", **variables)

    assert sum(each.commands for each in totals) == PROCESSES * COMMANDS
    assert min(each.lowest for each in totals) == 0, "nobody has seen an account that owes"
    engine.catch_up()
    figures = queries.bank_figures()
    assert (figures.paid_in, figures.paid_out) == (sum(e.paid_in for e in totals), sum(e.paid_out for e in totals))
    assert figures.balance == figures.paid_in - figures.paid_out == sum_of_balances()
    assert gaps_in_versions() == []
    assert broken_links() == []
    assert replay.check() == []


def all_at_once(data: Path, accounts: int, **variables: str) -> list[Sums]:
    """Run all processes at once, and return the sums of each."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(accounts), str(COMMANDS)],
        cwd=ROOT,
        env=environment(data, **variables),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    totals = [Sums(*map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(totals) == PROCESSES
    return totals


def sum_of_balances() -> int:
    return int(query("SELECT SUM(balance) FROM projections_accountsummary", using="projections")[0][0])


def gaps_in_versions() -> list[tuple[Any, ...]]:
    """Return the streams with a missing or repeated version."""
    return query(
        """SELECT stream FROM eventstore_event GROUP BY stream
           HAVING COUNT(*) <> MAX(version) OR COUNT(DISTINCT version) <> MAX(version)"""
    )
