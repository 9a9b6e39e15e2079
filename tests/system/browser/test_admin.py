"""The admin in a real browser: nothing violates the content security policy, axe finds nothing, all fits a phone."""

from playwright.sync_api import Page, expect

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from tests.support.browsers import assert_accessible
from tests.support.helpers import PASSWORD, make_user

PAGES = [
    "",
    "eventstore/event/?q=bank_account-1",
    "eventstore/event/2/change/",
    "eventstore/commandrecord/",
    "projections/accountsummary/1/change/",
    "projections/checkpoint/",
    "auth/user/",
    "auth/user/add/",
]


def test_an_event_is_inspected_and_no_page_has_a_fault(page: Page) -> None:
    handle(CreateBankAccount(1, "W" * 100, 42))
    handle(DepositMoneyIntoBankAccount(1, 10**12))
    root = make_user("root", is_staff=True, is_superuser=True)
    page.context.clear_cookies()
    page.goto("/login/?next=/admin/eventstore/event/")
    page.get_by_label("User name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.get_by_role("link", name="2", exact=True).first.click()
    expect(page.get_by_text("money_deposited_into_bank_account").first).to_be_visible()
    expect(page.get_by_role("cell", name="10,000,000,000.00 changed")).to_be_visible()
    page.keyboard.press("j")
    page.wait_for_url("**/event/1/change/")
    page.keyboard.press("k")
    page.wait_for_url("**/event/2/change/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Previous of this stream")
    page.keyboard.press("Escape")
    page.goto("/admin/eventstore/event/")
    page.keyboard.press("k")
    expect(page.locator("#result_list tbody a").first).to_be_focused()
    pages = [*PAGES, f"auth/user/{root.pk}/change/"]
    page.set_viewport_size({"width": 320, "height": 900})
    for path in pages:
        page.goto(f"/admin/{path}")
        assert_accessible(page)
        wide = "[document.documentElement, ...document.querySelectorAll('.results, .module')]"
        too_wide = page.evaluate(f"{wide}.filter(each => each.scrollWidth > each.clientWidth + 1).length")
        assert too_wide == 0, path
