"""An account with an event of a newer version: its pages, its tasks, and the other accounts."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from bank.application import account_cache
from bank.application.dispatch import UnreadableAccount, handle
from bank.domain.commands import AccountCommand, ChangePin, CreateBankAccount, DepositMoneyIntoBankAccount, UnlockPin
from eventstore import clock, store
from eventstore.events import Envelope, NewEvent
from projections import queries
from projections.workers import resume
from tests.support.helpers import client_of, command_id_in, text_of
from tests.support.newer import append, freeze, newer_version
from tests.support.values import PIN, count, deposit, open_account, withdraw

pytestmark = pytest.mark.usefixtures("bank")

NOT_CURRENT = "This account's figures are not current: they lack all events since"
WITHOUT = "These figures lack events of 1 account, the first of them recorded on"
REFUSED = "This account cannot be used now. Nothing was changed, and no PIN was looked at."


@pytest.fixture
def teller() -> Client:
    """A browser at a bank where account 1 has an event of a newer version, and account 2 has none."""
    open_account(1, "Josh", balance=100)
    open_account(2, "Ada", balance=50)
    freeze(1)
    return client_of("tina", "Supervisors")


def test_the_accounts_page_and_task_show_since_when_it_is_not_current(teller: Client) -> None:
    for url in ("/accounts/1/", "/accounts/1/deposit/", "/accounts/1/withdraw/"):
        page = text_of(teller.get(url))
        assert re.search(f"{NOT_CURRENT} .*[0-9]", page), url
    receipt = queries.statement(1).rows[0].command_id
    assert NOT_CURRENT in text_of(teller.get(f"/receipts/{receipt}/"))
    for url in ("/accounts/2/", "/accounts/2/deposit/"):
        assert "not current" not in text_of(teller.get(url))
    assert teller.get("/accounts/1/").status_code == 200


def test_an_account_that_a_newer_version_opened_has_a_page_that_says_so(teller: Client) -> None:
    append("account_opened_jointly", {"accountId": 7}, account_id=7)
    for url in ("/accounts/7/", "/accounts/7/statement/", "/accounts/7/deposit/"):
        response = teller.get(url)
        assert response.status_code == 503, url
        assert "This account cannot be shown now" in text_of(response)
    assert teller.get("/accounts/8/").status_code == 404


@pytest.mark.parametrize("url", ["/", "/accounts/", "/accounts/?q=ada", "/days/"])
def test_pages_of_the_whole_bank_show_how_many_accounts_they_lack(teller: Client, url: str) -> None:
    assert WITHOUT in text_of(teller.get(url))
    with newer_version("account_frozen"):
        resume.resume()
    assert "without" not in text_of(teller.get(url))


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize(
    ("task", "fields"),
    [
        ("deposit", {"amount": "12.34"}),
        ("withdraw", {"amount": "12.34", "pin": f"{PIN}"}),
        ("withdraw", {"amount": "12.34", "pin": f"{PIN + 1}"}),
    ],
)
@pytest.mark.parametrize("is_cached", [True, False])
def test_a_task_at_a_parked_account_answers_503_and_keeps_the_input_but_no_pin(
    teller: Client, task: str, fields: dict[str, str], htmx: dict[str, str], *, is_cached: bool
) -> None:
    if not is_cached:
        account_cache._loaded.clear()
    before = count("eventstore_event"), count("eventstore_commandrecord")
    url = f"/accounts/1/{task}/"
    sent = str(uuid4())
    response = teller.post(url, {"command_id": sent, **fields}, headers=htmx)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    page = response.content.decode()
    assert REFUSED in text_of(response)
    assert 'value="12.34"' in page
    assert str(PIN) not in page
    assert str(PIN + 1) not in page
    assert command_id_in(response) != sent
    assert (count("eventstore_event"), count("eventstore_commandrecord")) == before
    assert ("<html" in page) is not bool(htmx)
    if htmx:
        assert response["HX-Retarget"] == "this"


def test_no_task_at_the_account_changes_anything(teller: Client) -> None:
    commands: list[AccountCommand] = [CreateBankAccount(1, "Ada", PIN), UnlockPin(1), ChangePin(1, 4321)]
    before = count("eventstore_event"), count("eventstore_commandrecord")
    for command in (*commands, DepositMoneyIntoBankAccount(1, 0)):
        with pytest.raises(UnreadableAccount):
            handle(command)
    assert (count("eventstore_event"), count("eventstore_commandrecord")) == before


@pytest.mark.parametrize(
    ("event_type", "data", "schema_version"),
    [
        ("money_deposited_into_bank_account", {"accountId": 1, "amount": 5}, 9),
        ("money_deposited_into_bank_account", {"accountId": 1, "amount": "5"}, 1),
        ("money_deposited_into_bank_account", {"accountId": 2, "amount": 5}, 1),
        ("bank_account_created", {}, 1),
    ],
)
def test_a_payload_that_cannot_be_read_is_no_error_of_the_program(
    event_type: str, data: dict[str, Any], schema_version: int
) -> None:
    open_account(1, balance=100)
    append(event_type, data, schema_version)
    teller = client_of("tina", "Tellers")
    response = teller.post("/accounts/1/deposit/", {"command_id": str(uuid4()), "amount": "5"})
    assert (response.status_code, REFUSED in text_of(response)) == (503, True)
    auditor = client_of("otto", "Auditors", is_staff=True)
    for position in range(1, 4):
        assert auditor.get(f"/admin/eventstore/event/{position}/change/").status_code == 200


def test_other_accounts_are_served(teller: Client) -> None:
    response = teller.post("/accounts/2/deposit/", {"command_id": str(uuid4()), "amount": "5"})
    assert response.status_code == 303
    assert "not current" not in text_of(teller.get(response["Location"]))
    withdraw(2, 10)
    assert queries.check_balance(2) == 540
    readyz = teller.get("/readyz")
    assert readyz.status_code == 200
    assert readyz.json()["parked"]["accounts"] == 1
    assert readyz.json()["parked"]["since"]
    assert "account_frozen" not in readyz.content.decode()


def test_a_command_that_a_newer_version_carried_out_is_acknowledged_when_it_is_sent_again() -> None:
    open_account(1)
    command = DepositMoneyIntoBankAccount(1, 5)
    ack = handle(command, command_id=UUID(int=7))
    assert (ack.stream, ack.repeated) == ("bank_account-1", False)
    with newer_version():
        freeze(1)
    again = handle(command, command_id=UUID(int=7))
    assert (again.version, again.repeated) == (2, True)


def test_the_receipt_of_a_command_that_is_not_projected_shows_that_it_is_recorded() -> None:
    open_account(1)
    freeze(1)
    command = Envelope(uuid4(), "deposit_money_into_bank_account", "", clock.now(), b"")
    event = NewEvent("money_deposited_into_bank_account", {"accountId": 1, "amount": 5})
    store.append("bank_account-1", [event], expected_version=2, command=command)
    page = text_of(client_of("tina", "Tellers").get(f"/receipts/{command.id}/"))
    assert "What you did is recorded" in page
    assert NOT_CURRENT in page


def test_a_newer_version_takes_over_without_anybodys_help(teller: Client) -> None:
    deposit(2, 1)
    with newer_version("account_frozen"):
        resume.resume()
    assert "not current" not in text_of(teller.get("/accounts/1/"))
    assert "parked" not in teller.get("/readyz").json()
