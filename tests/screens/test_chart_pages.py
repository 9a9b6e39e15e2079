"""The pages with charts: the balance of an account over time, and the days of the bank."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.helpers import client_of, send, text_of


def summary(page: str) -> str:
    [found] = re.findall('role="img" aria-label="([^"]*)"', page)
    return str(found)


def test_the_balance_over_time_is_a_chart_with_a_table(teller: Client) -> None:
    send(teller, "/accounts/1/withdraw/", amount="30", pin="0042")
    page = teller.get("/accounts/1/balance/")
    today = timezone.localdate().strftime("%-d %b %Y")
    assert summary(page.content.decode()) == (
        f"Balance from {today} to {today}: 0.00 at the beginning, 70.00 at the end, at least 0.00, at most 100.00"
    )
    assert re.search(r"Until Lines Least Most Balance .* 1 0.00 0.00 0.00 .* 1 100.00 100.00 100.00", text_of(page))
    assert "<script" not in re.sub("(?s).*<main", "", page.content.decode())


def test_the_account_page_loads_the_chart_alone_when_it_is_wanted(teller: Client) -> None:
    assert '<svg viewBox="0 0 9000' not in teller.get("/accounts/1/").content.decode()
    headers = {"HX-Request": "true", "HX-Target": "chart"}
    part = teller.get("/accounts/1/balance/", headers=headers).content.decode().strip()
    assert part.startswith('<div id="chart" hx-get="/accounts/1/balance/?from=')
    assert 'hx-headers=\'{"Bank-Poll": "true"}\'' in part, "to load it again is no use of the session"
    assert "<h1>" not in part
    assert summary(part)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from": "2020-01-01", "to": "2020-01-31"}, "The account did not exist in this period."),
        ({"from": "2150-01-01"}, "The account did not exist in this period."),
        ({"from": "x"}, "Enter a day such as"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "The first day comes after the last one."),
    ],
)
def test_a_period_without_a_balance_or_sense_says_so(teller: Client, query: dict[str, str], words: str) -> None:
    response = teller.get("/accounts/1/balance/", query)
    assert response.status_code == (422 if "such as" in words or "comes after" in words else 200)
    assert words in text_of(response)
    assert teller.get("/accounts/77/balance/").status_code == 404


def test_the_days_of_a_period_have_a_chart_totals_and_a_line_each(teller: Client) -> None:
    send(teller, "/accounts/1/withdraw/", amount="130", pin="0042")
    send(teller, "/accounts/1/withdraw/", amount="30", pin="0042")
    page = teller.get("/days/")
    today = timezone.localdate()
    since = today - timedelta(days=29)
    assert summary(page.content.decode()) == (
        f"Paid in and paid out from {since.strftime('%-d %b %Y')} to {today.strftime('%-d %b %Y')}: "
        "100.00 in, 30.00 out"
    )
    assert f"{today.strftime('%-d %b %Y')} +70.00 100.00 1 30.00 1 0 1 1 Together +70.00" in text_of(page)
    assert f'value="{since.strftime("%-d %b %Y")}"' in page.content.decode()
    year = text_of(teller.get("/days/", {"from": str(today - timedelta(days=364)), "to": str(today)}))
    assert " – " in year
    assert "Together +70.00" in year


@pytest.mark.parametrize("query", [{}, {"from": "2020-01-01", "to": "2020-01-02"}, {"to": "2150-01-01"}])
def test_days_without_activity_are_a_chart_of_zero(bank: object, query: dict[str, str]) -> None:
    page = client_of("tina", "Tellers").get("/days/", query)
    assert page.status_code == 200
    assert "No activity in this period." in text_of(page)
    assert "0.00 in, 0.00 out" in summary(page.content.decode())


def test_days_that_cannot_be_read_are_refused_and_kept(teller: Client) -> None:
    page = teller.get("/days/", {"from": "31.02.2026"})
    assert page.status_code == 422
    assert 'value="31.02.2026"' in page.content.decode()
