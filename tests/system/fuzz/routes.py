"""Every route of the URL resolver, with the admin's, and the forms on its pages."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import RegexPattern, URLPattern, URLResolver

PLACEHOLDER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)")


class Gap(NamedTuple):
    """A place in a route that needs a value."""

    kind: str
    name: str


type Route = tuple[str | Gap, ...]


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[Route]:
    """Yield every route as its pieces, from the root."""
    for pattern in (resolver or get_resolver()).url_patterns:
        text = before + _text_of(pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, text)
        else:
            yield tuple(_pieces("/" + text))


def _text_of(pattern: URLPattern | URLResolver) -> str:
    text = str(pattern.pattern)
    if isinstance(pattern.pattern, RegexPattern):
        return GROUP.sub(r"<\1>", text.strip("^$"))
    return text


def _pieces(text: str) -> Iterator[str | Gap]:
    end = 0
    for found in PLACEHOLDER.finditer(text):
        yield text[end : found.start()]
        yield Gap(found["kind"] or "str", found["name"])
        end = found.end()
    yield text[end:]


class Field(NamedTuple):
    """A field of a form as a page shows it."""

    name: str
    value: str
    hidden: bool


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[Field] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag in ("input", "select", "textarea", "button") and values.get("name"):
            self.fields.append(Field(values["name"], values.get("value", ""), values.get("type") == "hidden"))
        elif tag == "option" and self.fields and values.get("value"):
            self.fields.append(self.fields[-1]._replace(value=values["value"]))


def fields_of(client: Client, path: str) -> list[Field]:
    """Return the fields of all forms on a page, or nothing if there is no page."""
    response = client.get(path)
    if response.status_code != 200 or "html" not in response["Content-Type"]:
        return []
    parser = _Fields()
    parser.feed(response.content.decode())
    return list(dict.fromkeys(parser.fields))
