"""The address that browsers use, `BANK_PUBLIC_URL`: refused values, and a path in it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from bank.operations.public_url import parse
from bank.operations.wsgi_wrapper import below
from tests.support.programs import manage, run


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://bank.example", ("https://bank.example", "bank.example", "")),
        ("https://Bank.Example:8443/", ("https://bank.example:8443", "bank.example", "")),
        ("https://[::1]:8443/", ("https://[::1]:8443", "[::1]", "")),
        ("https://bank.example/teller/", ("https://bank.example", "bank.example", "/teller")),
        ("https://bank.example/a/b-c.d", ("https://bank.example", "bank.example", "/a/b-c.d")),
    ],
)
def test_an_address_has_a_host_and_perhaps_a_path(url: str, parts: tuple[str, str, str]) -> None:
    assert parse(url) == parts


@pytest.mark.parametrize(
    "url",
    [
        "http://bank.example", "bank.example", "https://", "https:///teller", "https://bank.example/?branch=7",
        "https://bank.example/#top", "https://me@bank.example/", "https://bank.example/../teller",
        "https://bank.example//teller", "https://bank.example:port", "https://bank.example/tel ler",
        "https://bank.example/t%C3%A9l", "https://bank.example/tél", "https://bank.example\n",
    ],
)  # fmt: skip
def test_an_address_that_cannot_work_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="BANK_PUBLIC_URL is the https address that browsers use"):
        parse(url)


@pytest.mark.parametrize("command", ["start", "check"])
def test_a_bank_with_a_bad_address_does_not_start(tmp_path: Path, command: str) -> None:
    refused = run(tmp_path, command, BANK_PUBLIC_URL="https://bank.example/?branch=7")
    assert refused.returncode == 1
    assert "It is 'https://bank.example/?branch=7'." in refused.stdout
    assert not list(tmp_path.glob("*.sqlite3"))


def test_a_path_stands_before_every_link(tmp_path: Path) -> None:
    code = """
from django.conf import settings
from django.urls import reverse
print(reverse("login"), settings.STATIC_URL)
"""
    printed = manage(tmp_path, "shell", "--no-imports", "-c", code, BANK_PUBLIC_URL="https://bank.example/teller/")
    assert printed.split() == ["/teller/login/", "/teller/static/"]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("/teller/days/", "/days/"), ("/days/", "/days/"), ("/teller/", "/"), ("/tellers/", "/tellers/"), ("/", "/"),
        ("/teller", "/teller"), ("/x/teller/", "/x/teller/"),
    ],
)  # fmt: skip
def test_a_path_that_the_proxy_does_not_remove_is_removed(asked: str, answered: str) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return [environ["PATH_INFO"].encode()]

    assert list(below("/teller", application)({"PATH_INFO": asked}, lambda *_: None)) == [answered.encode()]
