"""The printed statement and the printed receipt."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bank.domain import values
from bank.domain.values import MAX_BALANCE
from bank.screens import statement
from eventstore import clock
from tests.support.helpers import client_of, send, text_of
from tests.support.newer import freeze
from tests.support.values import PIN, deposit, open_account, withdraw

FIRST = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


@pytest.fixture
def teller(bank: object) -> Client:
    """A teller's browser. Account 1 is opened with 100.00; on the next day 5.00 come in, 7.00 are refused, 4.00 go."""
    with clock.set_to(FIRST):
        open_account(1, "<b>Ada</b>", balance=10_000)
    with clock.set_to(FIRST + timedelta(days=1)):
        deposit(1, 500)
        withdraw(1, 700, PIN + 1)
        withdraw(1, 400)
    return client_of("tina", "Tellers")


def article(page: Any) -> str:
    """Return what of a page is printed."""
    return str(re.findall(r"<article.*?</article>", page.content.decode(), re.DOTALL)[0])


def words(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", article(page)))


def test_a_statement_names_bank_holder_account_and_period_and_adds_up(teller: Client, settings: Any) -> None:
    settings.BANK_NAME, settings.BANK_ADDRESS = "Lydian Bank", ["12 Pactolus Street", "35810 Sardis"]
    page = teller.get("/accounts/1/statement/?from=2026-03-02&to=2026-03-31&kind=money")
    assert words(page).startswith(
        " Lydian Bank 12 Pactolus Street 35810 Sardis Account statement Account 1 "
        "Holder &lt;b&gt;Ada&lt;/b&gt; Period 2 Mar 2026 to 31 Mar 2026 "
        "Lines Money in and out Currency USD Balance before 100.00 Balance after 101.00 "
    )
    assert (
        "2 Mar 2026 Balance before 100.00 2 Mar 2026, 23:30 Deposit 3 5.00 105.00 2 Mar 2026, 23:30 Withdrawal 5 4.00 "
        "101.00 31 Mar 2026 Balance after 2 lines 4.00 5.00 101.00 Times are those of UTC."
    ) in words(page)


def test_a_statement_on_paper_has_no_form_and_no_link(teller: Client) -> None:
    part = article(teller.get("/accounts/1/statement/"))
    assert not re.search("<(a|form|input|button|select)[ >]", part)


def test_a_statement_without_days_begins_with_the_account_and_ends_today(teller: Client) -> None:
    page = teller.get("/accounts/1/statement/")
    assert "Period 1 Mar 2026 to " in words(page)
    assert "Refused: wrong PIN, asked for 7.00 4 5 " not in words(page)
    assert "Refused: wrong PIN, asked for 7.00 4 " in words(page)
    assert "Balance after 5 lines" in words(page)


def test_the_page_links_to_the_paper_of_what_it_shows_but_without_refusals(teller: Client) -> None:
    for query, expected in {
        "": "?kind=money",
        "from=2+Mar+2026&to=&kind=": "?from=2026-03-02&amp;to=&amp;kind=money",
        "from=2+Mar+2026&kind=in": "?from=2026-03-02&amp;to=&amp;kind=in",
        "kind=refused": "?from=&amp;to=&amp;kind=refused",
    }.items():
        assert f'href="statement/{expected}"' in teller.get(f"/accounts/1/?{query}").content.decode()


def test_a_statement_of_many_lines_has_sheets_that_carry_the_balance_over(
    teller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "MOST_ON_PAPER", 2)
    url, sheets = "/accounts/1/statement/?from=&to=&kind=", []
    while url:
        page = teller.get(url)
        sheets.append(words(page))
        found = re.search(r'href="([?][^"]*after=\d+)"', page.content.decode())
        url = "/accounts/1/statement/" + found[1].replace("&amp;", "&") if found else ""
    first, second, third = sheets
    assert "Lines 1 to 2 of 5 " in first
    assert "Balance before 0.00 1 Mar 2026, 23:30 Account opened 1 0.00 1 Mar 2026, 23:30 Deposit 2 100.00" in first
    assert "This sheet, 2 lines 0.00 100.00 100.00" in first
    assert "Balance after 5 lines" not in first
    assert "Lines 3 to 4 of 5 " in second
    assert "Carried over from the sheet before 100.00 2 Mar 2026, 23:30 Deposit 3 5.00 105.00" in second
    assert "Carried over from the sheet before 105.00 2 Mar 2026, 23:30 Withdrawal 5 4.00 101.00" in third
    assert "This sheet, 1 line 4.00 0.00 101.00" in third
    assert "Balance after 5 lines 4.00 105.00 101.00" in third


@pytest.mark.parametrize("after", ["5", "99", "9" * 19, "-1", "x"])
def test_a_sheet_after_the_last_line_or_after_nonsense_is_a_sheet_still(teller: Client, after: str) -> None:
    page = teller.get("/accounts/1/statement/", {"after": after})
    assert page.status_code == 200
    assert "Balance after 5 lines 4.00 105.00 101.00" in words(page)


def test_what_cannot_be_read_of_the_form_leads_to_the_page_that_says_why(teller: Client) -> None:
    response = teller.get("/accounts/1/statement/?to=tomorrow", follow=True)
    assert response.redirect_chain == [("/accounts/1/?to=tomorrow", 302)]
    assert response.status_code == 422


def test_an_account_that_is_not_there_has_no_statement(teller: Client) -> None:
    assert teller.get("/accounts/9/statement/").status_code == 404


def test_a_statement_that_may_lack_lines_says_so(teller: Client) -> None:
    freeze(1)
    assert "This account's figures are not current" in text_of(teller.get("/accounts/1/statement/"))


def test_sums_on_paper_are_exact_beyond_64_bits(teller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MAX_AMOUNT", MAX_BALANCE)
    open_account(2, balance=MAX_BALANCE)
    withdraw(2, MAX_BALANCE)
    deposit(2, MAX_BALANCE)
    assert "92,233,720,368,547,758.07 184,467,440,737,095,516.14 92,233,720,368,547,758.07" in words(
        teller.get("/accounts/2/statement/")
    )


def test_a_receipt_on_paper_has_the_banks_name_and_lines_to_sign_and_a_refusal_has_none(
    teller: Client, settings: Any
) -> None:
    settings.BANK_NAME = "Lydian Bank"
    paid = words(teller.get(send(teller, "/accounts/1/deposit/", amount="5")["Location"]))
    assert paid.startswith(" Lydian Bank Deposit Amount 5.00 USD Account 1,")
    assert "Customer For the bank Printed on " in paid
    assert "Keep this receipt." in paid
    refused = words(teller.get(send(teller, "/accounts/1/withdraw/", amount="5", pin="0000")["Location"]))
    assert refused.startswith(" Lydian Bank Refused: wrong PIN")
    assert "For the bank" not in refused
