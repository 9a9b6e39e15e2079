"""Several web processes are one bank to those who log in: they count tries together, and know the same sessions."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bank.access.throttle import FREE_TRIES
from tests import postgres
from tests.programs import PASSWORD, Web
from tests.support import at_once
from tests.teller import Teller


@pytest.fixture(params=["sqlite", "postgresql"])
def webs(request: Any, tmp_path: Path) -> Iterator[list[Web]]:
    """Two web servers of two processes each, on one data folder or one PostgreSQL server."""
    variables = {"BANK_TELLER_PASSWORD": PASSWORD}
    if request.param == "sqlite":
        with (
            Web(tmp_path / "data", "--workers", "2", **variables) as one,
            Web(tmp_path / "data", "--workers", "2", **variables) as two,
        ):
            yield [one, two]
        return
    postgres.require()
    with postgres.Cluster() as cluster:
        variables["DATABASE_URL"] = cluster.create_database("bank")
        variables["PROJECTIONS_DATABASE_URL"] = cluster.create_database("projections")
        variables |= {"SECRET_KEY": "one key for both" * 4, "PIN_KEYS": "one key for both"}
        with Web(tmp_path / "one", "--workers", "2", **variables) as one, Web(tmp_path / "two", **variables) as two:
            yield [one, two]


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
    # After the free ones come waits of 1, 2, 4 seconds and so on: as many more as there was time for.
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
