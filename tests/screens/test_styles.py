"""The style sheets: tokens.css names the colours, and the others use its tokens."""

import re
from pathlib import Path

import pytest

SHEETS = Path(__file__).resolve().parent.parent.parent / "static" / "bank"
TOKENS = (SHEETS / "tokens.css").read_text()
OTHERS = sorted(path for path in SHEETS.glob("*.css") if path.name != "tokens.css")
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(", re.IGNORECASE)


@pytest.mark.parametrize("sheet", OTHERS, ids=lambda sheet: sheet.name)
def test_a_style_sheet_names_no_colour_of_its_own(sheet: Path) -> None:
    assert COLOUR.findall(sheet.read_text()) == []


@pytest.mark.parametrize("sheet", OTHERS, ids=lambda sheet: sheet.name)
def test_each_token_that_is_used_is_defined(sheet: Path) -> None:
    used = set(re.findall(r"var\((--[a-z0-9-]+)", sheet.read_text()))
    assert used - set(re.findall(r"^\s*(--[a-z0-9-]+):", TOKENS, re.MULTILINE)) == set()


def test_each_colour_has_a_dark_one() -> None:
    light, dark = TOKENS.split("prefers-color-scheme: dark")[:2]
    names = {scheme: set(re.findall(r"(--[a-z0-9-]+): #", text)) for scheme, text in (("light", light), ("dark", dark))}
    same_in_both = {"--brand", "--focus-bar"}
    assert names["light"] - names["dark"] == same_in_both
