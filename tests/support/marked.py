"""A language in which each translated text stands between marks, and the texts of a page that have none.

The language has the German texts. A text that Python or a template shows without translating it has no marks, and
neither has one that the German catalog lacks.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from unittest import mock

from django.test import override_settings
from django.utils.translation import trans_real

from tests.support.texts import SHOWN

LANGUAGE = "lb"
"""The language of another country, so that no cache of a page mixes the marked texts with those of the screens."""
BEGIN, END = "\u27e6", "\u27e7"
DATA = "code", "kbd", "pre", "script", "style", "bdi", "textarea"
"""The elements whose content is data: names, keys, and the record as it is stored."""
_TOKENS = re.compile(r"""<!--.*?-->|<([/!]?)([\w-]+)((?:[^>"']|"[^"]*"|'[^']*')*)>|([^<]+)""", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_PARTS = re.compile(f"{BEGIN}|{END}|\n|[^{BEGIN}{END}\n]+")


class MarkedGerman:
    """The German texts between marks. A text that the catalog lacks has none."""

    def __init__(self) -> None:
        self.german = trans_real.translation("de")

    def to_language(self) -> str:
        return LANGUAGE

    def gettext(self, text: str) -> str:
        found = self.german._catalog.get(text)  # type: ignore[attr-defined]
        return text if found is None else f"{BEGIN}{found}{END}"

    def ngettext(self, one: str, many: str, number: int) -> str:
        try:
            return f"{BEGIN}{self.german._catalog.plural(one, number)}{END}"  # type: ignore[attr-defined]
        except KeyError:
            return one if number == 1 else many


@contextmanager
def marked_language() -> Iterator[dict[str, str]]:
    """Give the bank the marked language, and return the headers that choose it."""
    languages, locales = (
        [("en", "English"), ("de", "Deutsch"), (LANGUAGE, "Marked")],
        {"de": "de_DE", LANGUAGE: "de_DE"},
    )
    with (
        override_settings(LANGUAGES=languages, LANGUAGE_LOCALES=locales),
        mock.patch.dict("django.utils.translation.trans_real._translations", {LANGUAGE: MarkedGerman()}),
    ):
        yield {"Accept-Language": LANGUAGE}


def unmarked_in_page(html: str, *data: str) -> list[str]:
    """Return the texts of a page that stand outside of marks, without patterns of data."""
    allowed = re.compile("|".join(data) or "^$")
    texts = (allowed.sub("", each) for text in _texts(html) for each in _outside(unescape(text)))
    return [" ".join(text.split()) for text in texts if re.search(r"[^\W\d_]{2}", text)]


def _texts(html: str) -> Iterator[str]:
    """Yield what a browser shows of a page: some attributes, and the text, with a line for each element."""
    shown, inside = "", list[str]()
    for is_end, tag, attributes, text in _TOKENS.findall(html):
        if text:
            shown += "" if inside else text
        elif is_end:
            shown += "\n"
            if inside and inside[-1] == tag:
                inside.pop()
        else:
            if tag in DATA or (tag != "html" and " lang=" in attributes) or (inside and inside[-1] == tag):
                inside.append(tag)
            names = (*SHOWN, "value") if 'type="submit"' in attributes else SHOWN
            yield from (value for name, value in _ATTRIBUTE.findall(attributes) if name in names)
    yield shown


def _outside(text: str) -> Iterator[str]:
    """Yield what stands outside of marks. A cut text may lack the mark at its beginning."""
    depth, line = 0, ""
    for part in _PARTS.findall(text):
        if part == BEGIN:
            depth += 1
        elif part == END:
            line, depth = (line, depth - 1) if depth else ("", 0)
        elif part == "\n":
            yield line
            line = ""
        elif not depth:
            line += part
    yield line
