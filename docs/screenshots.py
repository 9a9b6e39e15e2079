"""Make the pictures of the docs: `uv run python -m docs.screenshots`, with Chromium on the machine.

It starts a demonstration bank of its own in a temporary folder and takes the pictures in a headless browser.
"""

import base64
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PASSWORD = "only for pictures"


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("There is no Chromium on this machine.")
        return 1
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BANK_DATA_DIR": folder}
        environment |= {f"BANK_{user}_PASSWORD": PASSWORD for user in ("TELLER", "SUPERVISOR", "AUDITOR", "ADMIN")}
        command = [sys.executable, "manage.py", "start", "--demo", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz")
            take_pictures(chromium, f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
            server.wait()
    return 0


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(url)


DESK, ACCOUNT, TILL = "/", "/accounts/11/", "/tills/1/1/"
PICTURES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("desk", "teller", DESK, {}),
    ("account", "teller", ACCOUNT, {}),
    ("receipt", "teller", "/receipts/?reference=430", {"viewport": {"width": 1240, "height": 520}}),
    ("bank-dark", "supervisor", "/bank/", {"color_scheme": "dark"}),
    ("till-german", "supervisor", TILL, {"locale": "de-DE", "viewport": {"width": 1240, "height": 520}}),
    ("account-phone", "teller", ACCOUNT, {"viewport": {"width": 390, "height": 820}}),
    ("events", "auditor", "/admin/eventstore/event/?q=bank_account-11", {}),
]
"""Each picture: its name, the user, the page, and what differs from a window of 1240 by 820 pixels in English."""
WINDOW: dict[str, Any] = {"viewport": {"width": 1240, "height": 820}, "color_scheme": "light", "locale": "en-US"}


def take_pictures(chromium: str, address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, user, path, differs in PICTURES:
            page = browser.new_page(base_url=address, **{**WINDOW, **differs})
            log_in(page, user)
            page.goto(path, wait_until="networkidle")
            IMAGES.joinpath(f"{name}.webp").write_bytes(picture_of(page))
            page.close()
        browser.close()


def picture_of(page: Page) -> bytes:
    """Return a picture of the window as WebP, which takes a third of PNG. Playwright itself cannot write it."""
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": 70})
    return base64.b64decode(taken["data"])


def log_in(page: Page, name: str) -> None:
    page.goto("/login/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)


if __name__ == "__main__":
    sys.exit(main())
