"""Three wrong PINs and an unlock in a real browser, with JavaScript and without."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bank.application.dispatch import handle
from bank.domain.commands import WithdrawMoneyFromBankAccount
from projections import queries
from tests.support.browsers import WITH_AND_WITHOUT, assert_accessible
from tests.system.browser.conftest import be


@pytest.fixture
def sue(ada: Page, context: BrowserContext, live_server: Any) -> Page:
    """A supervisor's page of the same account, locked after three wrong PINs."""
    for _ in range(3):
        handle(WithdrawMoneyFromBankAccount(1, 500, 4242))
    be(context, live_server, "sue", "Supervisors")
    ada.goto("/accounts/1/")
    expect(ada.get_by_text("sue")).to_be_visible()
    return ada


def withdraw(page: Page, pin: str) -> None:
    page.goto("/accounts/1/")
    page.locator("#withdraw_amount").fill("60")
    page.locator("#withdraw_pin").fill(pin)
    page.get_by_role("button", name="Withdraw").click()
    page.wait_for_url("**/receipts/**")


def test_three_wrong_pins_lock_and_the_right_one_is_not_looked_at(ada: Page) -> None:
    withdraw(ada, "4242")
    expect(ada.get_by_text("2 more wrong PINs in a row")).to_be_visible()
    withdraw(ada, "4242")
    expect(ada.get_by_text("One more wrong PIN")).to_be_visible()
    withdraw(ada, "4242")
    expect(ada.get_by_text("Withdrawals are locked now")).to_be_visible()
    blocked = handle(WithdrawMoneyFromBankAccount(1, 6000, 42))  # a form of before; the page shows none any more
    ada.goto(f"/receipts/{blocked.command_id}/")
    expect(ada.get_by_role("heading", name="Refused: withdrawals are locked")).to_be_visible()
    ada.get_by_role("link", name="To the account").click()
    expect(ada.get_by_text("Withdrawals are locked.")).to_be_visible()
    expect(ada.get_by_role("link", name="Unlock withdrawals")).to_have_count(0)
    assert queries.check_balance(1) == 10_000


@WITH_AND_WITHOUT
def test_a_supervisor_unlocks_and_the_customer_is_paid(sue: Page) -> None:
    sue.get_by_role("link", name="Unlock withdrawals").click()
    sue.get_by_role("button", name="Unlock").dblclick()
    expect(sue).to_have_url(re.compile("/receipts/"))  # the second click aborts the first navigation
    expect(sue.get_by_role("heading", name="Withdrawals unlocked")).to_be_visible()
    withdraw(sue, "0042")
    expect(sue.get_by_text("40.00 USD")).to_be_visible()


def test_a_new_pin_is_given_by_keyboard_alone(sue: Page) -> None:
    sue.goto("/accounts/1/pin/")
    sue.get_by_label("New PIN", exact=True).focus()
    sue.keyboard.type("0007")
    sue.keyboard.press("Tab")
    sue.keyboard.type("0008")
    sue.keyboard.press("Enter")
    expect(sue.locator(".errors")).to_be_visible()
    expect(sue.get_by_label("New PIN", exact=True)).to_be_focused()
    for label in ("New PIN", "New PIN again"):
        expect(sue.get_by_label(label, exact=True)).to_have_value("")
    sue.get_by_label("New PIN", exact=True).focus()
    sue.keyboard.type("0007")
    sue.keyboard.press("Tab")
    sue.keyboard.type("0007")
    sue.keyboard.press("Tab")
    sue.keyboard.press("Space")
    sue.wait_for_url("**/receipts/**")
    expect(sue.get_by_text("Withdrawals were locked and are unlocked now.")).to_be_visible()
    withdraw(sue, "0007")
    expect(sue.get_by_text("40.00 USD")).to_be_visible()


def test_the_pages_of_a_locked_account_are_accessible(sue: Page) -> None:
    blocked = f"/receipts/{handle(WithdrawMoneyFromBankAccount(1, 6000, 42)).command_id}/"
    for url in (
        "/",
        "/bank/",
        "/refusals/",
        "/accounts/?locked=1",
        "/accounts/1/",
        "/accounts/1/withdraw/",
        "/accounts/1/unlock/",
        "/accounts/1/pin/",
        blocked,
    ):
        sue.goto(url)
        assert_accessible(sue)
