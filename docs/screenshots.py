"""Makes the README's pictures: `uv run python -m docs.screenshots`, with Chromium on the machine.

It starts a demonstration bank of its own in a temporary folder and takes the pictures in a headless browser.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

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
        environment |= {"BANK_TELLER_PASSWORD": PASSWORD, "BANK_ADMIN_PASSWORD": PASSWORD}
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


def take_pictures(chromium: str, address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(base_url=address, viewport={"width": 1240, "height": 820}, color_scheme="light")
        log_in(page, "teller")
        page.screenshot(path=IMAGES / "desk.png")
        page.goto("/accounts/5/")
        page.screenshot(path=IMAGES / "account.png")
        page.context.clear_cookies()
        log_in(page, "admin")
        page.goto("/admin/eventstore/event/")
        page.screenshot(path=IMAGES / "events.png")
        browser.close()


def log_in(page: Page, name: str) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Desk").wait_for()


if __name__ == "__main__":
    sys.exit(main())
