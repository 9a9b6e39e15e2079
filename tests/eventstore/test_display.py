"""The inspector shows amounts as money in every payload, state and table, and the running balance of a stream."""

import re
from dataclasses import fields

import pytest
from django.db import models
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.account import BankAccount
from bank.domain.commands import DepositMoneyIntoBankAccount, OpenTill
from bank.domain.events import EVENT_CLASSES, PAYLOAD_KEYS
from bank.domain.till import Till
from bank.screens.inspector import AMOUNTS, BankDisplay
from eventstore.admin.display import Display
from projections import models as tables
from tests.support.story import EVENTS
from tests.support.story import story as story

COUNTS = {
    *("wrong_pins", "shift", "version", "position", "transaction_id", "failed_position", "parked", "key"),
    *("accounts", "accounts_opened", "deposits", "withdrawals", "refusals", "corrections"),
    *("paid_in_low", "paid_in_high", "paid_out_low", "paid_out_high"),
    *("balance_low", "balance_high", "on_its_way_low", "on_its_way_high"),
}
"""The numbers that are no money, ids aside. The parts of big sums have no page."""


def numbers() -> set[str]:
    """Return the names of all integers in payloads, states and tables of the read side."""
    in_code = {
        PAYLOAD_KEYS.get(field.name, field.name) if each in EVENT_CLASSES else field.name
        for each in (*EVENT_CLASSES, BankAccount, Till)
        for field in fields(each)
        if field.type in (int, "int", int | None)
    }
    classes = [each for each in vars(tables).values() if isinstance(each, type) and issubclass(each, models.Model)]
    in_tables = {
        field.name
        for each in classes
        if not each._meta.abstract
        for field in each._meta.fields
        if isinstance(field, models.BigIntegerField)
    }
    return in_code | in_tables


def test_each_number_of_the_bank_is_money_or_a_count_or_an_id() -> None:
    undecided = {name for name in numbers() - AMOUNTS - COUNTS if not name.lower().endswith("id")}
    assert undecided == set(), "bank/screens/inspector.py: is it money? Otherwise add it to COUNTS"
    assert set() == AMOUNTS & COUNTS


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("balance", 20_000, "200.00"),
        ("amount", -5, "−0.05"),
        ("balance", None, "-"),
        ("accountId", 20_000, "20000"),
        ("wrong_pins", 2, "2"),
        ("pin_locked", True, "yes"),
        ("on_its_way", {}, "none"),
        ("on_its_way", {"x": [4022, 40_000]}, "400.00 to 4022"),
        ("on_its_way", {"x": "forged"}, "forged"),
        ("reversed_commands", (), "none"),
        ("amount", "forged", "forged"),
        ("amount", [1, 2], "1, 2"),
    ],
)
def test_the_bank_shows_a_value(name: str, value: object, text: str) -> None:
    assert BankDisplay().text(name, value) == text


def test_a_store_without_an_application_shows_what_is_stored() -> None:
    shown = Display()
    assert shown.title("invalid_pin") == "invalid_pin"
    assert shown.inline("amount", 1250) == "1,250"
    assert shown.heading("amount") == "amount"
    assert shown.figure_of("bank_account-7") is None


@pytest.mark.usefixtures("bank", "story")
def test_the_list_of_one_stream_has_its_running_figure(admin_client: Client) -> None:
    handle(DepositMoneyIntoBankAccount(7, 250))
    handle(OpenTill(3, "tina", 500_00))
    for query, heading, shown in (
        ("?q=bank_account-7", "Balance (USD)", ["15.00", "12.50", "12.50", "0.00"]),
        ("?q=bank_account-7&type=invalid_pin", "Balance (USD)", ["12.50"]),
        ("?q=till-3", "Cash (USD)", ["500.00"]),
    ):
        page = admin_client.get(EVENTS + query).content.decode()
        assert heading in page
        assert re.findall(r'class="field-amount">([^<]*)<', page) == shown
    assert "Balance (USD)" not in admin_client.get(f"{EVENTS}?q=7").content.decode()


@pytest.mark.usefixtures("bank", "story")
def test_the_tables_of_the_read_side_show_money(admin_client: Client) -> None:
    for page in ("statementline/", "statementline/2/change/", "accountsummary/7/change/", "banktotals/"):
        text = admin_client.get(f"/admin/projections/{page}", follow=True).content.decode()
        assert "12.50" in text or "13.50" in text, page
        assert ">1250<" not in text
        assert ">1,250<" not in text
