"""The bank behind nginx with the site of `docs/deploy/nginx.conf`, at the root of a host and below a path."""

import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from tests.support import nginx
from tests.support.databases import MAKERS, Urls
from tests.support.postgres import free_port
from tests.support.programs import PASSWORD, PATIENCE, Web, cookies_of
from tests.support.teller import FORM, HIDDEN

pytestmark = pytest.mark.xdist_group("proxy")


class Proxied(NamedTuple):
    """A bank behind nginx."""

    web: Web
    https: int
    http: int
    address: str

    def request(self, client: str, method: str, path: str, body: str = "", **headers: str) -> tuple[HTTPResponse, str]:
        """Send a request from an address of this machine."""
        context = ssl._create_unverified_context()
        connection = HTTPSConnection(
            "127.0.0.1", self.https, timeout=PATIENCE, context=context, source_address=(client, 0)
        )
        connection.request(method, path, body, {"Host": f"localhost:{self.https}", **headers})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response, text


@pytest.fixture(params=[("/", False), ("/teller/", True)], ids=["root", "path"])
def proxied(templates: dict[str, Urls], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Proxied]:
    path, removes = request.param
    https = free_port()
    variables = {
        "BANK_PUBLIC_URL": f"https://localhost:{https}{path}",
        "BANK_CLIENT_ADDRESS_HEADER": "X-Real-IP",
        "BANK_TELLER_PASSWORD": PASSWORD,
        "BANK_ADMIN_PASSWORD": PASSWORD,
    }
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    MAKERS["sqlite"].copy(templates["sqlite"], data)
    with Web(data, **variables) as web, nginx.in_front_of(web.port, https, tmp_path / "nginx", path, removes) as http:
        yield Proxied(web, https, http, variables["BANK_PUBLIC_URL"])


def test_a_teller_works_behind_the_proxy(proxied: Proxied, chromium: Browser) -> None:
    context = chromium.new_context(ignore_https_errors=True)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    assert f"The bank is open at {proxied.address} " in proxied.web.output

    page.goto(proxied.address)
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Desk")).to_be_visible()
    page.get_by_role("link", name="Open an account").click()
    page.get_by_label("Account holder").fill("Ada Lovelace")
    page.get_by_label("PIN").fill("0042")
    page.get_by_role("button", name="Open account").click()
    expect(page.get_by_role("heading", name="Account opened")).to_be_visible()
    page.get_by_role("link", name="Accounts").click()
    page.get_by_label("Account number or holder").press_sequentially("love")
    page.wait_for_url(f"{proxied.address}accounts/?q=love")
    page.get_by_role("link", name="1", exact=True).click()
    page.locator("#deposit_amount").fill("12.345")
    page.get_by_role("button", name="Deposit").click()
    expect(page.locator("#deposit_amount")).to_be_focused()
    expect(page.locator(".errors")).to_be_visible()
    page.locator("#deposit_amount").fill("12.34")
    page.get_by_role("button", name="Deposit").click()
    page.wait_for_url(f"{proxied.address}receipts/**")
    assert (
        page.locator("body").get_attribute("data-login")
        == proxied.address.removeprefix(f"https://localhost:{proxied.https}") + "login/"
    )
    page.goto(f"{proxied.address}accounts/1")  # without its last slash
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    page.get_by_role("link", name="Admin", exact=True).click()
    page.get_by_role("link", name="Events", exact=True).click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.goto(f"{proxied.address}days/")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(f"{proxied.address}days/")
    assert page.url == f"{proxied.address}login/?next={'/teller' if 'teller' in proxied.address else ''}/days/"
    context.close()

    assert [url for url in asked if not url.startswith(proxied.address)] == []
    expected = ("status of 422", "Autofocus processing was blocked", "htmx:sendAbort", "htmx:afterRequest")
    assert [text for text in complaints if not any(part in text for part in expected)] == []


@pytest.mark.parametrize("proxied", [("/", False)], indirect=True, ids=["root"])
def test_the_bank_sees_the_client_and_https_behind_the_proxy(proxied: Proxied) -> None:
    page, text = proxied.request("127.0.0.2", "GET", "/login/")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    cookies = cookies_of(page.headers.get_all("Set-Cookie", []))
    assert set(cookies) == {"__Host-csrftoken"}
    form = {**dict(HIDDEN.findall(text)), "username": "teller"}
    for client, password in (("127.0.0.2", "wrong"), ("127.0.0.3", PASSWORD)):
        answer, _ = proxied.request(
            client, "POST", "/login/", urlencode({**form, "password": password}),
            **{
                "Content-Type": FORM,
                "Cookie": f"__Host-csrftoken={cookies['__Host-csrftoken']}",
                "Referer": f"https://localhost:{proxied.https}/login/",
                "X-Real-IP": "198.51.100.1",
                "X-Forwarded-Proto": "http",
            },
        )  # fmt: skip
        assert answer.status == (302 if password == PASSWORD else 200)
    assert "Password refused: user teller, from 127.0.0.2" in proxied.web.output
    assert "Logged in: user teller, from 127.0.0.3" in proxied.web.output
    assert "198.51.100.1" not in proxied.web.output

    plain = HTTPConnection("127.0.0.1", proxied.http, timeout=PATIENCE)
    plain.request("GET", "/accounts/?q=x", headers={"Host": "localhost"})
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://localhost/accounts/?q=x")
    plain.close()
