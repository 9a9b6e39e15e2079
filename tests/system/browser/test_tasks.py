"""A teller's work in a real browser, with JavaScript and without."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from eventstore import store
from projections import engine, queries
from tests.support.browsers import WITH_AND_WITHOUT, assert_accessible


def withdraw(page: Page, amount: str, pin: str) -> None:
    page.locator("#withdraw_amount").fill(amount)
    page.locator("#withdraw_pin").fill(pin)
    page.get_by_role("button", name="Withdraw").click()


def test_an_account_is_opened_and_found(page: Page) -> None:
    page.get_by_role("link", name="Open an account").click()
    page.get_by_label("Account number").fill("7")
    page.get_by_label("Account holder").fill("Björk Guðmundsdóttir")
    page.get_by_label("PIN").fill("0042")
    page.get_by_role("button", name="Open account").click()
    expect(page.get_by_role("heading", name="Account opened")).to_be_visible()

    page.goto("/")
    page.get_by_label("Number, holder or receipt").fill("7")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="Björk Guðmundsdóttir")).to_be_visible()


def test_a_deposit_is_taken(ada: Page) -> None:
    ada.locator("#deposit_amount").fill("1,250.5")
    ada.get_by_role("button", name="Deposit").click()
    ada.wait_for_url("**/receipts/**")
    expect(ada.get_by_text("1,350.50 USD")).to_be_visible()


def test_a_withdrawal_is_paid_out(ada: Page) -> None:
    withdraw(ada, "60", "0042")
    ada.wait_for_url("**/receipts/**")
    expect(ada.get_by_text("40.00 USD")).to_be_visible()


@WITH_AND_WITHOUT
def test_a_wrong_pin_is_refused_and_can_be_tried_again(ada: Page) -> None:
    withdraw(ada, "60", "4242")
    ada.wait_for_url("**/receipts/**")
    expect(ada.get_by_role("heading", name="Refused: wrong PIN")).to_be_visible()

    ada.get_by_role("link", name="Try again with the right PIN").click()
    withdraw(ada, "60", "0042")
    ada.wait_for_url("**/receipts/**")
    expect(ada.get_by_role("heading", name="Withdrawal")).to_be_visible()


def test_a_withdrawal_of_more_than_the_balance_is_refused(ada: Page) -> None:
    withdraw(ada, "100.01", "0042")
    ada.wait_for_url("**/receipts/**")
    expect(ada.get_by_role("heading", name="Refused: not enough money")).to_be_visible()
    assert queries.check_balance(1) == 10_000


@WITH_AND_WITHOUT
def test_an_error_is_announced_at_its_field(ada: Page, javascript: bool) -> None:
    withdraw(ada, "1.234", "0042")
    expect(ada.locator("#withdraw_amount")).to_be_focused()
    expect(ada.locator("#withdraw_amount_error")).to_be_visible()
    expect(ada.locator("#withdraw_amount")).to_have_value("1.234")
    expect(ada.locator("#withdraw_pin")).to_have_value("")
    if javascript:
        expect(ada).to_have_url(re.compile("/accounts/1/$"))
        expect(ada.get_by_role("heading", name="Statement")).to_be_visible()
    ada.locator(".errors a").click()
    expect(ada.locator("#withdraw_amount")).to_be_focused()


def test_a_double_click_deposits_once(ada: Page) -> None:
    ada.locator("#deposit_amount").fill("5")
    ada.get_by_role("button", name="Deposit").dblclick()
    expect(ada).to_have_url(re.compile("/receipts/"))  # the second click aborts the first navigation
    assert queries.check_balance(1) == 10_500


def test_a_form_reached_by_back_is_a_new_one(ada: Page) -> None:
    ada.locator("#deposit_amount").fill("5")
    first = ada.locator("[name=command_id]").first.input_value()
    ada.get_by_role("button", name="Deposit").click()
    ada.wait_for_url("**/receipts/**")
    ada.go_back()
    ada.wait_for_url("**/accounts/1/")
    expect(ada.locator("[name=command_id]").first).not_to_have_value(first)

    ada.locator("#deposit_amount").fill("5")
    ada.get_by_role("button", name="Deposit").click()
    ada.wait_for_url("**/receipts/**")
    assert queries.check_balance(1) == 11_000


def test_accounts_are_found_while_typing(ada: Page) -> None:
    handle(CreateBankAccount(2, "Grace Hopper", 1))
    ada.goto("/accounts/")
    ada.get_by_label("Account number or holder").press_sequentially("hopp")
    expect(ada.locator("tbody tr")).to_have_count(1)
    expect(ada).to_have_url(re.compile(r"\?q=hopp$"))


def test_the_pages_are_accessible(ada: Page) -> None:
    withdraw(ada, "60", "4242")
    ada.wait_for_url("**/receipts/**")
    receipt = ada.url
    for url in (
        "/",
        "/accounts/",
        "/accounts/1/",
        "/accounts/open/",
        "/accounts/1/withdraw/",
        "/accounts/1/?kind=in",
        "/accounts/1/?from=x",
        "/accounts/1/statement/",
        "/accounts/1/balance/",
        "/days/",
        "/day/",
        receipt,
    ):
        ada.goto(url)
        assert_accessible(ada)


@WITH_AND_WITHOUT
def test_the_account_page_loads_its_chart_or_leads_to_it(ada: Page, javascript: bool) -> None:
    ada.goto("/accounts/1/")
    if not javascript:
        ada.get_by_role("link", name="Show the balance over time").click()
    chart = ada.get_by_role("img", name="Balance from")
    expect(chart).to_be_visible()
    ada.locator("#chart").get_by_role("link", name="7 days").click()
    expect(ada.locator("#chart [aria-current]", has_text="7 days")).to_be_visible()
    expect(chart).to_be_visible()
    expect(ada).to_have_url(re.compile("/accounts/1/$" if javascript else r"/balance/\?from="))


def test_figures_that_were_behind_appear_by_themselves(ada: Page, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    ada.locator("#deposit_amount").fill("5")
    ada.get_by_role("button", name="Deposit").click()
    expect(ada.get_by_role("heading", name="Recorded")).to_be_visible()
    engine.catch_up()
    expect(ada.get_by_role("heading", name="Deposit")).to_be_visible()
    assert store.last_position() == 3


def test_a_statement_that_was_behind_catches_up_by_itself(ada: Page, settings: pytest.FixtureRequest) -> None:
    settings.PROJECTION_MODE = "worker"  # type: ignore[attr-defined]
    ada.locator("#deposit_amount").fill("5")
    ada.get_by_role("button", name="Deposit").click()
    expect(ada.get_by_role("heading", name="Recorded")).to_be_visible()
    ada.goto("/accounts/1/")
    expect(ada.get_by_text("still catching up")).to_be_visible()
    ada.locator("#withdraw_amount").fill("7")
    engine.catch_up()
    expect(ada.locator("#statement tbody tr:not(.day)")).to_have_count(3)
    expect(ada.get_by_text("still catching up")).to_have_count(0)
    expect(ada.locator("#figures")).to_contain_text("105.00")
    expect(ada.locator("#withdraw_amount")).to_have_value("7")


@WITH_AND_WITHOUT
def test_a_statement_is_limited_to_days_and_kinds_without_losing_typed_text(ada: Page, javascript: bool) -> None:
    for _ in range(30):
        handle(DepositMoneyIntoBankAccount(1, 1))
    ada.goto("/accounts/1/")
    ada.locator("#withdraw_amount").fill("7")
    ada.get_by_label("From", exact=True).fill("2020-01-01")
    ada.get_by_label("Kind").select_option("Paid in")
    ada.get_by_role("button", name="Show").press("Enter")
    expect(ada.get_by_label("Totals of what is shown")).to_contain_text("100.30")
    expect(ada).to_have_url(re.compile("from=2020-01-01&to=&kind=in"))
    shown = "2020-01-01" if javascript else "1 Jan 2020"  # a new page writes the day as the locale does
    expect(ada.get_by_label("From", exact=True)).to_have_value(shown)
    if javascript:
        expect(ada.get_by_role("button", name="Show")).to_be_focused()
        expect(ada.locator("#withdraw_amount")).to_have_value("7")
    ada.get_by_role("link", name="Earlier").press("Enter")
    expect(ada.locator("#statement tbody tr:not(.day)")).to_have_count(6)
    expect(ada.get_by_role("link", name="Latest")).to_be_focused()

    ada.get_by_label("From", exact=True).fill("tomorrow")
    ada.get_by_label("From", exact=True).press("Enter")
    expect(ada.locator(".errors") if javascript else ada.get_by_label("From", exact=True)).to_be_focused()
    expect(ada.get_by_label("From", exact=True)).to_have_value("tomorrow")
    ada.locator(".errors a").click()
    expect(ada.get_by_label("From", exact=True)).to_be_focused()
