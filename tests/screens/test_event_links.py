"""Links from figures to their events, for users who may see the inspector, and for no others."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, OpenTill
from projections import queries
from tests.support.helpers import client_of
from tests.support.story import EVENTS
from tests.support.values import deposit

LINK = re.compile(rf'href="({EVENTS}[^"]*)"')
PAGES = {
    "/bank/": ["2/change/", "1/change/"],
    "/accounts/7/": ["2/change/", "1/change/", "?q=bank_account-7"],
    "receipt": ["2/change/", "2/change/", "1/change/"],
    "/tills/1/1/": ["3/change/"],
}


@pytest.fixture
def pages(bank: object) -> dict[str, list[str]]:
    handle(CreateBankAccount(7, "Josh", 1234))
    ack = deposit(7, 1250)
    handle(OpenTill(1, "tina", 500))
    receipt = queries.command_at(ack.position)
    return {path.replace("receipt", f"/receipts/{receipt}/"): links for path, links in PAGES.items()}


def links_of(client: Client, path: str) -> list[str]:
    found: list[str] = LINK.findall(client.get(path).content.decode())
    return [link.removeprefix(EVENTS) for link in found]


def test_an_auditor_comes_from_each_figure_to_its_event(pages: dict[str, list[str]]) -> None:
    auditor = client_of("audrey", "Auditors", is_staff=True)
    for path, links in pages.items():
        assert sorted(links_of(auditor, path)) == sorted(links), path
    for link in {each for links in pages.values() for each in links}:
        assert auditor.get(EVENTS + link).status_code == 200


@pytest.mark.parametrize(("group", "is_staff"), [("Tellers", True), ("Auditors", False), ("Supervisors", False)])
def test_nobody_else_has_a_link(pages: dict[str, list[str]], group: str, is_staff: bool) -> None:
    client_of("audrey", "Auditors", is_staff=True).get("/accounts/7/")  # whose rows must not be another's
    client = client_of("other", group, is_staff=is_staff)
    for path in pages:
        assert links_of(client, path) == [], path


def test_the_link_costs_no_query(pages: dict[str, list[str]]) -> None:
    def number(client: Client) -> int:
        client.get("/accounts/7/")
        with CaptureQueriesContext(connections["default"]) as sent:
            client.get("/accounts/7/")
        return len(sent)

    auditor, staff = client_of("audrey", "Auditors", is_staff=True), client_of("anna", "Auditors")
    assert number(auditor) == number(staff)
    assert User.objects.count() == 2
