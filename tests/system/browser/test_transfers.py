"""A transfer in a real browser, with JavaScript and without, and a receipt that follows it to its end."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bank.application import process_managers
from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, TransferMoneyBetweenBankAccounts
from eventstore import subscriptions
from projections import engine, queries
from tests.support.browsers import WITH_AND_WITHOUT, assert_accessible


@pytest.fixture
def sender(ada: Page) -> Page:
    """Ada's account 1 with 100.00, and an account 2 to send money to."""
    handle(CreateBankAccount(2, "Grace Hopper", 1906))
    ada.goto("/accounts/1/")
    return ada


def send(page: Page, amount: str = "12.50", pin: str = "0042") -> None:
    page.get_by_label("To account").fill("2")
    page.locator("#transfer_amount").fill(amount)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("2, Grace Hopper")).to_be_visible()
    page.get_by_label("PIN").fill(pin)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/receipts/**")


@WITH_AND_WITHOUT
def test_money_is_sent_and_both_receipts_lead_to_each_other(sender: Page) -> None:
    send(sender)
    expect(sender.get_by_role("heading", name="Transfer to 2 Grace Hopper")).to_be_visible()
    expect(sender.get_by_text("Arrived on")).to_be_visible()
    sender.get_by_role("link", name="Receipt of account 2").click()
    expect(sender.get_by_role("heading", name="Transfer from 1")).to_be_visible()
    sender.get_by_role("link", name="Receipt of the sender").click()
    expect(sender.get_by_role("heading", name="Transfer to 2 Grace Hopper")).to_be_visible()
    assert queries.check_balance(2) == 1250


def test_a_wrong_pin_is_refused_and_the_transfer_can_be_tried_again(sender: Page) -> None:
    send(sender, pin="4242")
    expect(sender.get_by_role("heading", name="Refused: wrong PIN")).to_be_visible()
    sender.get_by_role("link", name="Try again with the right PIN").click()
    expect(sender.get_by_text("2, Grace Hopper")).to_be_visible()
    sender.get_by_label("PIN").fill("0042")
    sender.get_by_role("button", name="Send").click()
    expect(sender.get_by_text("Arrived on")).to_be_visible()


@WITH_AND_WITHOUT
def test_what_cannot_be_sent_is_said_before_a_pin_is_typed(sender: Page) -> None:
    sender.get_by_label("To account").fill("99")
    sender.locator("#transfer_amount").fill("5")
    sender.get_by_role("button", name="Continue").click()
    expect(sender.get_by_role("alert")).to_contain_text("There is no account 99.")
    expect(sender.locator("#transfer_amount")).to_have_value("5")
    assert sender.get_by_label("PIN").count() == 0


def test_every_step_is_accessible(sender: Page) -> None:
    receipt = handle(TransferMoneyBetweenBankAccounts(1, 2, 5, 42)).command_id
    for path in ("transfer/", "transfer/?to_account_id=2&amount=5", "transfer/?to_account_id=99&amount=x"):
        sender.goto(f"/accounts/1/{path}")
        assert_accessible(sender)
    sender.goto(f"/receipts/{receipt}/")
    assert_accessible(sender)


def test_the_receipt_follows_the_transfer_to_its_end_without_a_click(sender: Page, settings: Any) -> None:
    settings.PROJECTION_MODE, settings.PROJECTION_WAIT = "worker", 0
    send(sender)
    engine.catch_up()
    expect(sender.get_by_text("On its way")).to_be_visible()
    for each in process_managers.subscribers():
        subscriptions.follow(each)
    engine.catch_up()
    expect(sender.get_by_text("Arrived on")).to_be_visible()
    expect(sender.get_by_role("link", name="Receipt of account 2")).to_be_visible()
