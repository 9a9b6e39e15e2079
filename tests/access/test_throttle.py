"""Throttling of password tries, without letting a stranger lock a teller out."""

import logging

import pytest
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from bank.access import throttle
from bank.access.models import LogInTries
from tests.support.clocks import StoppedClock
from tests.support.helpers import PASSWORD, log_in, make_user, text_of
from tests.support.values import at_once

pytestmark = pytest.mark.usefixtures("bank", "stopped_clock")

COUNTER, ELSEWHERE, STRANGER = "10.0.0.1", "10.0.0.2", "203.0.113.9"


@pytest.fixture(autouse=True)
def tina(bank: object) -> None:
    make_user("tina", "Tellers")


def browser(address: str = STRANGER) -> Client:
    return Client(REMOTE_ADDR=address)


def fail(client: Client, times: int, name: str = "tina") -> None:
    for _ in range(times):
        assert log_in(client, name, "wrong").status_code == 200


def test_after_the_free_tries_each_wait_is_twice_as_long(stopped_clock: StoppedClock) -> None:
    client = browser()
    fail(client, throttle.FREE_TRIES)
    for wait in (1, 2, 4, 8):
        assert log_in(client)["Retry-After"] == str(wait), "even the right password has to wait"
        stopped_clock.forward(wait)
        fail(client, 1)


def test_a_try_that_comes_too_early_is_refused_in_plain_words_and_not_counted(stopped_clock: StoppedClock) -> None:
    client = browser()
    fail(client, throttle.FREE_TRIES)
    for _ in range(10):
        response = log_in(client)
        assert response.status_code == 429
        assert response["Retry-After"] == "1"
        assert "Nothing was checked this time. Try again in 1 second." in text_of(response)
    stopped_clock.forward(1)
    assert log_in(client).status_code == 302


def test_no_wait_is_longer_than_the_longest(stopped_clock: StoppedClock) -> None:
    client = browser()
    fail(client, throttle.FREE_TRIES)
    waits = []
    for _ in range(15):
        waits.append(int(log_in(client)["Retry-After"]))
        stopped_clock.forward(waits[-1])
        fail(client, 1)
    assert waits == [min(2**n, throttle.LONGEST_WAIT) for n in range(15)]


def test_a_right_password_sets_the_count_back(stopped_clock: StoppedClock) -> None:
    client = browser()
    for _ in range(5):
        fail(client, throttle.FREE_TRIES - 1)
        assert log_in(client).status_code == 302
        client.post("/logout/")


def test_a_right_password_clears_no_tries_of_others_at_the_same_address() -> None:
    """Otherwise users could try the passwords of others without limit, and reset the count by their own log-ins."""
    make_user("eve", "Tellers")
    for number in range(throttle.FREE_TRIES_AT_PLACE - 1):
        fail(browser(), 1, f"name{number}")
    assert log_in(browser(), "eve").status_code == 302
    assert log_in(browser(), "yet another", "wrong").status_code == 200
    assert log_in(browser(), "yet another", "wrong").status_code == 429


def test_a_right_password_takes_back_no_tries_of_strangers_elsewhere() -> None:
    for number in range(throttle.FREE_TRIES_OF_USER - 1):
        fail(browser(f"198.51.100.{number}"), 1)
    assert log_in(browser(COUNTER)).status_code == 302
    fail(browser("198.51.100.200"), 1)
    assert log_in(browser("198.51.100.201")).status_code == 429


def test_a_count_is_forgotten_after_a_day(stopped_clock: StoppedClock) -> None:
    client = browser()
    fail(client, throttle.FREE_TRIES)
    stopped_clock.forward(throttle.FORGOTTEN.total_seconds())
    fail(client, throttle.FREE_TRIES)


def test_a_stranger_with_many_addresses_is_slowed_at_the_user(stopped_clock: StoppedClock) -> None:
    for number in range(throttle.FREE_TRIES_OF_USER):
        fail(browser(f"198.51.100.{number}"), 1)
    assert log_in(browser("198.51.100.200")).status_code == 429


def test_a_stranger_with_many_names_is_slowed_at_the_address() -> None:
    for number in range(throttle.FREE_TRIES_AT_PLACE):
        fail(browser(), 1, f"name{number}")
    assert log_in(browser(), "yet another", "wrong").status_code == 429
    assert log_in(browser(ELSEWHERE), "yet another", "wrong").status_code == 200


def test_the_addresses_of_one_ipv6_subscriber_are_throttled_as_one() -> None:
    for number in range(throttle.FREE_TRIES):
        fail(browser(f"2001:db8:1:2::{number}"), 1)
    assert log_in(browser("2001:db8:1:2:ffff::1")).status_code == 429
    assert log_in(browser("2001:db8:1:3::1"), password="wrong").status_code == 200


def test_an_unknown_name_is_slowed_like_a_known_one() -> None:
    client = browser()
    fail(client, throttle.FREE_TRIES, "nobody of this name")
    assert log_in(client, "nobody of this name").status_code == 429


# The teller gets in


def attack() -> None:
    """Use up all tries of strangers: the user's tries from everywhere."""
    for number in range(throttle.FREE_TRIES_OF_USER):
        fail(browser(f"198.51.100.{number}"), 1)
    assert log_in(browser()).status_code == 429


def test_a_stranger_does_not_lock_the_teller_out_at_their_own_device() -> None:
    counter = browser(COUNTER)
    assert log_in(counter).status_code == 302
    counter.post("/logout/")
    attack()
    counter.defaults["REMOTE_ADDR"] = ELSEWHERE  # the same device at another place
    assert log_in(counter).status_code == 302


def test_a_stranger_does_not_lock_the_teller_out_at_their_own_address() -> None:
    assert log_in(browser(COUNTER)).status_code == 302
    attack()
    assert log_in(browser(COUNTER)).status_code == 302, "the cookies are gone, the address is known"


def test_a_colleague_behind_the_same_address_does_not_lock_the_teller_out() -> None:
    counter = browser(COUNTER)
    log_in(counter)
    counter.post("/logout/")
    for number in range(throttle.FREE_TRIES_AT_PLACE):
        fail(browser(COUNTER), 1, f"name{number}")
    assert log_in(browser(COUNTER), "anybody").status_code == 429
    assert log_in(counter).status_code == 302


def test_a_device_of_several_tellers_knows_each() -> None:
    make_user("tom", "Tellers")
    counter = browser(COUNTER)
    for name in ("tina", "tom"):
        assert log_in(counter, name).status_code == 302
        counter.post("/logout/")
    counter.defaults["REMOTE_ADDR"] = ELSEWHERE
    attack()
    for name in ("tina", "tom"):
        assert log_in(counter, name).status_code == 302
        counter.post("/logout/")


def test_a_known_device_has_its_own_free_tries_and_no_more() -> None:
    counter = browser(COUNTER)
    log_in(counter)
    counter.post("/logout/")
    fail(counter, throttle.FREE_TRIES)
    assert log_in(counter).status_code == 429


def test_a_device_known_for_one_user_is_not_known_for_another() -> None:
    make_user("eve", "Tellers")
    eve = browser()
    assert log_in(eve, "eve").status_code == 302
    eve.post("/logout/")
    attack()
    assert log_in(eve, "tina").status_code == 429


def test_a_forged_device_cookie_is_worth_nothing() -> None:
    counter = browser(COUNTER)
    log_in(counter)
    forged = browser()
    value = counter.cookies["bank_device"].value
    forged.cookies["bank_device"] = value[:-1] + ("A" if value[-1] != "A" else "B")
    attack()
    assert log_in(forged).status_code == 429


def test_a_device_is_forgotten_when_long_unused(stopped_clock: StoppedClock) -> None:
    counter = browser(COUNTER)
    log_in(counter)
    stopped_clock.forward(throttle.REMEMBERED.total_seconds() + 1)
    attack()
    assert log_in(counter).status_code == 429


def test_old_counts_are_cleared_away(stopped_clock: StoppedClock) -> None:
    fail(browser(), 1, "name1")
    stopped_clock.forward(throttle.FORGOTTEN.total_seconds() + 1)
    log_in(browser(COUNTER))
    assert LogInTries.objects.filter(logged_in_at=None, since__lt=timezone.now() - throttle.FORGOTTEN).count() == 0
    assert LogInTries.objects.exclude(logged_in_at=None).count() == 2, "the device and the place of tina"


# Simultaneous tries, other log-ins, and the security log


def test_many_tries_at_the_same_moment_are_no_way_around() -> None:
    def attempt() -> int:
        return int(log_in(browser(), password="wrong").status_code)

    statuses = at_once([attempt] * 16)
    assert statuses.count(200) == throttle.FREE_TRIES
    assert statuses.count(429) == 16 - throttle.FREE_TRIES


@pytest.mark.parametrize(("url", "field"), [("/confirm/", "password"), ("/own/password/", "old_password")])
def test_guesses_of_the_password_in_an_open_session_are_throttled(url: str, field: str) -> None:
    client = browser()
    log_in(client)
    new = {"new_password1": "another long one", "new_password2": "another long one"}
    for _ in range(throttle.FREE_TRIES):
        assert client.post(url, {field: "wrong", **new}).status_code in (200, 422)
    assert client.post(url, {field: PASSWORD, **new}).status_code == 429


def test_the_admin_has_no_log_in_of_its_own() -> None:
    response = browser().post("/admin/login/?next=/admin/auth/", {"username": "tina", "password": PASSWORD})
    assert response.status_code == 302
    assert response["Location"] == "/login/?next=/admin/auth/"


def test_every_password_check_of_a_request_is_throttled() -> None:
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = STRANGER
    for _ in range(throttle.FREE_TRIES):
        assert authenticate(request, username="tina", password="wrong") is None
    with pytest.raises(throttle.TooManyTries):
        authenticate(request, username="tina", password=PASSWORD)


def test_the_log_names_users_and_addresses_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    client = browser()
    with caplog.at_level(logging.INFO, "bank.security"):
        fail(client, throttle.FREE_TRIES)
        log_in(client)
        fail(browser(), 1, "a password typed as a name")
        log_in(browser(COUNTER))
    logged = [record.getMessage() for record in caplog.records if record.name == "bank.security"]
    assert logged == [
        *["Password refused: user tina, from 203.0.113.9"] * throttle.FREE_TRIES,
        "Throttled for 1 s: user tina, from 203.0.113.9",
        "Password refused: user unknown, from 203.0.113.9",
        "Logged in: user tina, from 10.0.0.1",
    ]
    assert not any("wrong" in text or PASSWORD in text for text in caplog.messages)


def test_a_password_typed_as_a_user_name_is_not_in_the_database() -> None:
    fail(browser(), 1, "a password typed as a name")
    assert all("password" not in repr(row) for row in LogInTries.objects.values())
