"""Tasks that require a fresh password, and continue after it is given."""

import logging
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from bank.access import sessions
from tests.support.clocks import StoppedClock
from tests.support.helpers import PASSWORD, client_of, key_of, make_user, text_of

pytestmark = pytest.mark.usefixtures("bank")

MINUTE = 60


@pytest.fixture
def teller(bank: object, stopped_clock: StoppedClock) -> Client:
    return client_of("tina", "Tellers")


@sessions.fresh_password
def delicate(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


def delicate_request(client: Client, method: str = "GET") -> HttpRequest:
    request = RequestFactory().generic(method, "/delicate/?with=more")
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key_of(client))
    return request


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sensitive_task_asks_for_a_password_that_is_not_fresh(
    teller: Client, stopped_clock: StoppedClock, method: str
) -> None:
    stopped_clock.forward(5 * MINUTE - 1)
    assert delicate(delicate_request(teller, method)).content == b"done"
    stopped_clock.forward(1)
    response = delicate(delicate_request(teller, method))
    assert (response.status_code, response["Location"]) == (302, "/confirm/?next=%2Fdelicate%2F%3Fwith%3Dmore")


def test_the_right_password_leads_back_to_the_task_and_is_fresh_again(
    teller: Client, stopped_clock: StoppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    stopped_clock.forward(5 * MINUTE)
    before = key_of(teller)
    page = teller.get("/confirm/?next=/delicate/%3Fwith%3Dmore")
    assert "Your password again" in text_of(page)
    with caplog.at_level(logging.INFO, "bank.security"):
        response = teller.post("/confirm/?next=/delicate/%3Fwith%3Dmore", {"password": PASSWORD})
    assert response["Location"] == "/delicate/?with=more"
    assert delicate(delicate_request(teller)).content == b"done"
    assert key_of(teller) != before, "the session has a new key"
    assert "Password confirmed: user tina, from 127.0.0.1" in caplog.messages
    assert PASSWORD not in caplog.text


def test_a_wrong_password_is_refused(teller: Client, stopped_clock: StoppedClock) -> None:
    stopped_clock.forward(5 * MINUTE)
    make_user("tom", "Tellers").set_password("the password of tom")
    for password in ("wrong", "", "the password of tom"):
        response = teller.post("/confirm/?next=/accounts/", {"password": password})
        assert response.status_code == 422
        assert delicate(delicate_request(teller)).status_code == 302


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_the_password_leads_to_no_strange_page(teller: Client, url: str) -> None:
    response = teller.post(f"/confirm/?next={url}", {"password": PASSWORD})
    assert response["Location"] == "/"


def test_confirming_needs_a_log_in(bank: object) -> None:
    assert Client().post("/confirm/", {"password": PASSWORD})["Location"].startswith("/login/")


@pytest.mark.parametrize("url", [f"/admin/auth/user/{page}/" for page in ("add", "1/change", "1/password", "1/delete")])
def test_changing_users_wants_a_fresh_password(stopped_clock: StoppedClock, url: str) -> None:
    admin = client_of("root", is_staff=True, is_superuser=True)
    assert admin.get(url).status_code == 200
    stopped_clock.forward(5 * MINUTE)
    assert admin.get("/admin/auth/user/").status_code == 200, "looking does not"
    for method in (admin.get, admin.post):
        assert method(url)["Location"].startswith("/confirm/?next=%2Fadmin%2Fauth")
    assert admin.post("/admin/auth/user/", {"action": "end_sessions"})["Location"].startswith("/confirm/")


def test_ending_sessions_wants_a_fresh_password(teller: Client, stopped_clock: StoppedClock) -> None:
    other = client_of("tom", "Tellers")
    other.force_login(User.objects.get(username="tina"))
    stopped_clock.forward(5 * MINUTE)
    assert teller.post("/own/sessions/")["Location"] == "/confirm/?next=%2Fown%2Fsessions%2F"
    assert teller.post("/confirm/?next=/own/sessions/", {"password": PASSWORD})["Location"] == "/own/sessions/"
    assert teller.get("/own/sessions/")["Location"] == "/own/", "only the button does it"
    assert other.get("/").status_code == 200
    teller.post("/own/sessions/")
    assert other.get("/").status_code == 302
