"""The weight of pages in a browser: bytes, round trips before the first paint, and whether what is shown moves."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.support.databases import MAKERS, Urls
from tests.support.programs import PASSWORD, Web
from tests.support.teller import logged_in

COLD, WARM = 60_000, 12_000
"""The largest number of bytes of a page, of the first one that a browser loads and of a later one."""
PAGES = ["/", "/accounts/1/", "/accounts/1/deposit/"]
WATCH = """
    window.moved = 0;
    new PerformanceObserver((list) => { for (const each of list.getEntries()) window.moved += each.value; })
        .observe({ type: "layout-shift", buffered: true });
"""
BLOCKING = """
    () => performance.getEntriesByType("resource")
        .filter((each) => each.renderBlockingStatus === "blocking" && each.transferSize).map((each) => each.name)
"""
"""The files that a page fetches from the server before it is painted. They cost a second round trip."""
SLOW = 20
"""The factor by which Chromium slows its processor. A slow browser may paint a page before it has parsed all of it."""


def test_pages_are_light_and_nothing_on_them_moves(
    chromium: Browser, templates: dict[str, Urls], tmp_path: Path
) -> None:
    MAKERS["sqlite"].copy(templates["sqlite"], tmp_path)
    with Web(tmp_path, BANK_TELLER_PASSWORD=PASSWORD) as web:
        teller = logged_in(web, "teller", PASSWORD)
        teller.open_account(1, "Björk Guðmundsdóttir")
        for amount in range(1, 13):
            teller.fill_in("/accounts/1/deposit/", amount=amount)
        url = f"http://127.0.0.1:{web.port}"
        cookies: Any = [{"name": name, "value": value, "url": url} for name, value in teller.cookies.items()]
        weights = {}
        for path in PAGES:
            with chromium.new_context(base_url=url) as context:
                context.add_cookies(cookies)
                page = context.new_page()
                page.add_init_script(WATCH)
                sizes: list[int] = []
                network = context.new_cdp_session(page)
                network.send("Network.enable")
                network.send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
                network.on(
                    "Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"])
                )
                cold, warm = (_load(page, path, sizes) for _ in range(2))
                weights[path] = cold, warm
                assert [each["httpOnly"] for each in context.cookies() if each["name"] == "styles"] == [True]
    assert all(0 < warm <= WARM < cold <= COLD for cold, warm in weights.values()), weights


def _load(page: Page, path: str, sizes: list[int]) -> int:
    """Load a page, which must need one round trip and not move. Return the number of bytes."""
    sizes.clear()
    page.goto(path, wait_until="networkidle")
    assert page.evaluate(BLOCKING) == [], path
    assert page.evaluate("window.moved") == 0, path
    return int(sum(sizes))
