"""Security headers, cookies, and limits of a request's body."""

import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.csp import CSP

from tests.support.databases import MAKERS, Urls
from tests.support.helpers import client_of, text_of
from tests.support.programs import PASSWORD, PATIENCE, Web, cookies_of

pytestmark = pytest.mark.xdist_group("browser_told")  # the tests share one server

POLICIES = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
LIMIT = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def check_policies(response: Any) -> None:
    for name, output in POLICIES.items():
        assert output in response.headers.get(name, ""), name


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/", 200),
        ("/own/", 200),
        ("/admin/", 200),
        ("/admin/jsi18n/", 200),
        ("/admin/auth/user/", 200),
        ("/accounts/1/", 404),
        ("/no/such/page", 404),
        ("/static/bank/no-such-file.css", 404),
        ("/logout/", 405),
        ("/accounts", 301),
        ("/login/", 302),
        ("/healthz", 200),
    ],
)
def test_every_answer_to_a_logged_in_user_has_all_policies(bank: object, url: str, status: int) -> None:
    client = client_of("root", is_staff=True, is_superuser=True)
    response = client.get(url)
    assert response.status_code == status
    check_policies(response)


@pytest.mark.parametrize(("url", "status"), [("/login/", 200), ("/", 302), ("/admin/", 302), ("/no/such/page", 404)])
def test_every_answer_to_a_stranger_has_all_policies(bank: object, url: str, status: int) -> None:
    response = Client().get(url)
    assert response.status_code == status
    check_policies(response)


def test_a_refusal_an_overlarge_body_and_a_fault_have_all_policies(
    bank: object, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    client = client_of("tina")
    client.raise_request_exception = False
    check_policies(client.get("/"))
    check_policies(client.post("/login/", {"username": "x" * LIMIT}))
    forged = Client(enforce_csrf_checks=True).post("/login/", {})
    assert forged.status_code == 403
    check_policies(forged)
    monkeypatch.setattr("bank.access.sessions.described", None)
    fault = client.get("/own/")
    assert fault.status_code == 500
    check_policies(fault)


def test_the_content_security_policy_allows_no_inline_code_and_no_other_site() -> None:
    policy = {**django_settings.SECURE_CSP}
    assert policy["default-src"] == ["'none'"]
    assert policy.pop("style-src") == ["'self'", CSP.NONCE]
    assert {source for sources in policy.values() for source in sources} == {"'none'", "'self'"}


def test_the_first_page_of_a_browser_carries_its_styles_by_a_nonce_and_later_ones_link_them(bank: object) -> None:
    client = Client()
    page = client.get("/login/")
    policy = page["Content-Security-Policy"]
    nonces = re.findall(r'<style nonce="([^"]{20,})">[^<]*--paper:[^<]*</style>', page.content.decode())
    assert [f"style-src 'self' 'nonce-{nonce}'" in policy for nonce in nonces] == [True]
    assert 'media="not all"' in page.content.decode()
    again = client.get("/login/")
    assert nonces[0] not in again["Content-Security-Policy"]
    client.cookies["styles"] = "1"
    later = client.get("/login/")
    assert "<style" not in later.content.decode()
    assert 'media="not all"' not in later.content.decode()
    assert "nonce" not in later["Content-Security-Policy"]


def test_no_page_of_ours_has_inline_code_or_style(bank: object) -> None:
    client = client_of("tina", "Tellers")
    client.cookies["styles"] = "1"
    for url in ("/", "/accounts/open/", "/own/", "/own/password/", "/own/second-factor/", "/confirm/"):
        page = client.get(url).content.decode()
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", page), url


# Sizes


def test_a_body_larger_than_any_form_is_refused_before_the_log_in(bank: object) -> None:
    response = Client().post("/login/", {"username": "tina", "password": "x" * LIMIT})
    assert response.status_code == 413
    assert "larger than any form of the bank" in text_of(response)


def test_a_form_of_too_many_fields_is_refused(bank: object) -> None:
    fields = {f"field{number}": "" for number in range(django_settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    client = client_of("tina", "Tellers")
    response = client.post("/accounts/open/", fields)
    assert response.status_code == 400
    assert "nothing has changed" in text_of(response)


def test_no_file_is_taken(bank: object) -> None:
    client = client_of("tina", "Tellers")
    response = client.post("/accounts/open/", {"account_id": SimpleUploadedFile("file", b"content")})
    assert response.status_code == 400


@pytest.fixture(scope="module")
def web(templates: dict[str, Urls], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    data = tmp_path_factory.mktemp("told")
    MAKERS["sqlite"].copy(templates["sqlite"], data)
    with Web(data, BANK_TELLER_PASSWORD=PASSWORD) as web:
        yield web


def send(web: Web, body: Any, headers: dict[str, str]) -> tuple[int, str]:
    """Post a body to the log-in page, piece by piece if it is an iterator."""
    connection = HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)
    try:
        connection.request("POST", "/login/", body, headers, encode_chunked="Transfer-Encoding" in headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def pieces(size: int) -> Iterator[bytes]:
    yield from (b"x" * 1024 for _ in range(size // 1024))


def test_a_long_body_with_a_content_length_is_refused_by_the_real_server(web: Web) -> None:
    status, page = send(web, b"x" * (LIMIT + 1), {"Content-Type": "application/x-www-form-urlencoded"})
    assert (status, "Too large" in page) == (413, True)


def test_a_long_chunked_body_is_refused_by_the_real_server(web: Web) -> None:
    chunked = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    status, page = send(web, pieces(LIMIT + 1024), chunked)
    assert (status, "Too large" in page) == (413, True)


def test_a_short_chunked_body_is_accepted(web: Web) -> None:
    _, page, cookies = web.request("GET", "/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    body = f"csrfmiddlewaretoken={token[1]}&username=teller&password={PASSWORD}".encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Transfer-Encoding": "chunked",
        "Cookie": f"csrftoken={cookies['csrftoken']}",
    }
    assert send(web, iter([body[:20], body[20:]]), headers)[0] == 302


# Cookies


def test_over_https_every_cookie_is_bound_to_this_very_host(templates: dict[str, Urls], tmp_path: Path) -> None:
    MAKERS["sqlite"].copy(templates["sqlite"], tmp_path)
    with Web(tmp_path, BANK_TELLER_PASSWORD=PASSWORD, BANK_PUBLIC_URL="https://bank.example") as web:
        jar: dict[str, str] = {}

        def request(method: str, path: str, body: str = "") -> tuple[str, list[str]]:
            connection = HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)
            headers = {
                "Host": "bank.example",
                "X-Forwarded-Proto": "https",
                "Referer": "https://bank.example/",
                "Cookie": "; ".join(f"{name}={value}" for name, value in jar.items()),
                "Content-Type": "application/x-www-form-urlencoded",
            }
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            page, cookies = response.read().decode(), response.headers.get_all("Set-Cookie", [])
            assert response.status < 400, page
            assert "max-age=31536000" in response.headers["Strict-Transport-Security"]
            connection.close()
            jar.update(cookies_of(cookies))
            return page, cookies

        def form(path: str, **fields: str) -> list[str]:
            page, cookies = request("GET", path)
            hidden = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]+)"', page))
            body = "&".join(f"{name}={value}" for name, value in {**hidden, **fields}.items())
            return cookies + request("POST", path, body)[1]

        cookies = form("/login/", username="teller", password=PASSWORD)
        cookies += form("/accounts/open/", account_id="1", account_holder="Ada", pin="0042")
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "__Host-sessionid",
        "__Host-csrftoken",
        "__Host-bank_device",
        "__Host-bank_position",
    }
    for cookie in cookies:
        for output in ("Secure", "Path=/", "SameSite=Lax", "HttpOnly"):
            assert output in cookie, cookie
        assert "Domain" not in cookie
