"""The statement as a CSV file: all of it, in flat memory, and nothing in it that a spreadsheet runs."""

import csv
import tracemalloc
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, cast

import pytest
from django.db import OperationalError
from django.http import StreamingHttpResponse
from django.test import Client

from bank.domain import values
from bank.domain.values import MAX_BALANCE
from bank.screens import csv_files
from bank.screens.csv_files import csv_file
from bank.screens.money import plain_decimal
from eventstore import clock
from eventstore.csv_text import text_cell
from projections import queries, statements
from tests.support.helpers import client_of
from tests.support.long_statement import add_lines
from tests.support.values import PIN, deposit, open_account, withdraw

FIRST = datetime(2026, 3, 1, 23, 30, 5, 250_000, tzinfo=UTC)
URL = "/accounts/1/statement.csv"
HEAD = [
    "Date",
    "Time (UTC)",
    "What happened",
    "Amount (USD)",
    "Balance (USD)",
    "Asked for (USD)",
    "By",
    "Receipt",
    "Reverses receipt",
    "Reversed by receipt",
    "Reason",
]
NO_CORRECTION = ["", "", ""]


@pytest.fixture
def teller(bank: object) -> Client:
    """A teller's browser. Account 1 has lines of two days."""
    with clock.set_to(FIRST):
        open_account(1, "Ada Lovelace")
        deposit(1, 123_456_789, actor="=1+1")
    with clock.set_to(FIRST + timedelta(days=1)):
        withdraw(1, 5, actor="tina")
        withdraw(1, 700, PIN + 1, actor="@tina")
    return client_of("tina", "Tellers")


def lines_of(response: Any) -> list[list[str]]:
    """Return the lines of a file."""
    content = b"".join(response.streaming_content).decode()
    assert content.startswith("\ufeff")
    assert content.endswith("\r\n")
    return list(csv.reader(StringIO(content[1:], newline="")))


def test_the_file_has_each_line_in_order_with_plain_figures(teller: Client) -> None:
    response = teller.get(URL)
    assert response["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert response["Content-Disposition"] == 'attachment; filename="statement-1.csv"'
    assert response["Cache-Control"] == "no-store"
    assert lines_of(response) == [
        HEAD,
        ["2026-03-01", "23:30:05", "Account opened", "", "0.00", "", "", "1", *NO_CORRECTION],
        ["2026-03-01", "23:30:05", "Deposit", "1234567.89", "1234567.89", "", "'=1+1", "2", *NO_CORRECTION],
        ["2026-03-02", "23:30:05", "Withdrawal", "-0.05", "1234567.84", "", "tina", "3", *NO_CORRECTION],
        ["2026-03-02", "23:30:05", "Refused: wrong PIN", "", "", "7.00", "'@tina", "4", *NO_CORRECTION],
    ]


@pytest.mark.parametrize(
    ("query", "name", "receipts"),
    [
        ("from=2026-03-02", "statement-1-2026-03-02", ["3", "4"]),
        ("from=&to=1+Mar+2026&kind=in", "statement-1-2026-03-01-in", ["2"]),
        ("from=2026-03-01&to=2026-03-02&kind=refused", "statement-1-2026-03-01-2026-03-02-refused", ["4"]),
        ("from=2030-01-01", "statement-1-2030-01-01", []),
        ("before=2", "statement-1", ["1", "2", "3", "4"]),
    ],
)
def test_the_file_has_the_days_and_kinds_that_were_asked_for(
    teller: Client, query: str, name: str, receipts: list[str]
) -> None:
    response = teller.get(f"{URL}?{query}")
    assert response["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    assert [line[7] for line in lines_of(response)[1:]] == receipts


def test_the_page_links_to_the_file_of_its_entries(teller: Client) -> None:
    page = teller.get("/accounts/1/?from=2+Mar+2026&kind=out").content.decode()
    assert 'href="statement.csv?from=2026-03-02&amp;to=&amp;kind=out"' in page
    assert 'href="statement.csv"' in teller.get("/accounts/1/").content.decode()


def test_times_are_those_of_the_banks_time_zone_which_the_file_names(teller: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    head, first, *_ = lines_of(teller.get(URL))
    assert head[1] == "Time (Asia/Kolkata)"
    assert first[:2] == ["2026-03-02", "05:00:05"]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        "\nx",
        " =1",
        "\t=1",
        "\u00a0=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
    ],
)
def test_no_text_is_a_formula(text: str) -> None:
    assert text_cell(text) == f"'{text}"
    assert text_cell(f"x{text}") == f"x{text}"


def test_texts_from_people_are_quoted(teller: Client) -> None:
    deposit(1, 1, actor='"=1",\r\n=2')
    assert lines_of(teller.get(URL))[-1][6] == '"=1",\r\n=2'


@pytest.mark.parametrize(
    ("currency", "minor_units", "text"),
    [
        ("USD", 0, "0.00"),
        ("USD", -5, "-0.05"),
        ("USD", 123_456_789, "1234567.89"),
        ("USD", -(2**70), "-11805916207174113034.24"),
        ("JPY", -1234, "-1234"),
        ("KWD", 1234, "1.234"),
    ],
)
def test_an_amount_is_a_plain_decimal_of_the_currency(
    currency: str, minor_units: int, text: str, settings: Any
) -> None:
    settings.BANK_LOCALE, settings.BANK_CURRENCY = "de_DE", currency
    assert plain_decimal(minor_units) == text


def test_the_largest_balance_is_exact(teller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MAX_AMOUNT", MAX_BALANCE)
    open_account(2, balance=MAX_BALANCE)
    assert lines_of(teller.get("/accounts/2/statement.csv"))[-1][3:5] == ["92233720368547758.07"] * 2


def test_an_unreadable_form_leads_to_the_page_with_its_errors(teller: Client) -> None:
    response = teller.get(f"{URL}?from=tomorrow&to=&kind=in", follow=True)
    assert response.redirect_chain == [("/accounts/1/?from=tomorrow&to=&kind=in", 302)]
    assert response.status_code == 422
    assert "Enter a day such as" in response.content.decode()


def test_an_account_that_is_not_there_has_no_file(teller: Client) -> None:
    assert teller.get("/accounts/9/statement.csv").status_code == 404


def test_a_file_that_may_lack_lines_has_a_name_for_that(teller: Client, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    settings.PROJECTION_WAIT = 0
    teller.post("/accounts/1/deposit/", {"command_id": "00000000-0000-4000-8000-000000000001", "amount": "5"})
    assert "statement-1-in-incomplete.csv" in teller.get(f"{URL}?kind=in")["Content-Disposition"]


def test_a_file_of_many_lines_takes_no_more_memory_than_one_of_few(teller: Client) -> None:
    """The larger account has five times as many lines."""
    peaks = []
    for account_id, count in ((2, 2_000), (3, 10_000)):
        open_account(account_id)
        add_lines(account_id, count, first=2)
        client = teller.get(f"/accounts/{account_id}/statement.csv")
        parts = iter(cast(Any, client).streaming_content)
        next(parts)
        tracemalloc.start()
        length = sum(part.count(b"\r\n") for part in parts)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert length == count + 1
    assert peaks[1] < 1.5 * peaks[0]


def test_a_file_is_read_and_written_some_lines_at_a_time(bank: object, monkeypatch: pytest.MonkeyPatch) -> None:
    open_account(1)
    add_lines(1, 25, first=2)
    monkeypatch.setattr(statements, "AT_ONCE", 7)
    monkeypatch.setattr(csv_files, "AT_ONCE", 10)
    parts = list(csv_file(queries.in_order(1, queries.WHOLE)))
    assert [part.count("\r\n") for part in parts] == [1, 10, 10, 6]


def test_a_file_breaks_off_where_the_database_goes_away(teller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the middle closes the connection, so that the browser reports a failed download."""
    response = teller.get(URL)
    assert isinstance(response, StreamingHttpResponse)

    def away(*arguments: object) -> None:
        raise OperationalError

    monkeypatch.setattr(statements, "_rows", away)
    with pytest.raises(OperationalError):
        lines_of(response)
