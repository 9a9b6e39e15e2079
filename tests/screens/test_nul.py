"""Requests with a NUL: PostgreSQL cannot store it, and C ends a text at it. Each is refused before it is read."""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import DataError
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount
from eventstore import store
from eventstore.backends import backend_of
from tests.support.helpers import client_of, make_user, text_of

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def superuser() -> Client:
    return client_of("root", is_staff=True, is_superuser=True)


def check_refused(response: Any) -> None:
    assert response.status_code == 400
    assert "We could not read what was sent, so nothing has changed, and no money has moved." in text_of(response)
    assert response["Cache-Control"] == "no-store"
    assert "Content-Security-Policy" in response


@pytest.mark.parametrize(
    "url",
    [
        "/admin/eventstore/event/?actor=%00",
        "/admin/eventstore/event/?type=a%00b",
        "/admin/eventstore/event/?%00=1",
        "/admin/eventstore/snapshot/%00/change/",
        "/admin/eventstore/snapshot/bank_account-1%00/change/",
        "/admin/auth/user/?q=%00",
        "/admin/auth/user/?username=%00",
        "/admin/%00/",
        "/admin/login/?next=%00",
        "/accounts/1%00/",
        "/%00",
    ],
)
def test_a_nul_in_an_address_is_refused(superuser: Client, url: str) -> None:
    check_refused(superuser.get(url))
    check_refused(Client().get(url))


@pytest.mark.parametrize("url", ["/accounts/?q=%00", "/accounts/?%00=1", "/login/?next=%00", "/healthz?%00", "/?x=%00"])
def test_a_nul_in_a_query_of_the_bank_does_no_harm(superuser: Client, url: str) -> None:
    assert superuser.get(url).status_code in (200, 302)


def test_a_percent_sign_and_two_zeros_are_no_nul(superuser: Client) -> None:
    handle(CreateBankAccount(1, "Josh %00", 42))
    response = superuser.get(f"/accounts/?q={quote('%00')}")
    assert response.status_code == 200
    assert "Josh %00" in text_of(response)


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "bank_position", "known_device", "messages", "x"])
@pytest.mark.parametrize("nul", ["\\000", "\0"])
def test_a_nul_in_a_cookie_is_refused(superuser: Client, name: str, nul: str) -> None:
    session = superuser.cookies["sessionid"].value
    header = f'sessionid={session}; {name}="a{nul}x"'
    check_refused(Client().get("/", HTTP_COOKIE=header))


def test_a_session_with_something_behind_a_nul_is_nobodys(superuser: Client) -> None:
    session = superuser.cookies["sessionid"].value
    assert Client().get("/", HTTP_COOKIE=f"sessionid={session}").status_code == 200
    check_refused(Client().get("/", HTTP_COOKIE=f'sessionid="{session}\\000x"'))


@pytest.mark.only_on("postgresql", reason="libpq ends a text at a NUL")
def test_a_prepared_statement_never_searches_for_the_text_before_a_nul() -> None:
    make_user("tina")
    query = "SELECT username FROM auth_user WHERE username = %s"
    assert backend_of().rows(query, ["tina"]) == [("tina",)]
    with pytest.raises(DataError):
        backend_of().rows(query, ["tina\0x"])


@pytest.mark.parametrize("header", ["HTTP_HX_CURRENT_URL", "HTTP_X_FORWARDED_FOR", "HTTP_USER_AGENT", "CONTENT_TYPE"])
def test_a_nul_in_a_header_is_refused(superuser: Client, header: str) -> None:
    environment: Any = {header: "a\0b"}
    check_refused(superuser.get("/", **environment))


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "end_sessions", "_selected_action": "1\0"},
        {"action": "\0", "_selected_action": "1"},
        {"action": "end_sessions", "_selected_action": "1", "\0": "1"},
    ],
)
def test_a_nul_that_is_posted_to_the_admin_is_refused(superuser: Client, fields: dict[str, str]) -> None:
    check_refused(superuser.post("/admin/auth/user/", fields))


def test_a_nul_in_a_form_of_the_admin_changes_nothing(superuser: Client) -> None:
    check_refused(superuser.post("/admin/auth/user/add/", {"username": "eve\0", "usable_password": "false"}))
    assert User.objects.count() == 1


@pytest.mark.parametrize("multipart", [False, True], ids=["form", "multipart"])
@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/accounts/open/", "account_holder"),
        ("/accounts/open/", "account_id"),
        ("/accounts/open/", "pin"),
        ("/accounts/1/deposit/", "amount"),
        ("/accounts/1/withdraw/", "pin"),
        ("/accounts/1/deposit/", "command_id"),
    ],
)
def test_a_nul_in_a_form_of_the_bank_is_an_error_at_the_form(
    superuser: Client, url: str, field: str, multipart: bool
) -> None:
    handle(CreateBankAccount(1, "Josh", 42))
    fields = {"account_id": "7", "account_holder": "Eve", "pin": "1234", "amount": "5", field: "a\0b"}
    body = "&".join(f"{name}={quote(value)}" for name, value in fields.items())
    response: Any = (
        superuser.post(url, fields)
        if multipart
        else superuser.post(url, body, content_type="application/x-www-form-urlencoded")
    )
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert store.last_position() == 1


def test_a_file_whose_name_holds_a_nul_is_refused(superuser: Client) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="amount"; filename="a\0b"\r\n\r\n5\r\n--b--\r\n'
    check_refused(superuser.post("/accounts/1/deposit/", body, content_type="multipart/form-data; boundary=b"))
