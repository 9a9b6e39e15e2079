"""Names are isolated from the direction of the text around them, and times are `time` elements."""

import re

import pytest
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import OpenTill, TransferMoneyBetweenBankAccounts
from projections import queries
from tests.support.helpers import client_of
from tests.support.values import PIN, deposit, open_account, withdraw

NAME = "\u05d0\u05d1\u05d2 42"
"""A name of right-to-left letters, which would move the digits next to it."""
ISOLATED = re.compile(r"<bdi>.*?</bdi>|<time .*?</time>|<textarea.*?</textarea>|<[^>]*>", re.DOTALL)
TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}\b")


@pytest.fixture
def supervisor(bank: object) -> Client:
    for account_id in (1, 2):
        open_account(account_id, NAME, balance=10_000)
    deposit(1, 5, actor=NAME)
    withdraw(1, 5, PIN + 1, actor=NAME)
    handle(TransferMoneyBetweenBankAccounts(1, 2, 10, PIN), actor=NAME)
    handle(OpenTill(1, NAME, 500), actor=NAME)
    return client_of("sue", "Supervisors")


def test_each_name_is_isolated_and_each_time_an_element(supervisor: Client) -> None:
    receipts = [f"/receipts/{entry.command_id}/" for entry in queries.latest_activity()]
    pages = ["/accounts/", "/accounts/1/", "/accounts/1/deposit/", "/accounts/1/statement/?from=&to=&kind=", "/bank/"]
    for path in [*pages, "/refusals/", "/tills/", "/tills/1/1/", *receipts, f"{receipts[-1]}reverse/", "/own/"]:
        page = supervisor.get(path).content.decode()
        text = ISOLATED.sub(" ", page[page.index("<main") : page.index("</main>")])
        assert NAME not in text, path
        assert not TIME.search(text), path


def test_a_page_names_the_time_zone(supervisor: Client) -> None:
    assert "Times are those of UTC." in supervisor.get("/accounts/1/").content.decode()
