"""The address that browsers use, `BANK_PUBLIC_URL`: what is refused, and a path in it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bank.operations.wsgi_wrapper import below
from tests.support.programs import manage, run


@pytest.mark.parametrize(
    "url",
    ["http://bank.example", "bank.example", "https://", "https://bank.example/?branch=7", "https://me@bank.example/",
     "https://bank.example/../teller", "https://bank.example//teller", "https://bank.example:port"],
)  # fmt: skip
def test_an_address_that_cannot_work_is_refused(tmp_path: Path, url: str) -> None:
    refused = run(tmp_path, "start", BANK_PUBLIC_URL=url)
    assert refused.returncode == 1
    assert "BANK_PUBLIC_URL is the https address that browsers use" in refused.stdout
    assert repr(url) in refused.stdout
    assert not list(tmp_path.glob("*.sqlite3"))


@pytest.mark.parametrize(
    ("url", "login"),
    [("https://bank.example", "/login/"), ("https://[::1]:8443/", "/login/"),
     ("https://bank.example/teller/", "/teller/login/"), ("https://bank.example:8443/a/b-c", "/a/b-c/login/")],
)  # fmt: skip
def test_a_path_stands_before_every_link(tmp_path: Path, url: str, login: str) -> None:
    code = """
from django.conf import settings
from django.urls import reverse
print(reverse("login"), settings.STATIC_URL)
"""
    printed = manage(tmp_path, "shell", "--no-imports", "-c", code, BANK_PUBLIC_URL=url)
    assert printed.split() == [login, login.replace("login", "static")]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("/teller/days/", "/days/"), ("/days/", "/days/"), ("/teller/", "/"), ("/tellers/", "/tellers/"), ("/", "/"),
     ("/teller", "/teller"), ("/x/teller/", "/x/teller/")],
)  # fmt: skip
def test_a_path_that_the_proxy_does_not_remove_is_removed(asked: str, answered: str) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return [environ["PATH_INFO"].encode()]

    assert list(below("/teller", application)({"PATH_INFO": asked}, lambda *_: None)) == [answered.encode()]
