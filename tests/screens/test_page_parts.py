"""What a page is made of and looks up only once: it has to be what Django would have made each time."""

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.middleware.csrf import _unmask_cipher_token  # type: ignore[attr-defined]
from django.template import Context, engines
from django.test import Client
from django.urls import reverse, set_script_prefix

from bank.access.csrf import masked
from bank.access.session_store import SessionStore
from tests.support.helpers import PASSWORD, client_of, make_user
from tests.support.values import deposit, open_account

SECRET = "aB3" * 10 + "zZ"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def shown(source: str, **values: Any) -> str:
    return str(engines["django"].engine.from_string(source).render(Context(values)))  # type: ignore[attr-defined]


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


def test_a_session_that_somebody_else_has_written_is_nobodys(bank: object) -> None:
    client = client_of("teller", "Tellers")
    assert client.get("/").status_code == 200
    session = Session.objects.get()
    last = session.session_data[-1]
    session.session_data = session.session_data[:-1] + ("A" if last != "A" else "B")
    session.save()
    assert client.get("/").status_code == 302


def test_what_is_changed_in_an_opened_session_is_in_no_other(bank: object) -> None:
    text = SessionStore().encode({"held": [1]})
    SessionStore().decode(text)["held"].append(2)
    assert SessionStore().decode(text) == {"held": [1]}


def test_a_session_signed_with_another_key_is_not_opened(bank: object, settings: Any) -> None:
    text = SessionStore().encode({"held": 1})
    assert SessionStore().decode(text) == {"held": 1}
    settings.SECRET_KEY = "another"
    assert SessionStore().decode(text) == {}


# Addresses, numbers, parts


@pytest.mark.parametrize("number", [0, 7, 2**63 - 1, 10**25])
@pytest.mark.parametrize("prefix", ["/", "/100%/a&b/"])
def test_the_address_for_a_number_is_the_one_that_django_finds(number: int, prefix: str) -> None:
    set_script_prefix(prefix)
    try:
        address = reverse("deposit", args=[number])
        assert shown("{% url 'deposit' n %}", n=number) == address.replace("&", "&amp;")
        assert shown("{% url 'deposit' n as it %}{% autoescape off %}{{ it }}{% endautoescape %}", n=number) == address
    finally:
        set_script_prefix("/")


def test_one_template_tag_finds_the_addresses_of_several_numbers() -> None:
    found = shown("{% for n in numbers %}{% url 'account' n %} {% endfor %}", numbers=[1, 2, "3"])
    assert found.split() == ["/accounts/1/", "/accounts/2/", "/accounts/3/"]


def test_an_included_part_sees_what_it_is_given_each_time() -> None:
    source = "{% for t in texts %}{% include 'bank/search.html' with text=t %}{% endfor %}"
    assert re.findall(r'value="([^"]*)"', shown(source, texts=["a", '"><b>'])) == ["a", "&quot;&gt;&lt;b&gt;"]


# Lines that are made once


def test_an_account_shows_each_event_at_once_and_the_holder_as_text(bank: object) -> None:
    client = client_of("teller", "Tellers")
    open_account(1, "<b>Josh</b>")
    for number in range(1, 4):
        deposit(1, 100)
        for path in ("/accounts/1/", "/"):
            page = client.get(path).content.decode()
            assert page.count('<td class="wrap">Deposit</td>') == number
            assert "<b>Josh" not in page
    assert "&lt;b&gt;Josh" in page
