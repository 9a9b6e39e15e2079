"""A teller's work without a mouse, with the keys counted."""

import pytest
from playwright.sync_api import Page, expect

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount


class Keyboard:
    """The keyboard of a page. It counts what is pressed."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def types(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.count += len(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.count += 1


@pytest.fixture
def keys(page: Page) -> Keyboard:
    """The keyboard of a teller at the desk of a bank with two customers."""
    handle(CreateBankAccount(7, "Grace Hopper", 42))
    handle(CreateBankAccount(11, "Ada Lovelace", 42))
    page.goto("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    return Keyboard(page)


def is_at_receipt(page: Page) -> None:
    page.wait_for_url("**/receipts/**")
    expect(page.get_by_text("50.00 USD").first).to_be_visible()


def test_a_deposit_for_a_customer_found_by_name_takes_at_most_14_keys(page: Page, keys: Keyboard) -> None:
    keys.types("hop")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Grace Hopper")
    keys.press("Enter")
    page.wait_for_url("**/accounts/7/")
    keys.press("d")
    expect(page.locator("#deposit_amount")).to_be_focused()
    keys.types("50.00")
    keys.press("Enter")
    is_at_receipt(page)
    assert keys.count <= 14


def test_a_deposit_by_number_takes_at_most_10_keys_and_the_next_customer_one(page: Page, keys: Keyboard) -> None:
    keys.types("7 d")
    keys.press("Enter")
    page.wait_for_url("**/accounts/7/deposit/")
    expect(page.locator("#deposit_amount")).to_be_focused()
    keys.types("50.00")
    keys.press("Enter")
    is_at_receipt(page)
    assert keys.count <= 10
    expect(page.get_by_role("link", name="Next customer")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("combobox")).to_be_focused()
    keys.press("Escape")
    keys.press("k")
    expect(page.get_by_role("row", name="Deposit").locator(".c-receipt a")).to_be_focused()
    keys.press("Enter")
    is_at_receipt(page)
    keys.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()


def test_after_an_error_typing_replaces_the_amount_and_after_a_refusal_enter_tries_again(
    page: Page, keys: Keyboard
) -> None:
    keys.types("7")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Grace Hopper")
    keys.types(" w")
    keys.press("Enter")
    expect(page.locator("#withdraw_amount")).to_be_focused()
    keys.types("1.2.3")
    keys.press("Enter")
    expect(page.locator("#withdraw_amount_error")).to_be_visible()
    expect(page.locator("#withdraw_amount")).to_be_focused()
    keys.types("5")
    keys.press("Tab")
    keys.types("1111")
    keys.press("Enter")
    expect(page.get_by_role("link", name="Try again with the right PIN")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#withdraw_amount")).to_have_value("5.00")
    expect(page.locator("#withdraw_pin")).to_be_focused()
    page.locator("#withdraw_amount").fill("6")
    keys.press("Escape")  # would lose what is typed, so it only leaves the field
    expect(page.locator("#withdraw_amount")).not_to_be_focused()
    keys.press("Escape")
    page.wait_for_url("**/accounts/7/")


def test_enter_before_the_hits_have_come_opens_what_was_typed(page: Page, keys: Keyboard) -> None:
    keys.types("7")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Grace Hopper")
    page.route("**/find/*", lambda route: None if route.request.headers.get("hx-request") else route.continue_())
    page.get_by_role("combobox").fill("11")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()


def test_arrow_keys_choose_and_escape_empties_the_box(page: Page, keys: Keyboard) -> None:
    keys.types("a")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(page.get_by_role("status").filter(has_text="2 found.")).to_be_visible()
    keys.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Ada Lovelace")
    keys.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Grace Hopper")
    keys.press("ArrowUp")
    keys.press("Escape")
    expect(options).to_have_count(0)
    expect(page.get_by_role("combobox")).to_have_value("")


def test_keys_are_listed_do_nothing_in_a_field_and_can_be_turned_off(page: Page, keys: Keyboard) -> None:
    page.goto("/accounts/7/")
    keys.press("?")
    dialog = page.get_by_role("dialog")
    for words in ("Deposit", "Withdraw", "Transfer"):
        expect(dialog.get_by_text(words, exact=True)).to_be_visible()
    dialog.get_by_label("Use single keys in this browser").uncheck()
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    keys.press("d")
    expect(page.locator("#deposit_amount")).not_to_be_focused()
    keys.press("?")
    dialog.get_by_label("Use single keys in this browser").check()
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    keys.press("d")
    expect(page.locator("#deposit_amount")).to_be_focused()
    keys.types("w")
    expect(page.locator("#deposit_amount")).to_have_value("w")


def test_an_amount_is_echoed_as_money_and_the_pin_is_not_sent_with_it(page: Page, keys: Keyboard) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/echo/" in request.url else None)
    page.goto("/accounts/7/")
    page.locator("#withdraw_pin").fill("0042")
    keys.press("Escape")
    page.locator("#withdraw_amount").fill("1250.5")
    expect(page.get_by_text("More than the balance of 0.00")).to_be_visible()
    page.locator("#deposit_amount").fill("1250.5")
    expect(page.get_by_text("Balance after it: 1,250.50")).to_be_visible()
    expect(page.locator("#deposit_amount")).to_have_value("1250.5")
    assert len(asked) == 2
    assert not [url for url in asked if "0042" in url]


def test_a_large_amount_is_confirmed_with_ctrl_enter_and_never_with_enter_alone(page: Page, keys: Keyboard) -> None:
    keys.types("7 d")
    keys.press("Enter")
    expect(page.locator("#deposit_amount")).to_be_focused()
    keys.types("12000")
    expect(page.get_by_text("You check it on the next page.")).to_be_visible()
    keys.press("Enter")
    expect(page.locator(".check .notice")).to_be_focused()
    keys.press("Enter")
    keys.press("Escape")
    expect(page.locator("#deposit_amount")).to_have_value("12,000.00")
    keys.press("Enter")
    expect(page.locator(".check .notice")).to_be_focused()
    keys.press("Control+Enter")
    page.wait_for_url("**/receipts/**")
    page.goto("/accounts/7/withdraw/?amount=1100000")
    keys.types("0042")
    keys.press("Escape")
    expect(page.locator("#withdraw_amount")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#withdraw_pin")).to_be_focused()
    keys.types("0042")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Pay out 11,000.00")).to_be_focused()
    keys.press("Enter")
    page.wait_for_url("**/receipts/**")
    expect(page.get_by_text("1,000.00 USD").first).to_be_visible()
