"""A till's day in a real browser, with JavaScript and without it."""

import re

from playwright.sync_api import Page, expect

from projections import queries
from tests.support.browsers import WITH_AND_WITHOUT, assert_accessible


@WITH_AND_WITHOUT
def test_a_day_at_a_till_and_the_next(ada: Page, *, javascript: bool) -> None:
    """Open a till, take a deposit, pay out, use the vault, count wrongly, count it 5.00 short, and open it again."""
    ada.get_by_role("link", name="My till").click()
    ada.get_by_role("link", name="Open a till").click()
    expect(ada.get_by_label("Number of the till")).to_have_value("1")
    ada.get_by_label("Cash in the till").fill("500")
    ada.get_by_role("button", name="Open till").click()
    expect(ada.get_by_role("heading", name="My till: till 1")).to_be_visible()

    ada.goto("/accounts/1/deposit/")
    ada.get_by_label("Amount").fill("120.50")
    ada.get_by_role("button", name="Deposit").click()
    ada.wait_for_url("**/receipts/**")
    ada.goto("/accounts/1/withdraw/")
    ada.get_by_label("Amount").fill("20")
    ada.get_by_label("PIN").fill("0042")
    ada.get_by_role("button", name="Withdraw").click()
    ada.wait_for_url("**/receipts/**")

    ada.get_by_role("link", name="My till").click()
    expect(ada.locator("#figures")).to_contain_text("600.50")
    for verb, amount, expected in (("Bring from the vault", "80", "680.50"), ("Take to the vault", "30", "650.50")):
        ada.get_by_role("link", name=verb).click()
        ada.get_by_label("Amount").fill("lots")
        ada.get_by_role("button", name=verb).click()
        expect(ada.locator(".errors")).to_contain_text("is not understood")
        expect(ada.get_by_label("Amount")).to_have_value("lots")
        ada.get_by_label("Amount").fill(amount)
        ada.get_by_role("button", name=verb).click()
        expect(ada.locator("#figures")).to_contain_text(expected)
    check(ada, javascript)

    ada.get_by_role("link", name="Count and close").click()
    ada.get_by_label("100.00").fill("a few")
    ada.get_by_label("5.00", exact=True).fill("9")
    ada.get_by_role("button", name="Close till").click()
    expect(ada.locator("#close_pieces_10000_error")).to_contain_text("Enter how many pieces there are")
    expect(ada.get_by_label("100.00")).to_have_value("a few")
    expect(ada.get_by_label("5.00", exact=True)).to_have_value("9")
    expect(ada.get_by_label("100.00")).to_be_focused()
    check(ada, javascript)
    ada.get_by_label("100.00").fill("6")
    ada.get_by_label("0.50").fill("1")
    if not javascript:
        ada.get_by_role("button", name="Add up").click()
    expect(ada.locator("#sums")).to_contain_text("645.50")
    expect(ada.locator("#sums")).to_contain_text(re.compile(r"Short by\s*5.00"))
    check(ada, javascript)
    ada.get_by_role("button", name="Close till").click()
    expect(ada.get_by_role("heading", name="Till 1, closed")).to_be_visible()
    expect(ada.locator("#figures")).to_contain_text(re.compile(r"Short by \(USD\)\s*5.00"))
    shift = queries.find_shift(1, 1)
    assert shift
    assert (shift.expected, shift.counted, shift.difference) == (650_50, 645_50, -5_00)

    ada.goto("/tills/1/1/take/")
    ada.get_by_label("Amount").fill("5")
    ada.get_by_role("button", name="Take to the vault").click()
    expect(ada.locator(".errors")).to_contain_text("You do not have till 1 open any more")
    ada.get_by_role("link", name="My till").click()
    expect(ada.locator("main")).to_contain_text("Your last one was till 1")
    ada.get_by_role("link", name="Open a till").click()
    ada.get_by_label("Cash in the till").fill("645.50")
    ada.get_by_role("button", name="Open till").click()
    expect(ada.locator("#figures")).to_contain_text("645.50")
    ada.goto("/tills/1/1/")
    expect(ada.get_by_role("heading", name="Till 1, closed")).to_be_visible()
    check(ada, javascript)


def check(page: Page, javascript: bool) -> None:
    """Check a page with axe, which is a script."""
    if javascript:
        assert_accessible(page)
