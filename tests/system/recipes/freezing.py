"""The task "freeze an account", used. The tests of the recipe run this in a copy of the project that has the task."""

from uuid import uuid4

import pytest
from django.test import Client

from bank.application import account_cache
from bank.operations.audit import audit
from eventstore.models import Event
from projections import queries
from projections.workers import replay

pytestmark = pytest.mark.usefixtures("bank")


def send(client: Client, url: str, **fields: str) -> str:
    """Send a form, and return the page to which it leads."""
    response = client.post(url, {"command_id": str(uuid4()), **fields}, follow=True)
    return str(response.content.decode())


def test_an_account_is_frozen(admin_client: Client) -> None:
    send(admin_client, "/accounts/open/", account_id="7", account_holder="Ada", pin="0042")
    send(admin_client, "/accounts/7/deposit/", amount="50")
    assert "Freeze the account" in admin_client.get("/accounts/7/").content.decode()

    receipt = send(admin_client, "/accounts/7/freeze/")
    assert "Account frozen" in receipt
    assert "Withdrawals from this account are rejected." in receipt
    assert "Account frozen" in admin_client.get("/accounts/7/").content.decode()
    event = Event.objects.get(type="bank_account_frozen")
    assert event.data == {"accountId": 7}
    assert "frozen" in admin_client.get(f"/admin/eventstore/event/{event.position}/change/").content.decode()
    assert "Account frozen" in admin_client.get("/admin/projections/statementline/").content.decode()

    for task in ("withdraw", "freeze"):
        account_cache.forget("bank_account-7")
        assert "Account 7 is frozen." in send(admin_client, f"/accounts/7/{task}/", amount="1", pin="0042")
    assert "Deposit" in send(admin_client, "/accounts/7/deposit/", amount="10")
    assert queries.check_balance(7) == 60_00
    assert replay.check() == []
    replay.replay()
    assert queries.statement(7).rows[1].kind == "frozen"
    assert audit(processes=1).findings == []
