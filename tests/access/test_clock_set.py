"""A clock that is set back or forward: nobody waits longer than the limit, and nothing stays valid for longer."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from bank.access import second_factor, sessions, throttle
from bank.access.models import LogInTries, UsedCode
from tests.support.clocks import StoppedClock
from tests.support.helpers import PASSWORD, client_of, log_in, make_user, text_of
from tests.support.phones import code_of, is_in
from tests.support.phones import susan as susan

pytestmark = pytest.mark.usefixtures("bank", "stopped_clock")

HOUR, YEAR = 3600, 365 * 24 * 3600
JUMPS = pytest.mark.parametrize("jump", [2 * HOUR, YEAR], ids=["two hours", "a year"])
IDLE, SHIFT = 15 * 60, 10 * HOUR


@pytest.fixture
def teller(bank: object) -> Client:
    return client_of("tina", "Tellers")


# Waiting


@JUMPS
def test_no_wait_is_longer_than_its_limit_when_the_clock_is_set_back(jump: int, stopped_clock: StoppedClock) -> None:
    make_user("tina", "Tellers")
    client = Client()
    for _ in range(throttle.FREE_TRIES):
        log_in(client, password="wrong")
    stopped_clock.forward(-jump)
    assert log_in(client)["Retry-After"] == "1", "as if the last try had been now"
    stopped_clock.forward(1)
    assert log_in(client)["Location"] == "/"


@JUMPS
def test_the_longest_wait_is_over_when_it_is_over(jump: int, stopped_clock: StoppedClock) -> None:
    make_user("tina", "Tellers")
    client = Client()
    log_in(client, password="wrong")
    LogInTries.objects.update(tries=throttle.FREE_TRIES + 20)
    stopped_clock.forward(-jump)
    for passed in range(0, throttle.LONGEST_WAIT, 300):
        assert log_in(client)["Retry-After"] == str(throttle.LONGEST_WAIT - passed), "asking does not prolong it"
        stopped_clock.forward(300)
    assert log_in(client)["Location"] == "/"


@JUMPS
def test_a_count_is_forgotten_a_day_after_the_clock_was_set_back(jump: int, stopped_clock: StoppedClock) -> None:
    make_user("tina", "Tellers")
    client = Client()
    for _ in range(throttle.FREE_TRIES):
        log_in(client, password="wrong")
    stopped_clock.forward(-jump)
    assert log_in(client).status_code == 429
    stopped_clock.forward(throttle.FORGOTTEN.total_seconds())
    for _ in range(throttle.FREE_TRIES):
        assert log_in(client, password="wrong").status_code == 200


@JUMPS
def test_no_stored_time_of_a_log_in_is_later_than_a_clock_that_was_set_back(
    jump: int, stopped_clock: StoppedClock
) -> None:
    make_user("tina", "Tellers")
    make_user("tom", "Tellers")
    log_in(Client(), "tina")
    stopped_clock.forward(-jump)
    log_in(Client(), "tom")  # each log-in moves future times to now
    now = timezone.now()
    assert not any(moment > now for row in LogInTries.objects.all() for moment in (row.since, row.last_at))
    assert {row.logged_in_at for row in LogInTries.objects.exclude(logged_in_at=None)} == {now}


@JUMPS
def test_the_teller_stays_known_at_the_counter(jump: int, stopped_clock: StoppedClock) -> None:
    make_user("tina", "Tellers")
    counter = Client()
    log_in(counter)
    counter.post("/logout/")
    stopped_clock.forward(-jump)
    for number in range(throttle.FREE_TRIES_OF_USER):
        log_in(Client(REMOTE_ADDR=f"198.51.100.{number}"), password="wrong")
    assert log_in(Client(REMOTE_ADDR="198.51.100.99")).status_code == 429
    assert log_in(counter)["Location"] == "/"


@JUMPS
def test_a_count_survives_a_clock_that_is_set_forward_and_back_meanwhile(
    jump: int, stopped_clock: StoppedClock
) -> None:
    make_user("tina", "Tellers")
    client = Client()
    stopped_clock.forward(jump)
    for _ in range(throttle.FREE_TRIES):
        log_in(client, password="wrong")
    stopped_clock.forward(-jump)
    assert log_in(client)["Retry-After"] == "1"


# Sessions


@JUMPS
def test_a_session_ends_when_the_clock_was_set_back(jump: int, teller: Client, stopped_clock: StoppedClock) -> None:
    stopped_clock.forward(-jump)
    response = teller.get("/accounts/")
    assert response["Location"] == "/login/?next=/accounts/&ended=clock"
    assert "the server's clock was set back" in text_of(teller.get(response["Location"]))
    assert log_in(teller)["Location"] == "/"
    assert is_in(teller), "the new one is of the new time"


@JUMPS
def test_a_session_ends_when_the_clock_was_set_back_after_its_start(
    jump: int, teller: Client, stopped_clock: StoppedClock
) -> None:
    for _ in range(3 * HOUR // 600):
        stopped_clock.forward(600)
        assert is_in(teller)
    stopped_clock.forward(-jump)
    assert not is_in(teller)


@JUMPS
def test_a_session_ends_when_the_clock_was_set_forward(jump: int, teller: Client, stopped_clock: StoppedClock) -> None:
    stopped_clock.forward(jump)
    assert not is_in(teller)
    stopped_clock.forward(-jump)
    assert not is_in(teller), "it does not come back"


@JUMPS
def test_a_session_of_a_clock_that_was_ahead_ends(jump: int, stopped_clock: StoppedClock) -> None:
    stopped_clock.forward(jump)
    client = client_of("tina", "Tellers")
    stopped_clock.forward(-jump)
    assert not is_in(client)


def test_an_idle_session_lives_on_for_no_longer_than_its_limit(teller: Client, stopped_clock: StoppedClock) -> None:
    stopped_clock.forward(2 * HOUR + 60)
    stopped_clock.forward(-2 * HOUR)
    assert is_in(teller), "by the clock it was idle for a minute"
    stopped_clock.forward(IDLE)
    assert not is_in(teller)


def test_web_servers_whose_clocks_differ_a_little_share_sessions(teller: Client, stopped_clock: StoppedClock) -> None:
    for _ in range(4 * 60 // 5):
        stopped_clock.forward(sessions.SKEW)
        assert is_in(teller)
        stopped_clock.forward(5 - sessions.SKEW)
        assert is_in(teller)
        assert teller.get("/own/second-factor/").status_code == 200, "the password is fresh at both"


@JUMPS
def test_ended_sessions_do_not_come_back_with_the_clock(jump: int, teller: Client, stopped_clock: StoppedClock) -> None:
    stopped_clock.forward(SHIFT + jump)
    sessions.end_all(User.objects.get())
    stopped_clock.forward(-SHIFT - jump)
    assert not is_in(teller)


def test_a_log_in_deletes_the_sessions_that_have_expired(teller: Client, stopped_clock: StoppedClock) -> None:
    stopped_clock.forward(SHIFT + 1)
    log_in(Client())
    assert Session.objects.count() == 1


@JUMPS
def test_a_password_from_the_future_is_not_fresh(jump: int, teller: Client, stopped_clock: StoppedClock) -> None:
    session = teller.session
    session[sessions.PASSWORD] += jump
    session.save()
    assert teller.get("/own/second-factor/")["Location"].startswith("/confirm/")
    assert teller.post("/confirm/", {"password": PASSWORD})["Location"] == "/"
    assert teller.get("/own/second-factor/").status_code == 200


# The second factor


@JUMPS
def test_a_password_from_the_future_waits_for_no_code(
    jump: int, susan: TOTPDevice, stopped_clock: StoppedClock
) -> None:
    client = Client()
    log_in(client, "susan")
    stopped_clock.forward(-jump)
    response = client.post("/login/code/", {"code": code_of(susan, stopped_clock)})
    assert response["Location"].startswith("/login/?ended=late")


def enter(device: TOTPDevice, clock: StoppedClock, code: str = "") -> Any:
    """Log in with a code; by default with the current one."""
    client = Client()
    assert log_in(client, "susan")["Location"] == "/login/code/"
    return client.post("/login/code/", {"code": code or code_of(device, clock)})


@JUMPS
def test_a_clock_that_is_set_back_locks_nobody_out_and_lets_no_code_be_used_again(
    jump: int, susan: TOTPDevice, stopped_clock: StoppedClock
) -> None:
    steps = 6
    used = []
    for _ in range(steps):
        used.append(code_of(susan, stopped_clock))
        assert enter(susan, stopped_clock).status_code == 302
        stopped_clock.forward(60)
    stopped_clock.forward(-jump)
    assert enter(susan, stopped_clock).status_code == 302, "the app follows the clock"
    stopped_clock.forward(jump - 60 * steps)
    for code in used:  # these time steps come a second time
        assert code == code_of(susan, stopped_clock)
        assert enter(susan, stopped_clock).status_code == 422, "it was used the first time"
        stopped_clock.forward(30)
        TOTPDevice.objects.update(throttling_failure_count=0)
        assert enter(susan, stopped_clock).status_code == 302, "this one was not"
        stopped_clock.forward(30)


@JUMPS
def test_a_code_is_good_once_right_after_the_clock_was_set_back(
    jump: int, susan: TOTPDevice, stopped_clock: StoppedClock
) -> None:
    assert enter(susan, stopped_clock).status_code == 302
    stopped_clock.forward(-jump)
    code = code_of(susan, stopped_clock)
    assert enter(susan, stopped_clock, code).status_code == 302
    assert enter(susan, stopped_clock, code).status_code == 422


@JUMPS
def test_a_code_is_good_once_right_after_the_clock_was_set_forward(
    jump: int, susan: TOTPDevice, stopped_clock: StoppedClock
) -> None:
    old = code_of(susan, stopped_clock)
    assert enter(susan, stopped_clock).status_code == 302
    stopped_clock.forward(jump)
    assert enter(susan, stopped_clock).status_code == 302
    stopped_clock.forward(-jump)
    assert enter(susan, stopped_clock, old).status_code == 422


@JUMPS
def test_a_wrong_code_waits_no_longer_when_the_clock_is_set_back(
    jump: int, susan: TOTPDevice, stopped_clock: StoppedClock
) -> None:
    assert enter(susan, stopped_clock, "000000").status_code == 422
    stopped_clock.forward(-jump)
    assert enter(susan, stopped_clock)["Retry-After"] == "1"
    stopped_clock.forward(1)
    assert enter(susan, stopped_clock).status_code == 302


def test_a_new_second_factor_begins_without_used_codes(susan: TOTPDevice, stopped_clock: StoppedClock) -> None:
    assert enter(susan, stopped_clock).status_code == 302
    assert UsedCode.objects.count() == 1
    second_factor.reset(susan.user)
    assert not UsedCode.objects.exists()
    again = TOTPDevice.objects.create(user=susan.user, name="Phone", key=susan.key)
    assert enter(again, stopped_clock).status_code == 302


def test_a_device_of_an_earlier_version_refuses_the_code_that_it_used_last(
    susan: TOTPDevice, stopped_clock: StoppedClock
) -> None:
    TOTPDevice.objects.update(last_t=int(stopped_clock.seconds) // 30)
    assert enter(susan, stopped_clock).status_code == 422
    stopped_clock.forward(31)
    assert enter(susan, stopped_clock).status_code == 302
