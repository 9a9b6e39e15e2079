"""The parts of a page that are rendered once, and the CSRF token of its forms."""

import re
from urllib.parse import urljoin

import pytest
from django.contrib.sessions.models import Session
from django.middleware.csrf import _unmask_cipher_token  # type: ignore[attr-defined]
from django.test import Client
from django.urls import reverse

from bank.access.csrf import masked
from tests.support.helpers import PASSWORD, client_of, make_user
from tests.support.values import deposit, open_account

SECRET = "aB3" * 10 + "zZ"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


# The token of a form


def test_django_finds_the_secret_in_a_token_and_no_two_are_the_same() -> None:
    tokens = [masked(SECRET) for _ in range(200)]
    assert {_unmask_cipher_token(token) for token in tokens} == {SECRET}
    assert len({token[:32] for token in tokens}) == len({token[32:] for token in tokens}) == 200


def test_a_page_has_one_token_which_counts_and_the_next_page_another(bank: object) -> None:
    make_user("teller", "Tellers")
    client = Client(enforce_csrf_checks=True)
    token = TOKEN.search(client.get("/login/").content.decode())
    assert token
    typed = {"username": "teller", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    assert client.post("/login/", typed).status_code == 302
    assert client.post("/logout/", {"csrfmiddlewaretoken": token[1]}).status_code == 403  # a log-in makes a new secret
    open_account(1, "Josh")
    first, second = (set(TOKEN.findall(client.get("/accounts/1/").content.decode())) for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second
    assert client.post("/logout/", {"csrfmiddlewaretoken": first.pop()}).status_code == 302


def test_the_cookie_of_the_token_is_set_once_and_ends_with_the_browser(bank: object) -> None:
    client = client_of("teller", "Tellers")
    cookie = client.get("/").cookies["csrftoken"]
    assert cookie["max-age"] == cookie["expires"] == ""
    assert "csrftoken" not in client.get("/").cookies


@pytest.mark.parametrize("cookie", ["", "short", "<" * 32, "a" * 64])
def test_a_cookie_that_is_no_secret_is_replaced(bank: object, cookie: str) -> None:
    client = client_of("teller", "Tellers")
    client.cookies["csrftoken"] = cookie
    response = client.get("/")
    token = TOKEN.search(response.content.decode())
    assert token
    assert _unmask_cipher_token(token[1]) == response.cookies["csrftoken"].value


# The text of a session


def test_a_forged_session_belongs_to_no_user(bank: object) -> None:
    client = client_of("teller", "Tellers")
    assert client.get("/").status_code == 200
    session = Session.objects.get()
    last = session.session_data[-1]
    session.session_data = session.session_data[:-1] + ("A" if last != "A" else "B")
    session.save()
    assert client.get("/").status_code == 302


# The header, rendered once for each page and set of permissions


def header_of(client: Client, path: str) -> str:
    page = client.get(path).content.decode()
    return page[page.index("<header") : page.index("</header>")]


def test_the_header_has_the_links_of_ones_own_rights_and_marks_the_page(bank: object) -> None:
    for _ in range(2):
        clients = {
            "teller": client_of(f"t{_}", "Tellers"),
            "auditor": client_of(f"a{_}", "Auditors", is_staff=True),
            "nobody": client_of(f"n{_}"),
        }
        shown = {name: re.findall(r'<a href="([^"]*)"', header_of(client, "/own/")) for name, client in clients.items()}
        assert shown == {
            "teller": ["/", "/accounts/", "/days/", "/accounts/open/", "/till/", "/own/"],
            "auditor": ["/", "/accounts/", "/days/", "/bank/", "/admin/", "/own/"],
            "nobody": ["/own/"],
        }
        for path in ("/", "/accounts/", "/days/", "/own/"):
            current = re.findall(r'href="([^"]*)" aria-current="page"', header_of(clients["teller"], path))
            assert current == [path]
        assert "<nav" not in header_of(Client(), "/login/")


# The forms on an account page, rendered once


def test_an_account_page_has_empty_forms_after_one_was_refused(bank: object) -> None:
    client = client_of("teller", "Tellers")
    open_account(1, "Josh")
    before = client.get("/accounts/1/").content.decode()
    typed = {"command_id": "00000000-0000-4000-8000-000000000001", "amount": "12.345", "pin": "12345"}
    refused = client.post("/accounts/1/withdraw/", typed)
    assert refused.status_code == 422
    assert "12.345" in refused.content.decode()
    for path in ("/accounts/1/", "/accounts/1/withdraw/"):
        page = client.get(path).content.decode()
        assert "12.345" not in page
        assert "This was not carried out" not in page
    ids = re.compile(r'name="command_id" value="([^"]+)"')
    after = client.get("/accounts/1/").content.decode()
    assert len({*ids.findall(before), *ids.findall(after)}) == 4


def test_the_forms_and_links_of_a_page_lead_to_the_account_that_it_shows(bank: object) -> None:
    client = client_of("teller", "Tellers")
    for number in (1, 22):
        open_account(number, "Josh")
        page = client.get(f"/accounts/{number}/").content.decode()
        actions = [urljoin(f"/accounts/{number}/", action) for action in re.findall(r'hx-post="([^"]*)"', page)]
        assert actions == [reverse(task, args=[number]) for task in ("deposit", "withdraw")]
    links = re.findall(
        r'<td class="c-when number" role="cell"><a href="([^"]*)">', client.get("/accounts/?q=josh").content.decode()
    )
    assert [urljoin("/accounts/?q=josh", link) for link in links] == ["/accounts/1/", "/accounts/22/"]


# The rows of a statement, each rendered once


def test_an_account_shows_each_event_at_once_and_the_holder_as_text(bank: object) -> None:
    client = client_of("teller", "Tellers")
    open_account(1, "<b>Josh</b>")
    for number in range(1, 4):
        deposit(1, 100, actor="teller")
        for path in ("/accounts/1/", "/"):
            page = client.get(path).content.decode()
            assert page.count('<span class="words">Deposit</span>') == number
            assert "<b>Josh" not in page
    assert "&lt;b&gt;Josh" in page
