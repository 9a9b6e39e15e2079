"""Failures in a real browser: where htmx puts their pages, and Back after the session has ended."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connections
from playwright.sync_api import Page, expect

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from bank.screens import tasks
from projections import queries
from tests.support.databases import Urls, stranger


@pytest.fixture
def ada(page: Page) -> Page:
    """The page of account 1, Ada's, whose statement has two pages."""
    handle(CreateBankAccount(1, "Ada Lovelace", 42))
    for _ in range(40):
        handle(DepositMoneyIntoBankAccount(1, 100))
    page.goto("/accounts/1/")
    return page


def test_back_to_an_earlier_statement_after_a_log_out_elsewhere_leads_to_the_log_in(ada: Page) -> None:
    ada.get_by_role("link", name="Earlier").click()
    ada.wait_for_url("**/?before=*")
    expect(ada.get_by_role("link", name="Latest")).to_be_visible()
    Session.objects.all().delete()  # as a log-out in another tab
    ada.go_back()
    expect(ada.get_by_role("heading", name="Log in")).to_be_visible()
    expect(ada.locator("h1")).to_have_count(1)
    assert "Lovelace" not in ada.content()


def test_back_and_forward_show_the_statement(ada: Page) -> None:
    rows = ada.locator("#statement tbody tr:not(.day)")
    first = rows.first.inner_text()
    ada.get_by_role("link", name="Earlier").click()
    expect(ada.get_by_role("link", name="Latest")).to_be_visible()
    ada.go_back()
    expect(ada.get_by_role("link", name="Latest")).to_have_count(0)
    assert rows.first.inner_text() == first
    ada.go_forward()
    expect(ada.get_by_role("link", name="Latest")).to_be_visible()
    expect(ada.get_by_role("heading", name="Ada Lovelace")).to_be_visible()


def test_a_busy_bank_changes_the_form_alone(ada: Page, bank: Path, urls: Urls, complaints: list[str]) -> None:
    connections["default"].close()
    ada.locator("#withdraw_amount").fill("5")
    ada.locator("#withdraw_pin").fill("0042")
    with stranger(urls["DATABASE_URL"]) as other:
        other.execute("BEGIN IMMEDIATE")
        ada.get_by_role("button", name="Withdraw").click()
        expect(ada.get_by_text("The bank is busy")).to_be_visible()
        other.execute("ROLLBACK")
    expect(ada.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    expect(ada.locator("#deposit_amount")).to_be_visible()
    expect(ada.locator("#withdraw_amount")).to_have_value("5")
    expect(ada.locator("#withdraw_pin")).to_have_value("")
    ada.locator("#withdraw_pin").fill("0042")
    ada.get_by_role("button", name="Withdraw").click()
    ada.wait_for_url("**/receipts/**")
    assert queries.check_balance(1) == 3_500
    complaints[:] = [text for text in complaints if "503" not in text]


def test_a_fault_replaces_the_page_and_leads_to_the_receipt(
    ada: Page, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> Any:
        carry_out(*args, **kwargs)  # type: ignore[arg-type]
        raise ZeroDivisionError

    carry_out = handle
    monkeypatch.setattr(tasks, "handle", fail)
    ada.locator("#deposit_amount").fill("5")
    ada.get_by_role("button", name="Deposit").click()
    expect(ada.get_by_role("heading", name="Something went wrong")).to_be_visible()
    expect(ada.locator("h1")).to_have_count(1)
    ada.get_by_role("link", name="See whether it was recorded").click()
    expect(ada.get_by_role("heading", name="Deposit")).to_be_visible()
    complaints[:] = [text for text in complaints if "500" not in text]
