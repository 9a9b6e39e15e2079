"""A real browser: the system's Chromium, headless."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from tests.support.helpers import client_of

PATIENCE = 30_000
"""The milliseconds that an element may take to appear on a slow machine."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs Chromium for the browser tests")
        pytest.skip("there is no Chromium on this machine")
    # Playwright's event loop runs in this thread, and Django would refuse synchronous queries beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def javascript() -> bool:
    return True


@pytest.fixture
def context(chromium: Browser, bank: Path, live_server: Any, javascript: bool) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=javascript)
    yield context
    context.close()


def be(context: BrowserContext, live_server: Any, name: str, group: str) -> None:
    """Log the browser in as a new user of a group."""
    cookie = settings.SESSION_COOKIE_NAME
    session = client_of(name, group).cookies[cookie].value
    context.add_cookies([{"name": cookie, "value": session, "url": live_server.url}])


@pytest.fixture
def complaints() -> list[str]:
    """The errors of the browser's console, violations of the content security policy among them."""
    return []


@pytest.fixture
def page(context: BrowserContext, live_server: Any, complaints: list[str]) -> Iterator[Page]:
    """A logged-in teller's page at the desk. `test_access.py` tests the log-in itself."""
    be(context, live_server, "tina", "Tellers")
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/")
    yield page
    # These messages are no faults. The browser reports each 4xx answer, and that htmx takes the focus after Enter
    # in a field. htmx reports twice that it aborts a search because somebody types on.
    expected = ("status of 422", "Autofocus processing was blocked", "htmx:sendAbort", "htmx:afterRequest")
    assert [text for text in complaints if not any(part in text for part in expected)] == []


@pytest.fixture
def ada(page: Page) -> Page:
    """A teller's page of account 1, Ada's, with a balance of 100.00."""
    handle(CreateBankAccount(1, "Ada Lovelace", 42))
    handle(DepositMoneyIntoBankAccount(1, 10_000))
    page.goto("/accounts/1/")
    return page
