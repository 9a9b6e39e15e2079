"""`manage.py run_projections`, as a process of its own."""

import time
from pathlib import Path
from typing import Any

import pytest

from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from bank.handlers import handle
from projections import queries
from tests.databases import Urls
from tests.programs import Program


def test_a_worker_projects_what_the_web_process_leaves_to_it_and_stops_when_told(
    bank: Path, urls: Urls, settings: Any
) -> None:
    settings.PROJECTION_MODE = "worker"
    handle(CreateBankAccount(1, "Josh", 1234))
    with pytest.raises(queries.UnknownAccount):
        queries.check_balance(1)

    with Program(bank, "run_projections", "--interval", "0.05", **urls) as worker:
        for balance in (10, 20):
            handle(DepositMoneyIntoBankAccount(1, 10))
            wait_for_balance(balance)
        assert worker.stop() == 0, worker.output


def wait_for_balance(balance: int) -> None:
    """Wait until the read side has this balance of account 1, for as long as a slow machine may need."""
    for _ in range(300):
        try:
            if queries.check_balance(1) == balance:
                return
        except queries.UnknownAccount:
            pass
        time.sleep(0.1)
    raise AssertionError(f"The balance never became {balance}.")
