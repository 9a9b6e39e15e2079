"""Open pages that ask whether they have changed: an answer costs little, and misses nothing."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as its
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.html import escape

from bank.screens import live, pages
from projections import engine, freshness
from tests.support.clocks import StoppedClock
from tests.support.helpers import client_of, text_of
from tests.support.values import deposit, open_account

MINUTE = 60


@pytest.fixture
def teller(bank: Path) -> Client:
    """A browser, with two projected accounts."""
    open_account(1, "Ada")
    open_account(2, "Grace")
    return client_of("tina", "Supervisors")


def ask(client: Client, page: Any, path: str) -> Any:
    """Ask as an open page does."""
    headers = {"Bank-Poll": "true", "HX-Request": "true", "HX-Current-URL": path, "If-None-Match": page["ETag"]}
    return client.get(path, headers=headers)


@pytest.mark.parametrize(
    "path", ["/", "/accounts/", "/accounts/?q=ada", "/accounts/1/", "/accounts/1/?kind=money", "/days/", "/transfers/"]
)
def test_an_unchanged_page_is_not_rendered_and_a_changed_one_is(
    teller: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = teller.get(path)
    assert f'data-tag="{escape(page["ETag"])}"' in page.content.decode()
    with monkeypatch.context() as patch:
        patch.setattr(pages, "render", lambda *args, **kwargs: pytest.fail("it is rendered"))
        answer = ask(teller, page, path)
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", page["ETag"])
    deposit(1, 500, actor="tina")
    answer = ask(teller, page, path)
    assert answer.status_code == 200
    assert ask(teller, answer, path).status_code == 304


def test_an_account_whose_neighbour_has_changed_is_unchanged_and_takes_the_new_tag(teller: Client) -> None:
    page = teller.get("/accounts/1/")
    deposit(2, 500)
    answer = ask(teller, page, "/accounts/1/")
    assert answer.status_code == 304
    bank, account = page["ETag"].split("-")
    assert answer["ETag"].split("-")[0] != bank
    assert answer["ETag"].split("-")[1] == account


def test_a_page_of_yesterday_has_changed(teller: Client, stopped_clock: StoppedClock) -> None:
    page = teller.get("/tills/")
    assert ask(teller, page, "/tills/").status_code == 304
    stopped_clock.forward(10 * MINUTE)
    assert ask(teller, page, "/tills/").status_code == 304
    state = live.state_of(freshness.look())
    stopped_clock.forward(24 * 60 * MINUTE)
    assert live.state_of(freshness.look()) != state


def test_a_page_asks_no_more_after_its_permission_or_its_session_has_ended(teller: Client) -> None:
    page = teller.get("/accounts/1/")
    user = User.objects.get(username="tina")
    user.groups.clear()
    assert ask(teller, page, "/accounts/1/").status_code == 403
    Session.objects.all().delete()
    answer = ask(teller, page, "/accounts/1/")
    assert answer["HX-Redirect"] == "/login/?next=/accounts/1/"


# While the figures are behind


@pytest.fixture
def no_worker(teller: Client, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    settings.PROJECTION_WAIT = 0


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("path", ["/", "/accounts/", "/accounts/1/", "/days/"])
def test_a_page_that_is_behind_is_shown_again_when_other_events_wait(
    teller: Client, stopped_clock: StoppedClock, path: str
) -> None:
    deposit(1, 500)
    stopped_clock.forward(2)
    page = teller.get(path)
    assert "still catching up: 1 event not" in text_of(page)
    assert ask(teller, page, path).status_code == 304
    deposit(1, 500)
    page = ask(teller, page, path)
    assert "2 events not yet in them" in text_of(page)
    engine.catch_up()
    page = ask(teller, page, path)
    assert "still catching up" not in text_of(page)
    deposit(1, 700)
    deposit(1, 700)
    stopped_clock.forward(2)
    assert "still catching up: 2 events" in text_of(ask(teller, page, path))


@pytest.mark.usefixtures("no_worker")
def test_a_page_that_asks_does_not_wait_for_the_read_side(teller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    page = teller.get("/")
    fields = {"command_id": "00000000-0000-4000-8000-000000000001", "amount": "5"}
    assert teller.post("/accounts/1/deposit/", fields).status_code == 303

    def wait(*log_position: object) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr(freshness, "_wait_for", wait)
    assert ask(teller, page, "/").status_code == 200
    with pytest.raises(AssertionError, match="it waits"):
        teller.get("/")


# Answers of the server's loop


@pytest.fixture
def pulse(teller: Client, monkeypatch: pytest.MonkeyPatch) -> live.Pulse:
    pulse = live.Pulse()
    monkeypatch.setattr(live, "pulse", pulse)
    return pulse


def head_of(client: Client, page: Any) -> dict[str, str]:
    """Return the headers of the server for a page that asks."""
    session = client.cookies[its.SESSION_COOKIE_NAME].value
    cookies = f"csrftoken=abc; {its.SESSION_COOKIE_NAME}={session}"
    return {"BANK_POLL": "true", "IF_NONE_MATCH": page["ETag"], "COOKIE": cookies}


def test_the_loop_answers_sessions_that_were_checked_until_something_changes(teller: Client, pulse: live.Pulse) -> None:
    page = teller.get("/accounts/1/")
    head = head_of(teller, page)
    pulse.look()
    assert pulse.at_once("GET", head) is None, "nobody has checked the session"
    ask(teller, page, "/accounts/1/")
    pulse.look()
    answer = pulse.at_once("GET", head)
    assert answer is not None
    assert answer.startswith(b"HTTP/1.1 304 Not Modified\r\nCache-Control: no-store\r\nDate: ")
    assert f"ETag: {page['ETag']}\r\n".encode() in answer

    deposit(2, 500)
    assert pulse.at_once("GET", head), "the last look counts for a moment"
    pulse.look()
    assert pulse.at_once("GET", head) is None
    assert pulse.at_once("GET", {**head, "IF_NONE_MATCH": ask(teller, page, "/accounts/1/")["ETag"]})


def test_the_loop_leaves_everything_else_to_the_application(
    teller: Client, pulse: live.Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = teller.get("/")
    ask(teller, page, "/")
    pulse.look()
    head = head_of(teller, page)
    assert pulse.at_once("GET", head)
    for name in head:
        assert pulse.at_once("GET", {key: value for key, value in head.items() if key != name}) is None
    assert pulse.at_once("POST", head) is None
    assert pulse.at_once("GET", {**head, "IF_NONE_MATCH": "*"}) is None
    assert pulse.at_once("GET", {**head, "COOKIE": f"not{head['COOKIE'][15:]}"}) is None
    monkeypatch.setattr(live, "STALE", 0)
    assert pulse.at_once("GET", head) is None, "the look is old"


def test_the_loop_forgets_a_session_that_has_ended(
    teller: Client, pulse: live.Pulse, stopped_clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds() -> float:
        """Return for how long the loop answers the session."""
        pulse.admitted.clear()
        ask(teller, page, "/")
        return pulse.admitted.get(teller.cookies[its.SESSION_COOKIE_NAME].value, 0) - time.monotonic()

    page = teller.get("/")
    assert 0 < seconds() <= live.FULL_CHECK
    stopped_clock.forward(its.BANK_IDLE_MINUTES * MINUTE - 1)
    assert 0 < seconds() <= 1
    pulse.look()
    assert pulse.at_once("GET", head_of(teller, page))
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + 2)
    assert pulse.at_once("GET", head_of(teller, page)) is None, "it has been idle for too long"
    monkeypatch.undo()
    head = head_of(teller, page)
    teller.post("/logout/")
    pulse.look()
    assert not pulse.admitted
    assert pulse.at_once("GET", head) is None
