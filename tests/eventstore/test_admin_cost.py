"""The inspector: no page has inline style or script, and no query reads a whole table."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bank.application.dispatch import handle
from bank.domain.commands import DepositMoneyIntoBankAccount
from bank.domain.errors import NoSuchAccount
from tests.support.story import COMMANDS, DEPOSIT, EVENTS, TABLES
from tests.support.story import story as story
from tests.support.values import query

pytestmark = pytest.mark.usefixtures("bank", "story")


@pytest.mark.parametrize("url", [EVENTS, f"{EVENTS}2/change/", COMMANDS, f"{COMMANDS}{DEPOSIT}/change/", *TABLES[2:]])
def test_no_page_has_inline_style_or_script(admin_client: Client, url: str) -> None:
    response = admin_client.get(url)
    assert "default-src 'none'" in response["Content-Security-Policy"]
    text = response.content.decode()
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)(?![^>]*application/json)|\sstyle=|\son[a-z]+=", text)


@pytest.mark.parametrize(
    "url",
    [EVENTS + query for query in ("", "?p=1", "?type=invalid_pin", "?day=2026-03-02", "?actor=tina", "?q=7", "?q=x")]
    + [EVENTS + f"?q={DEPOSIT}", f"{EVENTS}2/change/", f"{COMMANDS}{DEPOSIT}/change/"]
    + [COMMANDS + query for query in ("", "?outcome=rejected", "?name=x", "?day=2026-03-02", f"?q={DEPOSIT}")],
)
def test_no_page_reads_a_whole_table(admin_client: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSuchAccount):
        handle(DepositMoneyIntoBankAccount(2, 100))
    for name in ("EventAdmin", "CommandRecordAdmin"):  # so that there are several pages
        monkeypatch.setattr(f"eventstore.admin.inspector.{name}.list_per_page", 1)
    with CaptureQueriesContext(connection) as queries:
        assert admin_client.get(url).status_code == 200
    assert len(queries) <= 15
    for sent in queries.captured_queries:
        if "eventstore_" not in sent["sql"]:
            continue
        assert not reads_all(sent["sql"].replace("%", "%%")), sent["sql"]


@pytest.mark.parametrize(
    ("sql", "does"),
    [
        ("SELECT * FROM eventstore_event WHERE schema_version = 2", True),
        ("SELECT * FROM eventstore_event ORDER BY schema_version LIMIT 5", True),
        ("SELECT COUNT(*) FROM eventstore_event", True),
        ("SELECT * FROM eventstore_event ORDER BY position LIMIT 5", False),
        ("SELECT * FROM eventstore_event WHERE type = 'x' ORDER BY position", False),
    ],
)
def test_a_query_that_reads_a_whole_table_is_detected(sql: str, does: bool) -> None:
    assert reads_all(sql) is does


def reads_all(sql: str) -> bool:
    """Return whether a query reads a whole table of the store.

    A scan of an index or of the positions ends at the limit, unless all rows are sorted first. MAX takes one step.
    """
    may_end = "LIMIT" in sql or "MAX(" in sql
    if connection.vendor == "sqlite":
        plan = [row[3] for row in query("EXPLAIN QUERY PLAN " + sql)]
        ends = may_end and "USE TEMP B-TREE FOR ORDER BY" not in plan
        return not ends and any(step.startswith("SCAN eventstore_") for step in plan)
    # A full scan is the cheapest plan for such a small table, so it is disabled, with and without sorting.
    query("SET enable_seqscan = off")
    return all(is_whole(sql, may_end, sort) for sort in ("on", "off"))


def is_whole(sql: str, may_end: bool, sort: str) -> bool:
    """Return whether a plan of PostgreSQL's has a step without an index condition that no limit ends."""
    query(f"SET enable_sort = {sort}")
    plan = "\n".join(row[0] for row in query("EXPLAIN (COSTS OFF) " + sql))
    steps = re.split(r"\n *-> *", plan)  # each with the lines of its index and filter conditions
    ends = may_end and not any(step.startswith("Sort") for step in steps)
    return any(
        step.startswith("Seq Scan") or ("Cond:" not in step and (not ends or "Filter:" in step))
        for step in steps
        if " on eventstore_" in step
    )
