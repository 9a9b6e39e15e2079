"""A printed statement, a printed receipt and a downloaded statement, in a browser."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.long_statement import add_lines


def pages_of(page: Page) -> int:
    """Print a page, and return the number of sheets. They have no links."""
    printed = page.pdf(prefer_css_page_size=True)
    assert b"/URI" not in printed
    assert b"/Link" not in printed
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def test_a_statement_is_printed_on_sheets_with_its_head_on_each_and_no_form(ada: Page) -> None:
    add_lines(1, 100, first=3)
    ada.get_by_role("link", name="Print").click()
    expect(ada.get_by_role("heading", name="Account statement")).to_be_visible()
    expect(ada.get_by_role("button", name="Print")).to_be_visible()
    ada.emulate_media(media="print", color_scheme="dark")
    for name in ("Print", "Log out"):
        expect(ada.get_by_role("button", name=name)).to_be_hidden()
    expect(ada.get_by_role("link")).to_have_count(0)
    assert ada.locator("thead").evaluate("head => getComputedStyle(head).display") == "table-header-group"
    expect(ada.locator("thead tr").first).to_be_visible()
    assert ada.locator("h1").evaluate("each => getComputedStyle(each).color") == "rgb(0, 0, 0)"
    assert 3 <= pages_of(ada) <= 6


def test_a_receipt_is_printed_on_one_sheet_with_the_banks_name(ada: Page) -> None:
    ada.locator("#deposit_amount").fill("5")
    ada.get_by_role("button", name="Deposit").click()
    ada.wait_for_url("**/receipts/**")
    expect(ada.locator(".receipt .letterhead")).to_be_hidden()
    ada.emulate_media(media="print")
    expect(ada.locator(".receipt .letterhead")).to_be_visible()
    expect(ada.get_by_text("For the bank")).to_be_visible()
    expect(ada.get_by_role("link")).to_have_count(0)
    assert pages_of(ada) == 1


def test_a_button_prints_the_page(ada: Page) -> None:
    ada.goto("/accounts/1/statement/")
    ada.evaluate("window.print = () => document.body.setAttribute('data-printed', '')")
    ada.get_by_role("button", name="Print").click()
    expect(ada.locator("body[data-printed]")).to_have_count(1)


def test_a_statement_is_downloaded(ada: Page, tmp_path: Path) -> None:
    add_lines(1, 2500, first=3)
    with ada.expect_download() as download:
        ada.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == "statement-1.csv"
    download.value.save_as(tmp_path / "statement.csv")
    assert len((tmp_path / "statement.csv").read_text("utf-8-sig").splitlines()) == 2503
