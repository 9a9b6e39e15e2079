"""Verification compares a command with the event that led to it, whoever has stolen the keys."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from bank.application import process_managers
from eventstore.verification import causes
from tests.support import vandal
from tests.support.databases import Urls
from tests.support.record import in_stream, spoil, verify
from tests.support.relay import RELAY
from tests.support.values import deposit, open_account

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture(autouse=True)
def _relayed(bank: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two deposits into account 1, of which account 2 does not take the money, because it is not there."""
    monkeypatch.setattr(process_managers, "PROCESS_MANAGERS", {RELAY.name: RELAY})
    for account_id in (1, 3, 4):
        open_account(account_id)
    for amount in (5, 7):
        deposit(1, amount)


def record_of(tables: vandal.Tables, row: vandal.Row) -> vandal.Row:
    return next(each for each in tables[vandal.COMMAND] if each["id"] == row["command_id"])


def another_chain(tables: vandal.Tables) -> None:
    row = in_stream(tables, "bank_account-3")[1]
    row["metadata"] = {**row["metadata"], "correlation_id": str(uuid4())}


def another_cause(tables: vandal.Tables) -> None:
    row = in_stream(tables, "bank_account-3")[1]
    row["metadata"] = {**row["metadata"], "causation_id": "bank_account-1@3"}
    record_of(tables, row)["causation"] = "bank_account-1@3"


def no_cause(tables: vandal.Tables) -> None:
    row = in_stream(tables, "bank_account-3")[1]
    row["metadata"] = {**row["metadata"], "causation_id": "bank_account-9@1"}
    record_of(tables, row)["causation"] = "bank_account-9@1"


def nonsense(tables: vandal.Tables) -> None:
    row = in_stream(tables, "bank_account-3")[1]
    row["metadata"] = {**row["metadata"], "causation_id": "@x"}
    record_of(tables, row)["causation"] = "@x"


def only_in_the_record(tables: vandal.Tables) -> None:
    record_of(tables, in_stream(tables, "bank_account-3")[1])["causation"] = "bank_account-4@2"  # of the same chain


def only_in_the_event(tables: vandal.Tables) -> None:
    row = in_stream(tables, "bank_account-1")[1]
    row["metadata"] = {**row["metadata"], "causation_id": "bank_account-1@1"}


def rejected_without_cause(tables: vandal.Tables) -> None:
    rejected = next(each for each in tables[vandal.COMMAND] if each["outcome"] == "rejected")
    rejected["causation"] = "bank_account-1@77"


def test_causes_that_fit_are_no_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "BATCH", 2)
    assert "All of it fits together." in verify("--no-read-side")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (another_chain, "it belongs to another chain of commands than bank_account-1@2, which led to it"),
        (another_cause, "the event that led to it, bank_account-1@3, is after it"),
        (no_cause, "the event that led to it, 'bank_account-9@1', is missing"),
        (nonsense, "the event that led to it, '@x', is missing"),
        (only_in_the_record, "it names another cause than its command record does"),
        (only_in_the_event, "it names another cause than its command record does"),
        (rejected_without_cause, "the event that led to it, 'bank_account-1@77', is missing"),
    ],
)
def test_a_cause_that_does_not_fit_is_named_even_where_the_keys_were_stolen(
    urls: Urls, change: Callable[[vandal.Tables], None], found: str
) -> None:
    def forge(tables: vandal.Tables) -> None:
        change(tables)
        vandal.recompute(tables)
        vandal.reseal(tables)

    spoil(urls, forge)
    assert found in verify("--no-read-side")


def test_the_seal_covers_the_cause(urls: Urls) -> None:
    def forge(tables: vandal.Tables) -> None:
        rejected = next(each for each in tables[vandal.COMMAND] if each["outcome"] == "rejected")
        rejected["causation"] = "bank_account-1@3"

    spoil(urls, forge)
    assert "its command record was changed: its seal does not fit" in verify("--no-read-side")


@pytest.mark.only_on("sqlite", reason="PostgreSQL's planner decides by the size of the tables")
def test_causing_events_are_found_by_index() -> None:
    statement = "SELECT position FROM eventstore_event WHERE (stream, version) IN (VALUES ('a', 1), ('b', 2))"
    with connections["default"].cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        assert any("USING COVERING INDEX" in row[3] or "USING INDEX" in row[3] for row in cursor.fetchall())
