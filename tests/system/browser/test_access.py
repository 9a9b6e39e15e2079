"""Log-in and sessions in a real browser: with JavaScript and without, accessible in light and dark mode."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import BrowserContext, Page, expect

from bank.access import sessions
from bank.access.models import UsedCode
from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount
from tests.support.browsers import WITH_AND_WITHOUT, assert_accessible
from tests.support.helpers import PASSWORD, make_user
from tests.support.phones import scanned

# The browser reports each 4xx answer, and each autofocus that typing prevented.
NO_FAULT = re.compile(r"status of (403|422|429)|Autofocus processing was blocked")


@pytest.fixture
def stranger(context: BrowserContext, bank: object) -> Any:
    """The page of a visitor who is not logged in. The console must stay empty."""
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert [text for text in complaints if not NO_FAULT.search(text)] == []


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def age_sessions(seconds: int, *names: str) -> None:
    """Age all sessions by these seconds."""
    for row in Session.objects.all():
        session = SessionStore(row.session_key)
        for name in names:
            session[name] -= seconds
        session.save()


def code_of(device: TOTPDevice) -> str:
    return f"{TOTP(device.bin_key).token():06}"


def test_a_second_factor_is_set_up_and_needed_at_the_next_log_in(stranger: Page, settings: Any) -> None:
    settings.BANK_TOTP_ROLES = ["Supervisors"]
    make_user("susan", "Supervisors")
    stranger.goto("/days/")
    log_in(stranger, "susan")
    expect(stranger.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    expect(stranger.locator("figure svg")).to_be_visible()
    stranger.get_by_text("Type it in instead").click()
    device = scanned(stranger.content())
    stranger.get_by_label("Code").fill(code_of(device))
    stranger.get_by_role("button", name="Set it up").click()
    stranger.wait_for_url("**/days/")

    stranger.get_by_role("button", name="Log out").click()
    log_in(stranger, "susan")
    TOTPDevice.objects.update(last_t=-1)  # simulates a time step of 30 seconds
    UsedCode.objects.all().delete()
    expect(stranger.get_by_role("heading", name="Your code")).to_be_visible()
    stranger.get_by_label("Code").fill(code_of(device))
    stranger.get_by_role("button", name="Log in").click()
    expect(stranger.get_by_role("heading", name="Desk")).to_be_visible()


@WITH_AND_WITHOUT
def test_after_a_log_out_back_shows_nothing(page: Page) -> None:
    handle(CreateBankAccount(1, "Ada Lovelace", 42))
    page.goto("/accounts/1/")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert "Lovelace" not in page.content()  # a form token may contain "Ada" by chance


def test_an_idle_session_moves_the_whole_page_to_the_log_in_and_back(
    page: Page, javascript: bool, complaints: list[str]
) -> None:
    handle(CreateBankAccount(1, "Ada Lovelace", 42))
    page.goto("/accounts/1/")
    page.locator("#deposit_amount").fill("5")
    if javascript:
        expect(page.get_by_text("Balance after it")).to_be_visible()
    age_sessions(3600, sessions.SEEN)
    page.get_by_role("button", name="Deposit").click()
    expect(page.get_by_text("nothing was done for a while")).to_be_visible()
    expect(page.locator("h1")).to_have_count(1)
    log_in(page, "tina")
    expect(page.get_by_role("heading", name="Deposit into account 1")).to_be_visible()
    if javascript:
        expect(page.get_by_text("It has not been carried out.")).to_be_visible()
        complaints[:] = [each for each in complaints if "404" not in each]  # there is no receipt


def test_a_page_that_keeps_asking_does_not_keep_the_session(page: Page, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    page.goto("/accounts/open/")
    page.get_by_label("Account holder").fill("Ada Lovelace")
    page.get_by_label("PIN").fill("0042")
    page.get_by_role("button", name="Open account").click()
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    age_sessions(14 * 60, sessions.SEEN)
    with page.expect_response(lambda response: response.request.headers.get("bank-poll") == "true"):
        pass
    before = SessionStore(Session.objects.get().session_key)[sessions.SEEN]
    with page.expect_response(lambda response: response.request.headers.get("bank-poll") == "true"):
        pass
    assert SessionStore(Session.objects.get().session_key)[sessions.SEEN] == before
    age_sessions(60, sessions.SEEN)
    expect(page.get_by_text("nothing was done for a while")).to_be_visible()


def test_a_page_that_is_left_alone_does_not_stay_to_be_read(page: Page, settings: Any) -> None:
    handle(CreateBankAccount(1, "Ada Lovelace", 42))
    settings.BANK_IDLE_MINUTES = 0.1
    page.goto("/accounts/1/")
    expect(page.get_by_text("nothing was done for a while")).to_be_visible(timeout=60_000)
    assert "Lovelace" not in page.content()


@WITH_AND_WITHOUT
def test_a_sensitive_task_needs_the_password_again_and_then_continues(page: Page) -> None:
    age_sessions(3600, sessions.PASSWORD)
    page.get_by_role("link", name="tina").click()
    page.get_by_role("link", name="Set up a second factor").click()
    expect(page.get_by_role("heading", name="Your password again")).to_be_visible()
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".errors")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()


def test_a_password_is_changed(page: Page) -> None:
    page.goto("/own/password/")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("a much longer password")
    page.get_by_label("New password again").fill("a much longer password")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("heading", name="Your log-in")).to_be_visible()
    assert User.objects.get().check_password("a much longer password")


def throttled(page: Page) -> None:
    """Open the page with the waiting time."""
    page.goto("/login/")
    for _ in range(20):
        log_in(page, "nobody", "wrong")
        page.locator("h1").wait_for()
        if page.get_by_role("heading", name="Too many tries").count():
            return
    raise AssertionError("nobody was throttled")


def test_a_refusal_of_too_many_tries_shows_the_waiting_time(stranger: Page) -> None:
    throttled(stranger)
    expect(stranger.get_by_text(re.compile(r"Try again in \d+ seconds?\."))).to_be_visible()
    stranger.get_by_role("link", name="Try again").click()
    expect(stranger.get_by_role("heading", name="Log in")).to_be_visible()


def test_the_screens_of_getting_in_are_accessible(stranger: Page, settings: Any) -> None:
    settings.BANK_TOTP_ROLES = ["Supervisors"]
    make_user("susan", "Supervisors")
    make_user("tina", "Tellers")
    for reason in ("", "?ended=idle", "?ended=shift"):
        stranger.goto(f"/login/{reason}")
        assert_accessible(stranger)
    log_in(stranger, "susan", "wrong")
    assert_accessible(stranger)
    log_in(stranger, "susan")
    stranger.get_by_text("Type it in instead").click()
    assert_accessible(stranger)
    stranger.get_by_label("Code").fill("12345")
    stranger.get_by_role("button", name="Set it up").click()
    assert_accessible(stranger)
    TOTPDevice.objects.create(user=User.objects.get(username="susan"), name="Phone")
    stranger.goto("/login/")
    log_in(stranger, "susan")
    expect(stranger.get_by_role("heading", name="Your code")).to_be_visible()
    assert_accessible(stranger)
    stranger.goto("/login/")
    log_in(stranger, "tina")
    stranger.get_by_role("heading", name="Desk").wait_for()
    for url in ("/own/", "/own/password/", "/own/second-factor/", "/confirm/"):
        stranger.goto(url)
        assert_accessible(stranger)
    stranger.context.clear_cookies()
    throttled(stranger)
    assert_accessible(stranger)
