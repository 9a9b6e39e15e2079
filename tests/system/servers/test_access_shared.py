"""Several web processes share log-ins: they count tries together, and know the same sessions."""

import time
from functools import partial

from bank.access.throttle import FREE_TRIES
from tests.support.programs import PASSWORD, Web
from tests.support.teller import Teller
from tests.support.values import at_once


def attempt(teller: Teller, password: str) -> int:
    return teller.post("/login/", username="teller", password=password).status


def test_many_tries_at_once_at_several_processes_are_counted_together(webs: list[Web]) -> None:
    strangers = [Teller(webs[number % 2].port) for number in range(24)]
    for stranger in strangers:
        stranger.get("/login/")
    began = time.monotonic()
    statuses = at_once([partial(attempt, stranger, "wrong") for stranger in strangers])
    took = time.monotonic() - began
    looked_at = statuses.count(200)
    assert looked_at + statuses.count(429) == len(strangers), statuses
    assert looked_at >= FREE_TRIES
    # The free tries are followed by waits of 1, 2, 4 seconds and so on, which limit the number of further tries.
    assert 2 ** (looked_at - FREE_TRIES) - 1 <= took, (looked_at, took)


def test_a_session_is_one_at_all_processes_and_ends_at_all(webs: list[Web]) -> None:
    teller = Teller(webs[0].port)
    teller.log_in("teller", PASSWORD)
    teller.move(webs[1].port)
    page = teller.get("/")
    assert page.status == 200
    cookies = dict(teller.cookies)
    assert teller.post("/logout/").status == 302
    teller.move(webs[0].port)
    teller.cookies = cookies
    assert teller.get("/").location.startswith("/login/")
