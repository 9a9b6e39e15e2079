"""Tills on the screens: open one, count and close it; cash of deposits and withdrawals goes through it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from bank.application import process_managers, tills
from bank.application.dispatch import handle
from bank.domain.commands import CloseTill, RecordCashOut
from bank.operations.audit import audit
from eventstore import clock, subscriptions
from eventstore.models import CommandRecord, Event
from projections import queries
from projections.models import TillShift
from projections.workers import replay
from tests.support.helpers import HTMX, client_of, open_till, send, text_of


@pytest.fixture
def sue(teller: Client) -> Client:
    return client_of("sue", "Supervisors")


def expected(teller: str = "tina") -> int:
    shift = queries.open_shift_of(teller)
    assert shift
    return shift.expected


# A day at a till


def test_a_day_at_a_till(teller: Client) -> None:
    assert "You have no open till" in text_of(teller.get("/till/"))
    assert open_till(teller)["Location"] == "/till/"
    page = text_of(teller.get("/till/"))
    for words in ("My till: till 7", "Expected cash (USD) 500.00", "Till opened"):
        assert words in page
    send(teller, "/accounts/1/deposit/", amount="100")
    send(teller, "/accounts/1/withdraw/", amount="20", pin="0042")
    assert send(teller, "/tills/7/1/bring/", amount="50")["Location"] == "/till/"
    assert send(teller, "/tills/7/1/take/", amount="30")["Location"] == "/till/"
    page = text_of(teller.get("/till/"))
    for words in ("Expected cash (USD) 600.00", "Paid in +100.00", "Paid out −20.00", "Brought from the vault +50.00"):
        assert words in page
    closed = send(teller, "/tills/7/1/close/", pieces_10000="5", pieces_500="19")
    assert closed["Location"] == "/tills/7/1/"
    page = text_of(teller.get("/tills/7/1/"))
    for words in ("Till 7, closed", "Counted (USD) 595.00", "Short by (USD) 5.00"):
        assert words in page
    assert "Your last one was till 7" in text_of(teller.get("/till/"))
    assert audit(processes=1).findings == []
    assert replay.check() == []


def test_a_movement_links_to_the_receipt_of_the_payment_and_a_refused_one_moves_no_cash(teller: Client) -> None:
    open_till(teller)
    receipt = send(teller, "/accounts/1/deposit/", amount="100")["Location"]
    [reference] = queries.latest_activity()[:1]
    assert f'<a href="{receipt}">{reference.position}</a>' in teller.get("/till/").content.decode()
    send(teller, "/accounts/1/withdraw/", amount="5", pin="0041")
    send(teller, "/accounts/1/withdraw/", amount="9999", pin="0042")
    assert expected() == 600_00


def test_the_events_of_a_payment_name_the_till_and_a_repeat_counts_once(teller: Client) -> None:
    open_till(teller)
    command_id = str(uuid4())
    for _ in range(2):
        send(teller, "/accounts/1/deposit/", amount="100", command_id=command_id)
    paid, cash = Event.objects.order_by("-position")[:2][::-1]
    assert (paid.metadata["till"], paid.metadata["till_shift"]) == (7, 1)
    assert cash.data == {"tillId": 7, "amount": 100_00, "commandId": command_id}
    assert (cash.metadata["actor"], cash.metadata["till_shift"]) == ("tina", 1)
    assert cash.metadata["causation_id"] == f"bank_account-1@{paid.version}"
    before = Event.objects.count()
    subscriptions.set_back("tills")
    for subscriber in process_managers.subscribers():
        subscriptions.follow(subscriber)
    assert Event.objects.count() == before


def test_without_a_till_payments_are_as_they_always_were(teller: Client) -> None:
    send(teller, "/accounts/1/deposit/", amount="100")
    event = Event.objects.latest("position")
    assert event.type == "money_deposited_into_bank_account"
    assert set(event.metadata) == {"actor", "correlation_id"}


def test_a_correction_goes_through_the_till_of_the_payment(teller: Client, sue: Client, settings: LazySettings) -> None:
    """It was the till of the payment that expected wrong cash. A closed one is not changed; see below."""
    settings.TILLS = "required"  # the supervisor needs no till, and one that is open is left alone
    sue.post("/confirm/", {"password": "correct horse"})
    open_till(teller)
    paid_in, paid_out, late = (
        send(teller, f"/accounts/1/{task}/", amount=amount, pin="0042")["Location"]
        for task, amount in (("deposit", "100"), ("withdraw", "20"), ("deposit", "3"))
    )
    page = text_of(sue.get(f"{paid_in}reverse/"))
    assert "Till 7, tina" in page
    assert "changes the expected cash of this till" in page
    assert "You have no open till" not in page
    open_till(sue, "8", "1000")
    assert send(sue, f"{paid_in}reverse/", reason="Typed twice").status_code == 303
    assert (expected("tina"), expected("sue")) == (483_00, 1000_00)
    send(sue, f"{paid_out}reverse/", reason="Typed twice")
    assert expected("tina") == 503_00
    assert "Paid out by sue −100.00" in text_of(teller.get("/till/"))
    send(teller, "/tills/7/1/close/", pieces_10000="5")
    assert "The correction is shown beside its difference" in text_of(sue.get(f"{late}reverse/"))
    send(sue, f"{late}reverse/", reason="Typed twice")
    assert "With them, the till is exact" in text_of(sue.get("/tills/7/1/"))
    assert audit(processes=1).findings == []
    assert replay.check() == []


def test_a_correction_of_a_payment_without_a_till_moves_no_cash(teller: Client, sue: Client) -> None:
    receipt = send(teller, "/accounts/1/deposit/", amount="100")["Location"]
    sue.post("/confirm/", {"password": "correct horse"})
    open_till(sue)
    assert "Till" not in text_of(sue.get(f"{receipt}reverse/")).partition("What will be reversed")[2]
    send(sue, f"{receipt}reverse/", reason="Typed twice")
    assert expected("sue") == 500_00


def test_more_cash_than_the_till_has_is_paid_out_and_shown_as_short(teller: Client) -> None:
    open_till(teller, amount="10")
    send(teller, "/accounts/1/withdraw/", amount="60", pin="0042")
    page = text_of(teller.get("/till/"))
    assert "Expected cash (USD) −50.00" in page
    assert "it is short by 50.00 USD" in page


# Required tills


def test_with_required_tills_cash_needs_one(teller: Client, settings: LazySettings) -> None:
    settings.TILLS = "required"
    page = teller.get("/accounts/1/deposit/")
    assert 'href="/tills/open/"' in page.content.decode()
    assert "You have no open till" in text_of(page)
    for task in ("deposit", "withdraw"):
        for headers in ({}, HTMX):
            response = send(teller, f"/accounts/1/{task}/", headers, amount="5.55", pin="0042")
            assert response.status_code == 422
            assert "Open a till first" in text_of(response)
            assert 'href="/tills/open/"' in response.content.decode()
            assert 'value="5.55"' in response.content.decode()
    assert CommandRecord.objects.count() == 2, "nothing was recorded"
    open_till(teller)
    assert "You have no open till" not in text_of(teller.get("/accounts/1/deposit/"))
    assert send(teller, "/accounts/1/deposit/", amount="5").status_code == 303
    assert expected() == 505_00


# Two sessions, a closed till, a teller who has left


def test_two_sessions_of_a_teller_share_the_till(teller: Client) -> None:
    other = Client()
    other.force_login(User.objects.get(username="tina"))
    open_till(teller)
    assert "My till: till 7" in text_of(other.get("/till/"))
    response = open_till(other, "8")
    assert response.status_code == 422
    assert "tina has till 7 open. Close it first." in text_of(response)
    send(other, "/tills/7/1/close/", pieces_10000="5")
    for task in ("bring", "take"):
        response = send(teller, f"/tills/7/1/{task}/", amount="12.34")
        assert response.status_code == 422
        assert "You do not have till 7 open any more. Nothing was recorded." in text_of(response)
        assert 'value="12.34"' in response.content.decode()
    response = send(teller, "/tills/7/1/close/", pieces_10000="4")
    assert response.status_code == 422
    assert "Nothing was recorded" in text_of(response)
    assert tills.till_of("tina") is None


def test_a_till_that_was_closed_and_opened_again_is_another_shift(teller: Client) -> None:
    open_till(teller)
    send(teller, "/tills/7/1/close/", pieces_10000="5")
    open_till(teller)
    assert send(teller, "/tills/7/1/bring/", amount="5").status_code == 422
    assert send(teller, "/tills/7/2/bring/", amount="5").status_code == 303
    assert expected() == 505_00


def test_a_payment_whose_till_is_closed_in_mid_task_is_shown_beside_the_difference(teller: Client) -> None:
    open_till(teller)
    handle(CloseTill(7, 1, ((100_00, 4),)), actor="tina")
    handle(RecordCashOut(7, 1, 100_00, str(uuid4())), actor="tina")
    page = text_of(teller.get("/tills/7/1/"))
    assert "Short by (USD) 100.00" in page
    assert "Payments of −100.00 USD were recorded after the closing. With them, the till is exact" in page
    assert "Paid out, recorded after the closing −100.00" in page


def test_nobody_uses_the_till_of_another_teller(teller: Client) -> None:
    open_till(teller)
    tom = client_of("tom", "Tellers")
    response = open_till(tom)
    assert response.status_code == 422
    assert "Till 7 is open: “tina” has it." in text_of(response)
    for task in ("bring", "take", "close"):
        response = send(tom, f"/tills/7/1/{task}/", amount="5", pieces_100="5")
        assert response.status_code == 422
        assert "You do not have till 7 open" in text_of(response)
    assert tom.get("/tills/7/1/close-for/").status_code == 403
    assert expected() == 500_00


def test_a_supervisor_closes_the_till_of_a_teller_who_has_left(
    teller: Client, sue: Client, settings: LazySettings
) -> None:
    open_till(teller)
    assert "Still open" in text_of(sue.get("/tills/"))
    assert 'href="/tills/7/1/close-for/"' in sue.get("/tills/7/1/").content.decode()
    settings.BANK_FRESH_PASSWORD_MINUTES = 0
    assert sue.get("/tills/7/1/close-for/")["Location"].startswith("/confirm/"), "a fresh password is needed"
    settings.BANK_FRESH_PASSWORD_MINUTES = 5
    assert "Count and close till 7 of tina" in text_of(sue.get("/tills/7/1/close-for/"))
    assert send(sue, "/tills/7/1/close-for/", pieces_10000="5").status_code == 303
    page = text_of(sue.get("/tills/7/1/"))
    assert "by sue" in page
    assert Event.objects.latest("position").metadata["actor"] == "sue"
    open_till(teller, "9")
    assert "My till: till 9" in text_of(teller.get("/till/"))


# The tills of a day


def test_all_tills_of_a_day_with_their_differences(teller: Client, sue: Client) -> None:
    open_till(teller)
    send(teller, "/tills/7/1/close/", pieces_500="99")
    open_till(sue, "8", "0")
    page = text_of(sue.get("/tills/"))
    for words in ("Tills 2", "Still open 1", "−5.00 short", "Differences together (USD) −5.00"):
        assert words in page
    assert "No till was open on this day" in text_of(sue.get("/tills/?day=2020-01-02"))
    TillShift.objects.filter(till_id=7).update(opened_at=clock.now() - timedelta(days=1))
    page = text_of(sue.get(f"/tills/?day={clock.now() - timedelta(days=1):%Y-%m-%d}"))
    for words in ("Tills 1", "Differences together (USD) 0.00", "−5.00 short"):
        assert words in page, "open over midnight, and counted on the next day"
    response = sue.get("/tills/?day=yesterday")
    assert response.status_code == 422
    assert "Enter a day such as" in text_of(response)
    assert 'value="yesterday"' in response.content.decode()
