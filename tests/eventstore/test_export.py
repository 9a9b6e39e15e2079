"""The export of filtered events: complete, in order, safe in a spreadsheet, in flat memory."""

import csv
import json
import tracemalloc
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from eventstore.admin import export
from eventstore.models import Event
from tests.eventstore.test_admin_cost import reads_all
from tests.support.story import EVENTS
from tests.support.story import story as story

pytestmark = pytest.mark.usefixtures("bank", "story")


def lines(client: Client, query: str = "") -> list[list[str]]:
    response: Any = client.get(f"{EVENTS}export.csv{query}")
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


@pytest.mark.parametrize("at_once", [1, 2, 1000])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["1", "2", "3", "4", "5"]),
        ("?p=1", ["1", "2", "3", "4", "5"]),
        ("?q=bank_account-7", ["1", "2", "3"]),
        ("?q=1", ["1", "4", "5"]),
        ("?actor=tom&day=2026-03-02", ["3", "4"]),
        ("?day=2026-03-01", ["1", "2"]),
        ("?type=invalid_pin", ["3"]),
        ("?type=nothing", []),
    ],
)
def test_what_is_filtered_is_exported_the_first_event_first(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, query: str, found: list[str], at_once: int
) -> None:
    monkeypatch.setattr(export, "AT_ONCE", at_once)
    assert [line[0] for line in lines(admin_client, query)[1:]] == found


def test_a_line_has_the_event_as_the_inspector_shows_it(admin_client: Client) -> None:
    head, *_, deposit = lines(admin_client, "?q=bank_account-1")
    assert head[2] == "Time (UTC)"
    assert head[-1] == "Balance (USD)"
    assert deposit[0] == "5"
    assert deposit[3:8] == [
        "bank_account-1",
        "2",
        "Deposit",
        "money_deposited_into_bank_account",
        "accountId 1, amount 1.00 USD",
    ]
    assert deposit[-1] == "1.00"


def test_the_running_balance_counts_events_that_the_filter_leaves_out(admin_client: Client) -> None:
    handle(DepositMoneyIntoBankAccount(7, 250))
    found = lines(admin_client, "?q=bank_account-7&type=money_deposited_into_bank_account")[1:]
    assert [line[-1] for line in found] == ["12.50", "15.00"]


def test_no_cell_is_a_formula(admin_client: Client) -> None:
    handle(CreateBankAccount(9, "=1+1", 1234), actor="+tina")
    [_, line] = lines(admin_client, "?q=bank_account-9")
    assert line[8] == "'+tina"
    assert not [cell for cell in line if cell[:1] in "=+-@\t\r" and cell]


def test_json_lines_have_each_event_as_it_is_stored(admin_client: Client) -> None:
    response: Any = admin_client.get(f"{EVENTS}export.jsonl?q=bank_account-7")
    events = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]
    assert [event["version"] for event in events] == [1, 2, 3]
    assert events[1]["data"] == {"accountId": 7, "amount": 1250}
    assert events[1]["hash"] == bytes(Event.objects.get(pk=2).hash).hex()


@pytest.mark.parametrize("query", ["?p=99", "?o=x&p=nonsense"])
def test_a_page_that_does_not_exist_leads_to_the_list(admin_client: Client, query: str) -> None:
    assert admin_client.get(f"{EVENTS}export.csv{query}").status_code in (200, 302)
    assert admin_client.get(f"{EVENTS}export.csv?data__icontains=Josh").status_code == 400


@pytest.mark.parametrize("query", ["", "?q=bank_account-7", "?day=2026-03-02", "?actor=tina", "?type=invalid_pin"])
def test_each_part_is_read_through_an_index(admin_client: Client, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 1)
    with CaptureQueriesContext(connection) as queries:
        lines(admin_client, query)
    for sent in queries.captured_queries:
        if "eventstore_" in sent["sql"]:
            assert not reads_all(sent["sql"].replace("%", "%%")), sent["sql"]


def test_the_memory_of_an_export_does_not_grow_with_the_events() -> None:
    """The parts are written while they are read: no list of all of them exists."""
    event = Event.objects.get(pk=2)

    def peak(number: int) -> int:
        tracemalloc.start()
        for _ in export.csv_parts(iter([event] * number), None):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20_000) < 2 * peak(2_000)
