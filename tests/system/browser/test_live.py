"""Others' work shows up on an open page, without moving focus, scroll or what is typed."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, Locator, Page, Route, expect

from bank.access import sessions
from bank.application.dispatch import handle
from bank.domain.commands import DepositMoneyIntoBankAccount
from projections import queries
from tests.system.browser.conftest import be
from tests.system.browser.test_access import age_sessions


def top_of(element: Locator) -> float:
    return float(element.evaluate("element => element.getBoundingClientRect().top"))


def test_two_tellers_at_one_account_see_each_others_work(ada: Page, chromium: Browser, live_server: Any) -> None:
    other = chromium.new_context(base_url=live_server.url)
    be(other, live_server, "tom", "Tellers")
    tom = other.new_page()
    tom.goto("/accounts/1/")

    ada.set_viewport_size({"width": 800, "height": 400})
    ada.locator("#withdraw_amount").fill("12.50")
    ada.locator("#withdraw_pin").fill("0042")
    receipt = ada.get_by_role("link", name="2", exact=True)
    receipt.focus()
    top = top_of(receipt)
    tom.locator("#deposit_amount").fill("7")
    tom.get_by_role("button", name="Deposit").click()
    tom.wait_for_url("**/receipts/**")
    tom.goto("/accounts/1/")

    expect(ada.locator("#statement tbody tr:not(.day)")).to_have_count(3)
    expect(ada.locator("#figures [data-said]")).to_contain_text("107.00")
    expect(ada.get_by_role("status").filter(has_text="have changed")).to_contain_text("107.00")
    expect(receipt).to_be_focused()
    assert top_of(receipt) == pytest.approx(top, abs=1)
    expect(ada.locator("#withdraw_amount")).to_have_value("12.50")
    expect(ada.locator("#withdraw_pin")).to_have_value("0042")

    ada.locator("#withdraw_pin").press("Enter")
    ada.wait_for_url("**/receipts/**")
    expect(tom.locator("#figures [data-said]")).to_contain_text("94.50")
    other.close()


def test_an_open_page_says_when_its_figures_may_be_old_pauses_and_leaves_with_its_session(
    ada: Page, complaints: list[str]
) -> None:
    balance, away = ada.locator("#figures [data-said]"), ada.locator("[data-away]")
    ada.context.set_offline(True)
    handle(DepositMoneyIntoBankAccount(1, 700))
    expect(away).to_contain_text("may be old")
    expect(balance).to_contain_text("100.00")
    ada.context.set_offline(False)
    expect(balance).to_contain_text("107.00")
    expect(away).to_be_hidden()

    pause = ada.get_by_role("button", name="Pause updates")
    pause.press("Enter")
    expect(pause).to_have_attribute("aria-pressed", "true")
    handle(DepositMoneyIntoBankAccount(1, 700))
    ada.wait_for_timeout(2500)  # longer than a page waits
    expect(balance).to_contain_text("107.00")
    pause.press("Enter")
    expect(balance).to_contain_text("114.00")

    age_sessions(5 * 60, sessions.SEEN)
    used = Session.objects.get().session_data
    handle(DepositMoneyIntoBankAccount(1, 700))
    expect(balance).to_contain_text("121.00")
    assert Session.objects.get().session_data == used, "a page that asks does not use the session"
    Session.objects.all().delete()  # as a log-out elsewhere
    ada.wait_for_url("**/login/?next=/accounts/1/")
    offline = ("ERR_INTERNET_DISCONNECTED", "htmx:sendError")  # the chart may load at that moment
    complaints[:] = [text for text in complaints if not any(part in text for part in offline)]


def test_a_task_that_takes_long_says_so_and_without_an_answer_can_be_sent_again(
    ada: Page, complaints: list[str]
) -> None:
    held: list[Route] = []
    ada.route("**/accounts/1/deposit/", lambda route: held.append(route))
    ada.locator("#deposit_amount").fill("7")
    form = ada.locator("form.task", has=ada.locator("#deposit_amount"))
    button, under_way = form.get_by_role("button"), form.get_by_text("This is being carried out")
    button.click()
    expect(under_way).to_be_visible()
    expect(button).to_be_disabled()
    ada.locator("#deposit_amount").press("Enter")
    expect(button).to_be_disabled()
    [route] = held
    route.fetch()  # the bank carries it out, and its answer is lost
    route.abort("timedout")
    expect(ada.get_by_role("alert")).to_contain_text(
        "It may or may not have been carried out. Sending it again is safe"
    )
    expect(under_way).to_be_hidden()
    ada.locator("#withdraw_amount").fill("1")
    expect(ada.get_by_text("Balance after it")).to_be_visible()
    expect(ada.get_by_role("alert")).to_be_visible()  # this answer says nothing about the deposit
    ada.unroute("**/accounts/1/deposit/")
    button.click()
    ada.wait_for_url("**/receipts/**")
    assert queries.check_balance(1) == 10_700
    complaints[:] = [text for text in complaints if "ERR_" not in text and "htmx:timeout" not in text]
