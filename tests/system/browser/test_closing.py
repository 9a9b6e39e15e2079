"""Closing an account and correcting a deposit in a real browser, with JavaScript and without."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from projections import queries
from tests.support.browsers import WITH_AND_WITHOUT, assert_accessible
from tests.support.values import deposit
from tests.system.browser.conftest import be


@pytest.fixture
def sue(ada: Page, context: BrowserContext, live_server: Any) -> Page:
    """A supervisor's page of account 1, Ada's, with a balance of 100.00."""
    be(context, live_server, "sue", "Supervisors")
    ada.goto("/accounts/1/")
    expect(ada.get_by_text("sue")).to_be_visible()
    return ada


@WITH_AND_WITHOUT
def test_money_is_paid_out_and_the_account_is_closed(ada: Page) -> None:
    ada.get_by_role("link", name="Close the account").click()
    ada.get_by_label("PIN").fill("0042")
    ada.get_by_role("button", name="Close account").click()
    expect(ada.get_by_text("There is money in account 1.")).to_be_visible()
    ada.get_by_role("link", name="Pay out 100.00 first").click()
    expect(ada.get_by_label("Amount (USD)")).to_have_value("100.00")
    ada.get_by_label("PIN").fill("0042")
    ada.get_by_role("button", name="Withdraw").click()
    expect(ada.get_by_role("heading", name="Withdrawal")).to_be_visible()
    ada.goto("/accounts/1/close/")
    ada.get_by_label("PIN").fill("0042")
    ada.get_by_role("button", name="Close account").click()
    expect(ada.get_by_role("heading", name="Account closed")).to_be_visible()
    ada.get_by_role("link", name="To the account").click()
    expect(ada.get_by_text("This account is closed.")).to_be_visible()
    expect(ada.get_by_role("button", name="Deposit")).to_have_count(0)


def test_closed_accounts_are_listed_on_request(ada: Page, javascript: bool) -> None:
    test_money_is_paid_out_and_the_account_is_closed(ada)
    ada.goto("/accounts/")
    expect(ada.get_by_text("There are no open accounts.")).to_be_visible()
    ada.get_by_label("Closed accounts too").check()
    if not javascript:
        ada.locator("form.search").get_by_role("button", name="Find").click()
    expect(ada.get_by_role("cell", name="Ada Lovelace closed")).to_be_visible()


def test_a_supervisor_corrects_a_deposit_found_by_its_receipt(sue: Page) -> None:
    ack = deposit(1, 25_00, actor="tina")
    sue.goto("/receipts/")
    sue.get_by_label("Reference on the receipt").fill(str(ack.position))
    sue.locator("main form").get_by_role("button", name="Find").click()
    sue.get_by_role("link", name="Correct this").click()
    expect(sue.get_by_text("25.00 USD")).to_be_visible()
    expect(sue.get_by_text("tina")).to_be_visible()
    sue.get_by_role("button", name="Reverse the deposit").click()
    expect(sue.get_by_role("link", name="Say why this is reversed.")).to_be_visible()
    sue.get_by_label("Reason").fill("Typed twice")
    sue.get_by_role("button", name="Reverse the deposit").click()
    expect(sue.get_by_role("heading", name="Deposit reversed")).to_be_visible()
    sue.get_by_role("link", name=f"Deposit {ack.position}").click()
    expect(sue.locator(".notice", has_text="Typed twice")).to_be_visible()
    expect(sue.get_by_role("link", name="Correct this")).to_have_count(0)
    sue.goto("/accounts/1/")
    sue.locator("tr.undone .c-what").get_by_role("link").click()
    expect(sue.get_by_role("heading", name="Deposit reversed")).to_be_visible()
    assert queries.check_balance(1) == 100_00


def test_the_pages_are_accessible(sue: Page) -> None:
    paid = deposit(1, 25_00, actor="tina").command_id
    pages = [f"/receipts/{paid}/reverse/", "/accounts/1/close/", "/receipts/?reference=999", "/accounts/?q=&closed=1"]
    for page in pages:
        sue.goto(page)
        assert_accessible(sue)
    sue.goto(pages[0])
    sue.get_by_label("Reason").fill("Typed twice")
    sue.get_by_role("button", name="Reverse the deposit").click()
    expect(sue.get_by_role("heading", name="Deposit reversed")).to_be_visible()
    for page in (sue.url, f"/receipts/{paid}/", "/accounts/1/"):
        sue.goto(page)
        assert_accessible(sue)
