"""Polls of open pages while figures are behind: they cost little, and miss nothing."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from projections import engine, freshness
from tests.support.clocks import StoppedClock
from tests.support.helpers import client_of, text_of
from tests.support.values import deposit, open_account


@pytest.fixture
def teller(bank: Path, settings: Any) -> Client:
    """A browser, with a projected account and no running worker."""
    settings.PROJECTION_MODE = "worker"
    settings.PROJECTION_WAIT = 0
    open_account()
    engine.catch_up()
    return client_of("tina", "Tellers")


def poll(teller: Client, page: str, address: str = "/accounts/1/") -> Any:
    """Poll as the page does."""
    [output] = re.findall(r"""hx-headers='{"Bank-Poll": "true", "Bank-Behind": "([^"]*)"}'""", page)
    return teller.get(address, headers={"Bank-Poll": "true", "HX-Request": "true", "Bank-Behind": output})


@pytest.mark.parametrize("address", ["/", "/accounts/", "/accounts/1/", "/days/"])
def test_a_poll_gets_a_204_while_nothing_has_changed(teller: Client, stopped_clock: StoppedClock, address: str) -> None:
    deposit(1, 500)
    stopped_clock.forward(2)
    page = teller.get(address).content.decode()
    assert "still catching up" in page
    answer = poll(teller, page, address)
    assert (answer.status_code, answer.content) == (204, b"")

    deposit(1, 500)
    more = poll(teller, page, address)
    assert "2 events not yet in them" in text_of(more)
    engine.catch_up()
    assert "still catching up" not in text_of(poll(teller, page, address))


def test_a_page_is_shown_anew_when_as_many_events_wait_as_before_but_others(
    teller: Client, stopped_clock: StoppedClock
) -> None:
    deposit(1, 500)
    stopped_clock.forward(2)
    page = teller.get("/accounts/1/").content.decode()
    engine.catch_up()
    deposit(1, 700)
    stopped_clock.forward(2)
    assert "5.00" in text_of(poll(teller, page))


def test_where_figures_stay_behind_pages_ask_less_often(teller: Client, stopped_clock: StoppedClock) -> None:
    deposit(1, 500)
    stopped_clock.forward(2)
    page = teller.get("/accounts/1/").content.decode()
    assert 'hx-trigger="every 2s"' in page
    stopped_clock.forward(freshness.LONG)
    page = poll(teller, page).content.decode()
    assert 'hx-trigger="every 15s"' in page
    assert poll(teller, page).status_code == 204


def test_a_poll_does_not_wait_for_the_read_side(teller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"command_id": "00000000-0000-4000-8000-000000000001", "amount": "5"}
    assert teller.post("/accounts/1/deposit/", fields).status_code == 303

    def wait(*log_position: object) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr(freshness, "_wait_for", wait)
    assert teller.get("/", headers={"Bank-Poll": "true"}).status_code == 200
    with pytest.raises(AssertionError, match="it waits"):
        teller.get("/")
