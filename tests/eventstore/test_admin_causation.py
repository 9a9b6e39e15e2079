"""The inspector shows causes and effects of an event or a command as a tree."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bank.application import process_managers
from bank.domain.commands import DepositMoneyIntoBankAccount
from bank.domain.processes import ProcessManager, Step
from eventstore.admin import causation
from eventstore.models import CommandRecord
from tests.eventstore.test_admin_cost import reads_all
from tests.support.relay import RELAY
from tests.support.story import COMMANDS, EVENTS
from tests.support.values import deposit, open_account

pytestmark = pytest.mark.usefixtures("bank")

FIRST = UUID(int=77)


@pytest.fixture(autouse=True)
def managers(bank: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, ProcessManager]:
    """A deposit into account 1 leads to deposits, of which the first is rejected."""
    managers = {RELAY.name: RELAY}
    monkeypatch.setattr(process_managers, "PROCESS_MANAGERS", managers)
    for account_id in (1, 3, 4):
        open_account(account_id)
    deposit(1, 50, command_id=FIRST, actor="tina")
    return managers


def tree_in(page: str) -> list[str]:
    """Return the lines of the tree, each indented by its depth."""
    section = page.partition('class="module causation"')[2].partition("</section>")[0]
    lines, depth = [], -1
    for tag, text in re.findall(r"(</?ul>|<li>)([^\n]*)", section):
        depth += {"<ul>": 1, "</ul>": -1}.get(tag, 0)
        if tag == "<li>":
            lines.append("  " * depth + re.sub("<[^>]+>", "", text))
    return lines


TREE = [
    "deposit_money_into_bank_account by tina",
    "  4: money_deposited_into_bank_account bank_account-1@2",
    "    deposit_money_into_bank_account by tina, rejected: There is no account 2.",
    "    deposit_money_into_bank_account by tina",
    "      5: money_deposited_into_bank_account bank_account-4@2",
    "    deposit_money_into_bank_account by tina",
    "      6: money_deposited_into_bank_account bank_account-3@2",
]


def pages() -> list[str]:
    return [
        *(f"{EVENTS}{position}/change/" for position in (4, 5, 6)),
        *(f"{COMMANDS}{record.pk}/change/" for record in CommandRecord.objects.filter(actor="tina")),
    ]


def test_each_event_and_command_of_a_chain_shows_the_whole_chain(admin_client: Client) -> None:
    urls = pages()
    assert len(urls) == 7
    for url in urls:
        page = admin_client.get(url).content.decode()
        assert tree_in(page) == TREE
        tree = page.partition('class="module causation"')[2].partition("</section>")[0]
        assert sorted(re.findall(r'href="([^"]+)"', tree)) == sorted(set(urls) - {url})
        assert tree.count('aria-current="page"') == 1


def test_a_chain_of_one_command_shows_its_events(admin_client: Client) -> None:
    assert tree_in(admin_client.get(f"{EVENTS}1/change/").content.decode()) == [
        "create_bank_account by nobody",
        "  1: bank_account_created bank_account-1@1",
    ]


def test_a_long_chain_is_cut(
    admin_client: Client, managers: dict[str, ProcessManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    def steps(event: Any, metadata: Any) -> list[Step]:
        if event.account_id == 1:
            return [Step(f"{number}", DepositMoneyIntoBankAccount(3, 1)) for number in range(12)]
        return [Step("next", DepositMoneyIntoBankAccount(4, 1))] if event.account_id == 3 else []

    managers["many"] = ProcessManager("many", RELAY.types, steps)
    monkeypatch.setattr(causation, "MOST", 8)
    ack = deposit(1, 5)
    page = admin_client.get(f"{EVENTS}{ack.position}/change/").content.decode()
    assert "This list is cut." in page
    assert sum("by nobody" in line for line in tree_in(page)) == 8
    monkeypatch.setattr(causation, "MOST", 100)
    assert "This list is cut." not in admin_client.get(f"{EVENTS}{ack.position}/change/").content.decode()
    monkeypatch.setattr(causation, "DEEPEST", 1)
    assert "This list is cut." in admin_client.get(f"{EVENTS}{ack.position}/change/").content.decode()


def test_the_tree_is_found_by_index_with_few_queries(admin_client: Client) -> None:
    for url in pages():
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(url).status_code == 200
        assert len(queries) <= 20
        for sent in queries.captured_queries:
            if "eventstore_" in sent["sql"]:
                assert not reads_all(sent["sql"].replace("%", "%%")), sent["sql"]
