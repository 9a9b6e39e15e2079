"""The task screens, through Django's client: tasks and refusals."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from bank.application import dispatch
from bank.application.dispatch import Busy, handle
from bank.domain.commands import DepositMoneyIntoBankAccount
from eventstore import clock
from projections import engine, queries
from tests.support.clocks import StoppedClock
from tests.support.helpers import HTMX, client_of, send, text_of


def test_everything_asks_for_a_log_in(bank: object) -> None:
    for url in ("/", "/accounts/", "/accounts/open/", "/accounts/1/", "/accounts/1/deposit/", f"/receipts/{uuid4()}/"):
        response = Client().get(url)
        assert response.status_code == 302
        assert response["Location"].startswith("/login/")


def test_a_log_in_that_ran_out_moves_the_whole_page(bank: object) -> None:
    response = Client().post("/accounts/1/deposit/", {"amount": "1"}, headers=HTMX)
    assert response["HX-Redirect"].startswith("/login/")


def test_a_user_without_a_role_sees_no_page(bank: object) -> None:
    response = client_of("nobody").get("/")
    assert response.status_code == 403
    assert "no right to do this" in text_of(response)


def test_an_auditor_looks_and_does_not_do(teller: Client) -> None:
    auditor = client_of("otto", "Auditors")
    page = auditor.get("/accounts/1/")
    assert page.status_code == 200
    assert b"command_id" not in page.content
    assert send(auditor, "/accounts/1/deposit/", amount="5").status_code == 403
    assert queries.check_balance(1) == 10_000


def test_a_wrong_password_is_refused_in_plain_words(teller: Client) -> None:
    response = Client().post("/login/", {"username": "tina", "password": "wrong"})
    assert "The user name or the password is wrong." in text_of(response)


def test_an_account_is_opened(teller: Client) -> None:
    form = teller.get("/accounts/open/")
    assert 'value="2"' in form.content.decode(), "the next free number is suggested"
    response = send(teller, "/accounts/open/", account_id="7", account_holder=" Zoë ", pin="0007")
    assert response.status_code == 303
    receipt = text_of(teller.get(response["Location"]))
    assert "Account opened" in receipt
    assert "7, Zoë" in receipt


def test_a_deposit_has_a_receipt_that_can_be_opened_again(teller: Client) -> None:
    response = send(teller, "/accounts/1/deposit/", amount="1,250.5")
    for _ in range(2):
        receipt = text_of(teller.get(response["Location"]))
        for output in ("Deposit", "1,250.50 USD", "New balance 1,350.50 USD", "By tina", "Reference 3"):
            assert output in receipt


def test_a_withdrawal_pays_out(teller: Client) -> None:
    response = send(teller, "/accounts/1/withdraw/", amount="100", pin="0042")
    assert "New balance 0.00" in text_of(teller.get(response["Location"]))


def test_a_wrong_pin_has_a_page_of_its_own(teller: Client) -> None:
    response = send(teller, "/accounts/1/withdraw/", amount="5", pin="4242")
    page = text_of(teller.get(response["Location"]))
    assert "Refused: wrong PIN" in page
    assert "No money has moved" in page
    assert "Try again" in page
    assert queries.check_balance(1) == 10_000


def test_an_overdraft_has_a_page_of_its_own(teller: Client) -> None:
    response = send(teller, "/accounts/1/withdraw/", amount="100.01", pin="0042")
    page = text_of(teller.get(response["Location"]))
    assert "Refused: not enough money" in page
    assert "The balance is less than the amount." in page
    assert queries.check_balance(1) == 10_000


def test_htmx_is_sent_on_to_the_receipt(teller: Client) -> None:
    response = send(teller, "/accounts/1/deposit/", HTMX, amount="5")
    assert re.fullmatch(r"/receipts/[0-9a-f-]{36}/", response["HX-Redirect"])


@pytest.mark.parametrize(
    "url",
    [
        "/accounts/2/",
        f"/accounts/{2**63}/",
        f"/accounts/{'9' * 5000}/",
        "/accounts/2/deposit/",
    ],
)
def test_a_missing_page_is_not_found(teller: Client, url: str) -> None:
    response = teller.get(url)
    assert response.status_code == 404
    assert "Not found" in text_of(response)


def test_a_number_finds_its_account_at_once(teller: Client) -> None:
    assert teller.get("/accounts/?q=1")["Location"] == "/accounts/1/"


@pytest.mark.parametrize("query", ["ada", "LOVE", "Lövelace", "1"])
def test_accounts_are_found_while_typing(teller: Client, query: str) -> None:
    response = teller.get("/accounts/", {"q": query}, headers={**HTMX, "HX-Target": "list"})
    assert "Ada Lovelace" in text_of(response)
    assert "<html" not in response.content.decode()


@pytest.mark.parametrize("query", ["?q=%00", "?q=%25", "?q=_", "?after=x", "?after=-1", "?q=" + "9" * 99])
def test_odd_searches_find_nothing_worse_than_nothing(teller: Client, query: str) -> None:
    assert teller.get(f"/accounts/{query}").status_code == 200


def test_the_statement_goes_back_page_by_page(teller: Client) -> None:
    for _ in range(30):
        handle(DepositMoneyIntoBankAccount(1, 100))
    first = teller.get("/accounts/1/")
    link = re.search(r'href="(\?before=\d+)"', first.content.decode())
    assert link
    earlier = teller.get(f"/accounts/1/{link[1]}", headers={**HTMX, "HX-Target": "statement"})
    assert "Account opened" not in text_of(first)
    assert "Account opened" in text_of(earlier)
    assert "<html" not in earlier.content.decode()


def test_a_busy_bank_shows_that_it_is_busy(teller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*args: object, **options: object) -> None:
        raise Busy

    monkeypatch.setattr(dispatch, "_carry_out", busy)
    response = send(teller, "/accounts/1/deposit/", amount="5")
    assert response.status_code == 503
    assert "Nothing has happened" in text_of(response)


def test_a_page_shows_that_its_figures_are_not_current(teller: Client, settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    response = send(teller, "/accounts/1/deposit/", amount="5")
    assert "still catching up: 1 event" in text_of(teller.get("/"))
    assert "receipt appears here when" in text_of(teller.get(response["Location"]))


def test_figures_without_the_readers_own_task_are_not_current(
    teller: Client, settings: Any, stopped_clock: StoppedClock
) -> None:
    settings.PROJECTION_MODE = "worker"
    settings.PROJECTION_WAIT = 0
    with clock.set_to(stopped_clock.now):  # just happened, however slow this machine is
        send(teller, "/accounts/1/deposit/", amount="5")
    assert "still catching up" in text_of(teller.get("/"))
    assert "still catching up" not in text_of(client_of("tom", "Tellers").get("/"))


def test_a_receipt_that_arrives_while_it_is_looked_up_is_not_missed(
    teller: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROJECTION_MODE = "worker"
    response = send(teller, "/accounts/1/deposit/", amount="5")

    def too_early(command_id: UUID) -> None:
        engine.catch_up()

    monkeypatch.setattr(queries, "receipt", too_early)
    page = teller.get(response["Location"])
    assert page.status_code == 200
    assert "still catching up" in text_of(page), "so it asks again"


def test_a_position_that_never_was_makes_no_receipt(teller: Client) -> None:
    teller.cookies["bank_position"] = "999999-999999"
    assert teller.get(f"/receipts/{uuid4()}/").status_code == 404


def test_a_refusal_offers_the_next_tasks(teller: Client) -> None:
    too_much = send(teller, "/accounts/1/withdraw/", amount="500", pin="0042")
    assert "Pay out at most 100.00" in text_of(teller.get(too_much["Location"]))
    send(teller, "/accounts/1/withdraw/", amount="100", pin="0042")
    nothing_left = send(teller, "/accounts/1/withdraw/", amount="1", pin="0042")
    assert "Take a deposit first" in text_of(teller.get(nothing_left["Location"]))


def test_a_receipt_is_a_page_for_get_only(teller: Client) -> None:
    assert teller.post(f"/receipts/{uuid4()}/").status_code == 405


def test_the_empty_bank_has_every_page(bank: object) -> None:
    client = client_of("tina", "Tellers")
    for url in ("/", "/accounts/", "/accounts/open/", "/days/"):
        assert client.get(url).status_code == 200


def test_the_days_are_summed_up(teller: Client) -> None:
    assert "100.00" in text_of(teller.get("/days/"))
