"""The teller of most tests of the screens."""

import pytest
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from tests.support.helpers import client_of


@pytest.fixture
def teller(bank: object) -> Client:
    """A teller's browser in a bank with 100.00 in account 1, Ada's."""
    handle(CreateBankAccount(1, "Ada Lovelace", 42))
    handle(DepositMoneyIntoBankAccount(1, 10_000))
    return client_of("tina", "Tellers")
