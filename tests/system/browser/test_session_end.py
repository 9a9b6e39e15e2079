"""The end of a session: nothing that was typed is lost, PINs aside."""

from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from bank.access import sessions
from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from tests.support.helpers import make_user
from tests.system.browser.test_access import age_sessions, log_in


@pytest.fixture
def ada(page: Page) -> Page:
    """Ada's account page, with a deposit and a withdrawal typed."""
    handle(CreateBankAccount(1, "Ada", 42))
    handle(DepositMoneyIntoBankAccount(1, 100_00))
    page.goto("/accounts/1/")
    page.get_by_role("button", name="Pause updates").click()  # else an update may meet the end of the session first
    page.locator("#deposit_amount").fill("7")
    page.locator("#withdraw_pin").press_sequentially("0042")
    page.locator("#withdraw_amount").press_sequentially("12.50")
    expect(page.get_by_text("Balance after it: 87.50")).to_be_visible()
    return page


def draft_of(page: Page) -> str:
    return str(page.evaluate("sessionStorage.getItem('draft')"))


def test_a_task_comes_back_after_the_log_in_without_the_pin(ada: Page, complaints: list[str]) -> None:
    age_sessions(3600, sessions.SEEN)
    ada.get_by_role("button", name="Withdraw").click()
    ada.wait_for_url("**/login/**ended=idle")
    expect(ada.get_by_text("You were logged out")).to_be_visible()
    assert "0042" not in draft_of(ada)
    log_in(ada, "tina")
    expect(ada.locator("#withdraw_amount")).to_have_value("12.50")
    expect(ada.locator("#withdraw_pin")).to_have_value("")
    expect(ada.locator("#withdraw_pin")).to_be_focused()
    expect(ada.get_by_text("It has not been carried out.")).to_be_visible()
    ada.reload()
    expect(ada.locator("#withdraw_amount")).to_have_value("")
    complaints[:] = [each for each in complaints if "404" not in each]


def test_a_task_that_was_carried_out_says_so(ada: Page) -> None:
    """The answer was lost, and the session ended before the next try."""
    command_id = ada.locator("form.task:has(#withdraw_amount) [name=command_id]").input_value()
    handle(DepositMoneyIntoBankAccount(1, 1), command_id=UUID(command_id))
    age_sessions(3600, sessions.SEEN)
    ada.get_by_role("button", name="Withdraw").click()
    ada.wait_for_url("**/login/**ended=idle")
    log_in(ada, "tina")
    expect(ada.get_by_text("It had been carried out already")).to_be_visible()
    expect(ada.locator("#withdraw_amount")).to_have_value("12.50")


def test_another_user_does_not_get_the_draft(ada: Page) -> None:
    age_sessions(3600, sessions.SEEN)
    ada.evaluate("window.location.reload()")
    ada.wait_for_url("**/login/**ended=idle")
    make_user("tom", "Tellers")
    log_in(ada, "tom")
    expect(ada.get_by_role("heading", name="Ada")).to_be_visible()
    expect(ada.locator("#withdraw_amount")).to_have_value("")
    assert draft_of(ada) == "None"


def test_a_log_out_by_choice_forgets_the_draft(ada: Page) -> None:
    assert "12.50" in draft_of(ada)
    ada.get_by_role("button", name="Log out").click()
    ada.wait_for_url("**/login/")
    assert draft_of(ada) == "None"


def test_a_page_warns_before_its_session_ends_and_one_key_keeps_it(page: Page) -> None:
    page.clock.install()
    page.goto("/")
    used: list[str] = []
    page.on("request", lambda request: used.append(request.url))
    page.clock.fast_forward("12:50")
    dialog = page.get_by_role("dialog", name="You are about to be logged out")
    expect(dialog).to_be_hidden()
    page.clock.fast_forward("00:15")
    expect(dialog).to_be_visible()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert any(url.endswith("/find/") for url in used)
    page.clock.fast_forward("12:50")
    expect(dialog).to_be_hidden()


def test_the_end_of_a_shift_is_announced_once(page: Page, settings: Any) -> None:
    settings.BANK_SHIFT_HOURS, settings.BANK_IDLE_MINUTES = 1, 100
    page.clock.install()
    page.goto("/")
    dialog = page.get_by_role("dialog", name="Your shift ends in a few minutes")
    page.clock.fast_forward("55:50")
    expect(dialog).to_be_hidden()
    page.clock.fast_forward("00:15")
    expect(dialog).to_be_visible()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    age_sessions(59 * 60, sessions.STARTED)
    page.goto("/accounts/")
    page.clock.fast_forward("00:01")
    expect(dialog).to_be_hidden()


def test_typing_counts_as_use(ada: Page) -> None:
    ada.clock.install()
    ada.goto("/accounts/1/")
    ada.clock.fast_forward("01:30")
    with ada.expect_request("**/find/"):
        ada.locator("#withdraw_amount").press_sequentially("1")
