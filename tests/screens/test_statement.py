"""The statement of an account page: limited to days and kinds, with its totals, page by page."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from eventstore import clock
from tests.support.helpers import HTMX, client_of, text_of
from tests.support.values import PIN, deposit, open_account, withdraw

FIRST = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
SWAP = {**HTMX, "HX-Target": "statement"}


@pytest.fixture
def teller(bank: object) -> Client:
    """A teller's browser. Account 1 has lines of three days: opened with 100.00, then 5.00 in, then 5.00 out."""
    with clock.set_to(FIRST):
        open_account(1, "Ada Lovelace", balance=10_000)
    with clock.set_to(FIRST + timedelta(days=1)):
        deposit(1, 500)
        withdraw(1, 700, PIN + 1)
    with clock.set_to(FIRST + timedelta(days=2)):
        withdraw(1, 500)
    return client_of("tina", "Tellers")


def receipts(page: Any) -> list[int]:
    """Return the references of the shown lines."""
    return [int(number) for number in re.findall(r'<a href="/receipts/[^"]*">(\d+)</a>', page.content.decode())]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("from=&to=&kind=", [5, 4, 3, 2, 1]),
        ("from=2026-03-02", [5, 4, 3]),
        ("to=2026-03-02", [4, 3, 2, 1]),
        ("from=2+Mar+2026&to=3/2/2026", [4, 3]),
        ("from=2026-03-02&to=2026-03-02&kind=refused", [4]),
        ("kind=money", [5, 3, 2]),
        ("kind=in", [3, 2]),
        ("kind=out", [5]),
        ("kind=other", [1]),
        ("from=2030-01-01", []),
        ("from=%20&to=%20", [5, 4, 3, 2, 1]),
    ],
)
def test_the_statement_has_the_days_and_kinds_that_were_asked_for(
    teller: Client, query: str, expected: list[int]
) -> None:
    for headers in ({}, SWAP):
        page = teller.get(f"/accounts/1/?{query}", headers=headers)
        assert page.status_code == 200
        assert receipts(page) == expected


def test_the_days_are_those_of_the_banks_time_zone(teller: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # there it is half past midnight of the next day
    assert receipts(teller.get("/accounts/1/?from=2026-03-03&to=2026-03-03")) == [4, 3]


def test_the_totals_of_a_part_lie_between_the_balances_before_and_after(teller: Client) -> None:
    page = text_of(teller.get("/accounts/1/?from=2026-03-02&to=2026-03-03"))
    assert "Balance before (USD) 100.00 Paid in 5.00 Paid out 5.00 Balance after 100.00 Lines 3" in page
    assert "Balance before" not in text_of(teller.get("/accounts/1/")), "which would read every line of the account"


def test_an_empty_part_shows_that_it_is_empty(teller: Client) -> None:
    page = text_of(teller.get("/accounts/1/?from=2030-01-01"))
    assert "The statement has no such line." in page
    assert "No activity yet." not in page


@pytest.mark.parametrize(
    ("query", "field", "typed", "reason"),
    [
        ("from=tomorrow&to=2026-03-03&kind=in", "from", "tomorrow", "Enter a day such as 27 Nov 2026"),
        ("to=2026-02-30", "to", "2026-02-30", "There is no such day"),
        ("from=2026-03-03&to=2026-03-02", "from", "3 Mar 2026", "The first day comes after the last one."),
        ("from=3/3/26", "from", "3/3/26", "Write the year with four digits"),
        ("kind=nonsense", "kind", "", "Choose a kind from the list."),
        ("from=1%00", "from", "", "Null characters are not allowed."),
    ],
)
def test_an_unreadable_entry_is_refused_and_shown_again(
    teller: Client, query: str, field: str, typed: str, reason: str
) -> None:
    for headers in ({}, SWAP):
        page = teller.get(f"/accounts/1/?{query}", headers=headers)
        assert page.status_code == 422
        assert f'<a href="#statement_{field}">' in page.content.decode()
        assert reason in text_of(page)
        assert receipts(page) == []
        assert "Balance before" not in text_of(page)
    whole = teller.get(f"/accounts/1/?{query}").content.decode()
    assert f'value="{typed}"' in whole
    assert "Deposit" in whole
    assert "tomorrow" not in teller.get("/accounts/1/").content.decode()


@pytest.mark.parametrize("name", ["from", "to", "kind", "before"])
@pytest.mark.parametrize(
    "value",
    ["9" * 5000, "-1", "\u202e", "\ud800".encode("utf-8", "surrogatepass"), "'--", "<script>", "0001-01-01", "½"],
)
def test_no_parameter_is_an_error_of_the_program(teller: Client, name: str, value: Any) -> None:
    page = teller.get("/accounts/1/", {name: value, "x": "1"})
    assert page.status_code in (200, 422)
    assert b"<script>" not in page.content.replace(b"<script src", b"")


def test_the_pages_of_a_part_follow_one_another(teller: Client) -> None:
    with clock.set_to(FIRST + timedelta(days=3)):
        for _ in range(30):
            deposit(1, 1)
    query, versions = "from=2026-03-02&to=&kind=money", list[int]()
    while True:
        page = teller.get(f"/accounts/1/?{query}", headers=SWAP)
        versions += receipts(page)
        assert "Lines 32" in text_of(page), "the totals are those of all pages"
        link = re.search(r'id="earlier" data-key="n" href="\?([^"]*)"', page.content.decode())
        if link is None:
            break
        query = unescape(link[1])
    assert versions == [*range(35, 4, -1), 3]
    latest = re.search(r'id="latest" href="\?([^"]*)"', page.content.decode())
    assert latest
    assert receipts(teller.get(f"/accounts/1/?{unescape(latest[1])}"))[0] == 35


def test_the_periods_on_offer_end_today(teller: Client) -> None:
    with clock.set_to(datetime.now(UTC)):
        deposit(1, 1)
    links = re.findall(r'<a href="(\?from=[^"]*)">([^<]*)</a>', teller.get("/accounts/1/").content.decode())
    assert [words for _, words in links] == ["Today", "7 days", "30 days"]
    for link, _ in links:
        assert receipts(teller.get(f"/accounts/1/{unescape(link)}"))[0] == 6


def test_an_unknown_account_is_not_found_for_any_query_of_its_statement(teller: Client) -> None:
    for query in ("", "from=2026-03-02", "from=x"):
        assert teller.get(f"/accounts/9/?{query}").status_code == 404


# Day heads and the marked period


def test_each_day_has_one_head_above_its_lines(teller: Client) -> None:
    page = teller.get("/accounts/1/")
    heads = re.findall(r'<th role="rowheader" scope="rowgroup" colspan="5">([^<]*)</th>', page.content.decode())
    assert heads == ["Tuesday, March 3, 2026", "Monday, March 2, 2026", "Sunday, March 1, 2026"]
    assert "Monday, March 2, 2026 23:30 Refused: wrong PIN asked for 7.00 balance unchanged 4 23:30 Deposit" in text_of(
        page
    )
    assert 'scope="rowgroup"' not in teller.get("/").content.decode(), "the desk has the lines of many accounts"


@pytest.mark.parametrize(
    ("query", "marked"), [("", "All"), ("?kind=", "All"), ("?kind=in", "All"), ("?from=2026-03-02", ""), ("?to=x", "")]
)
def test_the_period_in_use_is_marked(teller: Client, query: str, marked: str) -> None:
    for headers in ({}, SWAP):
        page = teller.get(f"/accounts/1/{query}", headers=headers).content.decode()
        assert re.findall(r'aria-current="true">([^<]*)</a>', page) == ([marked] if marked else [])


def test_a_period_that_is_chosen_is_marked_with_any_kind(teller: Client) -> None:
    page = teller.get("/accounts/1/").content.decode()
    for words in ("Today", "7 days", "30 days"):
        found = re.search(rf'href="([?][^"]*)">{words}</a>', page)
        assert found
        for kind in ("", "in"):
            chosen = teller.get("/accounts/1/" + unescape(found[1]) + kind).content.decode()
            assert re.findall(r'aria-current="true">([^<]*)</a>', chosen) == [words]
