"""Each text that a page shows is marked for translation and in the German catalog, wherever it comes from."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import pytest
from django.test import Client

from projections.projectors import PROJECTORS
from tests.support.addresses import ACCOUNTS, FROZEN, RICH, request_for, routes
from tests.support.addresses import business as business
from tests.support.clocks import StoppedClock
from tests.support.helpers import make_user
from tests.support.marked import BEGIN, END, LANGUAGE, marked_language, unmarked_in_page

DATA = (
    *("Bank teller", "Ada Lovelace", "somebody( else)?", "tina", "USD", "UTC"),
    r"\w+, \d+\. \w+ \d{4}",  # a day with its weekday, which is of the locale
)
"""Patterns of what is no text: names, and what a locale writes."""
IN_ADMIN = (
    *("user-[0-9]+", "group-[0-9]+", "Tellers", "Supervisors", "Auditors", "TOTP device", "a process manager"),
    "Account frozen",  # an event of a newer version of the program
    rf"({'|'.join(PROJECTORS)}): ",
    r"[0-9]+: [0-9]+ \w+ [0-9]+",  # a statement line or a movement
    r"(\w+_\w+|till)(-[0-9]+)?",  # a name of an event, a command or a stream
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
)
"""Patterns of what the admin shows as it is stored."""
FORM = re.compile(r"<form.*?</form>", re.DOTALL)
ON_MANY_PAGES = ("/logout/", "/language/", "dialog")
"""The addresses of forms that stand on many pages, and the method of a dialog's."""


def test_each_text_of_each_page_is_translated(business: None, stopped_clock: StoppedClock) -> None:
    nobody, superuser, found = Client(), Client(), set[str]()
    superuser.force_login(make_user("somebody", is_staff=True, is_superuser=True))
    with marked_language() as headers:
        for route in sorted({*routes(), "/no/such/page/"} - {"/logout/", "/admin/logout/"}):
            is_admin = route.startswith("/admin/")
            client = nobody if route.startswith("/login/") else superuser
            data = (*DATA, *IN_ADMIN) if is_admin else DATA
            for account_id in (*ACCOUNTS, FROZEN) if route == "/accounts/<int:account_id>/" else (RICH,):
                path, query, _ = request_for("GET", route, client, stopped_clock, account_id)
                for html in pages(client, path, query, headers, sends=not is_admin):
                    found |= {f"{path}: {text}" for text in unmarked_in_page(html, *data)}
                    if "<html" in html and f'<html lang="{LANGUAGE}"' not in html:
                        found.add(f"{path}: the page does not name its language")
    assert "\n".join(sorted(found)) == "", "mark these texts (docs/screens.md), or translate them"


def pages(client: Client, path: str, query: Any, headers: Any, sends: bool) -> Iterator[str]:
    """Yield a page, and what its forms show after they were sent empty and filled with nonsense."""
    yield (page := html_of(client.get(path, query, headers=headers)))
    for form in FORM.findall(page) if sends else ():
        action, method = (re.search(rf'<form[^>]* {name}="([^"]*)"', form) for name in ("action", "method"))
        url, way = urljoin(path, action[1]) if action else path, method[1] if method else "get"
        if not {url, way} & {*ON_MANY_PAGES}:
            send = client.post if way == "post" else client.get
            for text in ("", "x"):
                data = {**dict.fromkeys(re.findall(r'name="(\w+)"', form), text), "command_id": str(uuid4())}
                yield html_of(send(url, data, headers=headers))


def html_of(response: Any) -> str:
    is_html = response.headers.get("Content-Type", "").startswith("text/html")
    return response.content.decode() if is_html and response.status_code not in (301, 302, 303) else ""


@pytest.mark.parametrize(
    ("html", "unmarked"),
    [
        ("<p>Deposit</p>", ["Deposit"]),
        (f"<p>{BEGIN}Deposit{END} of 50.00 {BEGIN}by{END} <bdi>Ada</bdi></p>", ["of 50.00"]),
        (f"<p>{BEGIN}Deposit of <b>{BEGIN}money{END} 50</b> now{END}</p>", []),
        (f"<p>wrong PIN{END}</p>", []),
        (f'<p title="Deposit">{BEGIN}Deposit{END} 4,022.00</p>', ["Deposit"]),
        ('<input type="submit" value="Send">', ["Send"]),
        ('<input type="text" value="Ada"><code>invalid_pin</code><p lang="de">Deutsch</p>', []),
    ],
)
def test_a_text_without_marks_is_found(html: str, unmarked: list[str]) -> None:
    assert unmarked_in_page(html) == unmarked
