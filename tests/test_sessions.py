"""How long a session lasts, that its password has to be fresh for some tasks, and what ends it."""

import logging
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from bank.access import sessions
from tests.clocks import StoppedClock
from tests.helpers import PASSWORD, client_of, make_user, text_of

pytestmark = pytest.mark.usefixtures("bank")

MINUTE = 60
HOUR = 3600
POLL = {"Bank-Poll": "true", "HX-Request": "true"}


@pytest.fixture
def teller(bank: object, stopped_clock: StoppedClock) -> Client:
    return client_of("tina", "Tellers")


def key_of(client: Client) -> str:
    return str(client.cookies["sessionid"].value)


def log_in(client: Client, name: str = "tina", password: str = PASSWORD) -> Any:
    return client.post("/login/", {"username": name, "password": password})


# Idle time and the shift


def test_a_session_ends_when_nothing_was_done_for_the_idle_time(teller: Client, stopped_clock: StoppedClock) -> None:
    stopped_clock.forward(15 * MINUTE - 1)
    assert teller.get("/").status_code == 200
    stopped_clock.forward(15 * MINUTE)
    response = teller.get("/accounts/?q=ada")
    assert response["Location"] == "/login/?next=/accounts/%3Fq%3Dada&ended=idle"
    assert "nothing was done for a while" in text_of(teller.get(response["Location"]))
    assert not Session.objects.exists()


def test_a_session_in_use_ends_after_a_shift(teller: Client, stopped_clock: StoppedClock) -> None:
    for _ in range(10 * 6 - 1):
        stopped_clock.forward(10 * MINUTE)
        assert teller.get("/").status_code == 200
    stopped_clock.forward(10 * MINUTE)
    response = teller.get("/")
    assert response["Location"] == "/login/?next=/&ended=shift"
    assert "your shift is over" in text_of(teller.get(response["Location"]))


def test_both_ends_are_settings(teller: Client, stopped_clock: StoppedClock, settings: Any) -> None:
    settings.BANK_IDLE_MINUTES, settings.BANK_SHIFT_HOURS = 2, 1
    stopped_clock.forward(2 * MINUTE)
    assert teller.get("/")["Location"].endswith("ended=idle")
    log_in(teller)
    for _ in range(59):
        stopped_clock.forward(MINUTE)
        assert teller.get("/").status_code == 200
    stopped_clock.forward(MINUTE)
    assert teller.get("/")["Location"].endswith("ended=shift")


def test_a_page_that_asks_by_itself_keeps_no_session_alive(teller: Client, stopped_clock: StoppedClock) -> None:
    for _ in range(14):
        stopped_clock.forward(MINUTE)
        assert teller.get("/", headers=POLL).status_code == 200
    stopped_clock.forward(MINUTE)
    response = teller.get("/", headers=POLL)
    assert response["HX-Redirect"] == "/login/?next=/&ended=idle", (
        "it moves the whole page, so that nothing stays there"
    )


def test_a_page_that_asks_by_itself_says_so(teller: Client, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    fields = {"command_id": str(uuid4()), "account_id": "1", "account_holder": "Ada", "pin": "0001"}
    assert teller.post("/accounts/open/", fields).status_code == 303
    page = teller.get("/").content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert """hx-headers='{"Bank-Poll": "true"}'""" in page


def test_use_is_written_at_most_once_a_minute(teller: Client, stopped_clock: StoppedClock) -> None:
    def writes() -> int:
        with CaptureQueriesContext(connection) as queries:
            teller.get("/")
        return sum("django_session" in query["sql"] and query["sql"].startswith("UPDATE") for query in queries)

    stopped_clock.forward(MINUTE)
    assert writes() == 1
    stopped_clock.forward(MINUTE - 1)
    assert writes() == 0
    stopped_clock.forward(1)
    assert writes() == 1


def test_an_error_page_after_the_end_greets_nobody(teller: Client, stopped_clock: StoppedClock) -> None:
    assert "tina" in text_of(teller.get("/no/such/page"))
    stopped_clock.forward(HOUR)
    response = teller.get("/no/such/page")
    assert response.status_code == 404
    assert "tina" not in text_of(response)


def test_a_session_that_does_not_say_when_it_began_is_over(bank: object) -> None:
    client = client_of("tina", "Tellers")
    session = client.session
    del session[sessions.STARTED]
    session.save()
    assert client.get("/")["Location"].endswith("ended=shift")


def test_the_admin_ends_like_everything_else(stopped_clock: StoppedClock) -> None:
    client = client_of("root", is_staff=True, is_superuser=True)
    stopped_clock.forward(HOUR)
    assert client.get("/admin/")["Location"] == "/login/?next=/admin/&ended=idle"


# A fresh password


@sessions.fresh_password
def delicate(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


def delicate_request(client: Client, method: str = "GET") -> HttpRequest:
    request = RequestFactory().generic(method, "/delicate/?with=more")
    request.session = import_module(django_settings.SESSION_ENGINE).SessionStore(key_of(client))
    return request


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_delicate_task_asks_for_the_password_when_it_is_not_fresh(
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


def test_a_wrong_password_is_not_taken_for_the_right_one(teller: Client, stopped_clock: StoppedClock) -> None:
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


# What begins and ends a session


def test_a_log_in_gives_the_session_a_new_key(bank: object) -> None:
    make_user("tina", "Tellers")
    client = Client()
    session = client.session
    session["planted"] = "by a stranger"
    session.save()
    planted = key_of(client)
    log_in(client)
    assert key_of(client) != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_a_log_out_is_a_post_and_leaves_nothing(teller: Client) -> None:
    assert teller.get("/logout/").status_code == 405
    assert teller.get("/").status_code == 200
    key = key_of(teller)
    assert teller.post("/logout/")["Location"] == "/login/"
    assert not Session.objects.exists()
    teller.cookies["sessionid"] = key
    assert teller.get("/").status_code == 302


def test_a_changed_password_ends_all_other_sessions(bank: object) -> None:
    make_user("tina", "Tellers")
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    before = key_of(here)
    new = "a much longer password"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/own/password/", fields)["Location"] == "/own/"
    assert here.get("/").status_code == 200
    assert key_of(here) != before
    assert there.get("/").status_code == 302
    assert log_in(there, password=new)["Location"] == "/"


@pytest.mark.parametrize("new", ["short", "password1234", "tina-tina-tina", "Bank!Teller#2026", "my-money-2026!!"])
def test_a_weak_password_is_refused(bank: object, new: str) -> None:
    make_user("tina-tina-tina", "Tellers")
    client = Client()
    log_in(client, "tina-tina-tina")
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/own/password/", fields).status_code == 200
    assert User.objects.get().check_password(PASSWORD)


def test_a_password_changed_by_an_administrator_ends_the_sessions(teller: Client) -> None:
    user = User.objects.get(username="tina")
    user.set_password("another one, longer")
    user.save()
    assert teller.get("/").status_code == 302


def test_a_user_who_is_made_inactive_is_out_at_once(teller: Client) -> None:
    User.objects.update(is_active=False)
    assert teller.get("/").status_code == 302


def test_a_user_ends_all_other_sessions_and_nobody_elses(bank: object) -> None:
    make_user("tina", "Tellers")
    here, there, tom = Client(), Client(), client_of("tom", "Tellers")
    log_in(here)
    log_in(there)
    assert text_of(here.get("/own/")).count("another") == 1
    assert here.post("/own/sessions/")["Location"] == "/own/"
    assert text_of(here.get("/own/")).count("another") == 0
    assert there.get("/").status_code == 302
    assert tom.get("/").status_code == 200


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


def test_what_is_refused_is_logged(teller: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "bank.security"):
        assert teller.get("/admin/login/").status_code == 403
    assert "Refused GET '/admin/login/': user tina, from 127.0.0.1" in caplog.messages


def test_an_administrator_ends_the_sessions_of_a_user(teller: Client) -> None:
    admin = client_of("root", is_staff=True, is_superuser=True)
    tina = User.objects.get(username="tina")
    admin.post("/admin/auth/user/", {"action": "end_sessions", "_selected_action": [str(tina.pk)]})
    assert teller.get("/").status_code == 302
    assert admin.get("/admin/").status_code == 200
    assert "Sessions ended" in text_of(admin.get(f"/admin/auth/user/{tina.pk}/history/"))
