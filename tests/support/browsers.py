"""Helpers of browser tests: the mark for JavaScript on and off, and the axe check."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WITH_AND_WITHOUT = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
"""The mark of a test that runs with JavaScript and without."""


def assert_accessible(page: Page) -> None:
    """Check a page with axe. In the dark scheme only its colours differ."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.getAnimations().forEach(each => each.finish())")
    in_the_dark = page.evaluate("axe.run({runOnly: ['color-contrast']})")
    page.emulate_media(color_scheme=None)
    assert in_the_dark["violations"] == [], f"{page.url}: {in_the_dark['violations']}"
