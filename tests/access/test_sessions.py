"""The lifetime of sessions: their beginning, use and end."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bank.access import sessions
from tests.support.clocks import StoppedClock
from tests.support.helpers import PASSWORD, client_of, key_of, log_in, make_user, text_of
from tests.support.programs import run

pytestmark = pytest.mark.usefixtures("bank")

MINUTE = 60
HOUR = 3600
POLL = {"Bank-Poll": "true", "HX-Request": "true"}


@pytest.fixture
def teller(bank: object, stopped_clock: StoppedClock) -> Client:
    return client_of("tina", "Tellers")


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


@pytest.mark.parametrize("name", ["BANK_IDLE_MINUTES", "BANK_SHIFT_HOURS", "BANK_FRESH_PASSWORD_MINUTES"])
def test_an_unusable_session_time_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    refused = run(tmp_path, "check", **{name: "0"})
    assert refused.returncode != 0
    assert "are 1 or more" in refused.stdout


def test_a_poll_keeps_no_session_alive(teller: Client, stopped_clock: StoppedClock) -> None:
    for _ in range(14):
        stopped_clock.forward(MINUTE)
        assert teller.get("/", headers=POLL).status_code == 200
    stopped_clock.forward(MINUTE)
    response = teller.get("/", headers=POLL)
    assert response["HX-Redirect"] == "/login/?next=/&ended=idle", (
        "it moves the whole page, so that nothing stays there"
    )


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


def test_a_page_is_shown_though_a_locked_database_does_not_record_its_use(
    teller: Client, stopped_clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OperationalError("database is locked")

    stopped_clock.forward(MINUTE)
    with monkeypatch.context() as patch:
        patch.setattr(db.SessionStore, "save", fail)
        assert teller.get("/").status_code == 200
        with pytest.raises(OperationalError):
            teller.post("/login/")
    stopped_clock.forward(14 * MINUTE - 1)
    assert teller.get("/").status_code == 200
    stopped_clock.forward(14 * MINUTE)
    assert teller.get("/").status_code == 200, "the second one was recorded"


def test_an_error_page_after_the_end_greets_nobody(teller: Client, stopped_clock: StoppedClock) -> None:
    assert "tina" in text_of(teller.get("/no/such/page"))
    stopped_clock.forward(HOUR)
    response = teller.get("/no/such/page")
    assert response.status_code == 404
    assert "tina" not in text_of(response)


def test_a_session_without_a_start_time_is_over(bank: object) -> None:
    client = client_of("tina", "Tellers")
    session = client.session
    del session[sessions.STARTED]
    session.save()
    assert client.get("/")["Location"].endswith("ended=shift")


def test_the_admin_ends_like_everything_else(stopped_clock: StoppedClock) -> None:
    client = client_of("root", is_staff=True, is_superuser=True)
    stopped_clock.forward(HOUR)
    assert client.get("/admin/")["Location"] == "/login/?next=/admin/&ended=idle"


# Beginning and end of a session


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


def test_each_refusal_is_logged(teller: Client, caplog: pytest.LogCaptureFixture) -> None:
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


def test_after_the_log_in_a_page_that_asked_for_a_part_is_shown_as_a_whole(
    teller: Client, stopped_clock: StoppedClock
) -> None:
    stopped_clock.forward(16 * MINUTE)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/accounts/1/?kind=in"}
    response = teller.get("/accounts/1/deposit/echo/?amount=5", headers=headers)
    assert response["HX-Redirect"] == "/login/?next=/accounts/1/%3Fkind%3Din&ended=idle"
    elsewhere = {**headers, "HX-Current-URL": "http://elsewhere.test/"}
    response = teller.get("/find/?q=ada", headers=elsewhere)
    assert response["HX-Redirect"].startswith("/login/?next=/find/")
