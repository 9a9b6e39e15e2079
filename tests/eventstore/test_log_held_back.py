"""A log that is held back on PostgreSQL: a transaction that stays open keeps later events from the read side."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from eventstore.backends.postgresql import PostgreSQL
from projections import freshness, queries
from projections.workers import background
from tests.support.databases import Urls, stranger
from tests.support.helpers import client_of, text_of
from tests.support.values import at_once, deposit, open_account

pytestmark = [
    pytest.mark.usefixtures("bank"),
    pytest.mark.only_on("postgresql", reason="SQLite has one writer at a time, so nothing holds the log back"),
]


@contextmanager
def foreign_transaction() -> Iterator[int]:
    """Open a foreign transaction on the same server, and yield its process id."""
    with PostgreSQL("projections").connect() as connection, connection.transaction():
        connection.execute("SET application_name = 'payroll'")
        connection.execute("CREATE TABLE something_else (number int)")
        yield connection.info.backend_pid


def test_the_read_side_waits_for_an_idle_writer_names_it_and_continues() -> None:
    open_account(1)
    with foreign_transaction() as process:
        for _ in range(3):
            ack = deposit(1, 10)
        fresh = freshness.look(ack.token)
        assert (fresh.reached, fresh.behind) == (False, 3)
        answer = Client().get("/readyz")
        assert answer.status_code == 200, "to wait is not to fail"
        assert answer.json()["lag"] == 3
        assert set(answer.json()["held_back"]) == {"since", "seconds"}, "the answer names no session"
        since = datetime.fromisoformat(answer.json()["held_back"]["since"])
        assert 0 <= (timezone.now() - since).total_seconds() < 60
        page = text_of(client_of("audrey", "Auditors", is_staff=True).get("/admin/projections/checkpoint/"))
        assert f"Waiting for the transaction of process {process} (role " in page
        assert ", application payroll, database " in page
        assert "payroll" not in answer.content.decode()
        assert ", idle in transaction since " in page
    assert freshness.look(ack.token).reached
    assert queries.check_balance(1) == 30
    assert "held_back" not in Client().get("/readyz").json()


@contextmanager
def prepared_transaction(urls: Urls, how: str) -> Iterator[None]:
    """Prepare a transaction in this or another database of the server, and roll it back at the end."""
    url = urlsplit(urls["DATABASE_URL"])
    elsewhere = url._replace(path="/postgres", query="").geturl() if how == "elsewhere" else urls["DATABASE_URL"]
    with stranger(elsewhere) as other:
        other.execute("BEGIN")
        other.execute("SELECT pg_current_xact_id()")
        other.execute("PREPARE TRANSACTION 'payroll of may'")
    try:
        yield
    finally:
        with stranger(elsewhere) as other:
            other.execute("ROLLBACK PREPARED 'payroll of may'")


@pytest.mark.parametrize("how", ["here", "elsewhere"])
def test_a_prepared_transaction_is_named_and_the_figures_continue_after_its_end(
    urls: Urls, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "GRACE", 60)  # this machine may be slow
    open_account(1)
    auditor = client_of("audrey", "Auditors", is_staff=True)
    with prepared_transaction(urls, how):
        deposit(1, 10)
        answer = Client().get("/readyz")
        assert answer.status_code == 200
        assert set(answer.json()["held_back"]) == {"since", "seconds"}
        assert "payroll" not in answer.content.decode()
        page = text_of(auditor.get("/admin/projections/checkpoint/"))
        assert "The log is held back since " in page
        assert "Waiting for the prepared transaction &#x27;payroll of may&#x27; (role " in page
        assert "still catching up" not in text_of(auditor.get("/accounts/1/")), "at first nobody is alarmed"
        assert queries.check_balance(1) == 0
    looks = [True, False]
    at_once([lambda: background.run(lambda: looks.pop(0))])
    assert queries.check_balance(1) == 10
    assert "held_back" not in Client().get("/readyz").json()


def test_a_page_applies_an_event_that_is_no_longer_held_back() -> None:
    open_account(1)
    auditor = client_of("audrey", "Auditors")
    with foreign_transaction():
        deposit(1, 10)
    assert "10.00" not in text_of(auditor.get("/accounts/1/"))
    assert "0.10" in text_of(auditor.get("/accounts/1/"))
