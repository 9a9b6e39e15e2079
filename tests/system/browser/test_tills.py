"""A till's day in a real browser. `tests/screens/test_tills.py` adds the count up on the server alone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from projections import queries


@pytest.mark.parametrize("javascript", [True], indirect=True)
def test_a_day_at_a_till(ada: Page) -> None:
    """Open a till, take a deposit, pay out, fill it from the vault, count it 5.00 short, and close it."""
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
    ada.get_by_role("link", name="Bring from the vault").click()
    ada.get_by_label("Amount").fill("50")
    ada.get_by_role("button", name="Bring from the vault").click()
    expect(ada.locator("#figures")).to_contain_text("650.50")
    assert not Axe().run(ada).response["violations"]

    ada.get_by_role("link", name="Count and close").click()
    ada.get_by_label("100.00").fill("6")
    ada.get_by_label("5.00", exact=True).fill("9")
    expect(ada.locator("#sums")).to_contain_text("645.00")
    ada.get_by_label("0.50").fill("1")
    expect(ada.locator("#sums")).to_contain_text(re.compile(r"Short by\s*5.00"))
    for url in (ada.url, "/tills/1/1/", "/tills/1/1/take/"):
        other = ada.context.new_page()
        other.goto(url)
        results = Axe().run(other)
        assert results.violations_count == 0, f"{url}: {results.generate_report()}"
        other.close()
    assert not Axe().run(ada).response["violations"]
    ada.get_by_role("button", name="Close till").click()
    expect(ada.get_by_role("heading", name="Till 1, closed")).to_be_visible()
    expect(ada.locator("#figures")).to_contain_text(re.compile(r"Short by \(USD\)\s*5.00"))
    shift = queries.find_shift(1, 1)
    assert shift
    assert (shift.expected, shift.counted, shift.difference) == (650_50, 645_50, -5_00)


def test_a_count_that_cannot_be_read_is_shown_at_its_field(ada: Page) -> None:
    ada.goto("/tills/open/")
    ada.get_by_label("Cash in the till").fill("0")
    ada.get_by_role("button", name="Open till").click()
    ada.get_by_role("link", name="Count and close").click()
    ada.get_by_label("20.00").fill("a few")
    ada.get_by_role("button", name="Close till").click()
    expect(ada.locator(".errors")).to_be_focused()
    expect(ada.get_by_label("20.00")).to_have_value("a few")
    expect(ada.locator("#close_pieces_2000_error")).to_contain_text("Enter how many pieces there are")
