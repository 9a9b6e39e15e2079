"""The inspector in a real browser: nothing in it violates the content security policy."""

import pytest
from playwright.sync_api import Page, expect

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from tests.support.helpers import PASSWORD, make_user


@pytest.mark.parametrize("javascript", [True], indirect=True)
def test_an_event_is_inspected_without_a_complaint(page: Page) -> None:
    handle(CreateBankAccount(1, "Ada Lovelace", 42))
    handle(DepositMoneyIntoBankAccount(1, 10_000))
    make_user("root", is_staff=True, is_superuser=True)
    page.context.clear_cookies()
    page.goto("/login/?next=/admin/eventstore/event/")
    page.get_by_label("User name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.get_by_role("link", name="2", exact=True).first.click()
    expect(page.get_by_text("money_deposited_into_bank_account").first).to_be_visible()
    for url in ("/admin/", "/admin/eventstore/commandrecord/", "/admin/projections/checkpoint/"):
        page.goto(url)
