"""The pages while a database is unavailable: 503, without any database, until it recovers.

The database is missing, read-only, or locked for too long.
"""

import logging
import re
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connections
from django.test import Client

from bank.access import sessions
from bank.application.dispatch import OutcomeUnknown, handle
from bank.domain.commands import CreateBankAccount
from eventstore.errors import is_outage, outage_behind
from projections import queries
from tests.support.databases import Urls, out_of_reach, read_only
from tests.support.helpers import HTMX, PASSWORD, make_user, text_of
from tests.support.values import count

AWAY = [
    "/",
    "/accounts/",
    "/accounts/1/",
    "/accounts/1/statement/",
    "/accounts/1/statement.csv",
    "/accounts/1/deposit/",
    "/days/",
    f"/receipts/{uuid4()}/",
    "/admin/",
]


@pytest.fixture
def teller(bank: Path) -> Client:
    """A browser of a superuser, in a bank with account 1."""
    handle(CreateBankAccount(1, "Josh", 1234))
    client = Client(raise_request_exception=False)
    client.force_login(make_user("tina", "Tellers", is_superuser=True, is_staff=True))
    assert client.get("/").status_code == 200
    return client


def send(client: Client, url: str = "/accounts/1/deposit/", command_id: object = "", **fields: str) -> Any:
    return client.post(url, {"command_id": str(command_id or uuid4()), "amount": "5", **fields})


@pytest.mark.parametrize("alias", ["default", "projections"])
def test_no_outage_page_needs_the_database(teller: Client, urls: Urls, alias: str) -> None:
    pages = [url for url in AWAY if alias == "default" or url != "/admin/"]
    with out_of_reach(urls, alias):
        for url in pages:
            for headers in ({}, HTMX):
                response = teller.get(url, headers=headers)
                assert response.status_code == 503, url
                assert response["Retry-After"] == "5"
                assert response["Cache-Control"] == "no-store"
                assert "records do not answer" in text_of(response)
        assert teller.get("/healthz").status_code == 200
        assert teller.get("/readyz").status_code == 503
    close_old_connections()  # as a server does between requests
    assert [teller.get(url).status_code for url in pages if "receipts" not in url] == [200] * (len(pages) - 1)
    assert teller.get("/readyz").status_code == 200


def test_a_log_in_without_its_database_is_no_wrong_password(teller: Client, urls: Urls) -> None:
    stranger = Client(raise_request_exception=False)
    with out_of_reach(urls, "default"):
        response = stranger.post("/login/", {"username": "tina", "password": PASSWORD})
        assert response.status_code == 503
        assert "may have taken effect or not" in text_of(response)
        assert PASSWORD not in response.content.decode()
    assert stranger.post("/login/", {"username": "tina", "password": PASSWORD}).status_code == 302


def test_a_session_that_cannot_be_written_is_no_bad_request(teller: Client, urls: Urls) -> None:
    session = teller.session
    session[sessions.SEEN] = int(time.time()) - 2 * sessions.WRITTEN_EVERY
    session.save()
    with read_only(urls):
        assert teller.get("/").status_code == 503
    close_old_connections()  # as a server does between requests
    assert teller.get("/").status_code == 200


def test_a_session_that_was_deleted_meanwhile_is_a_bad_request_still(
    teller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete(*args: Any, **kwargs: Any) -> Any:
        Session.objects.all().delete()
        return figures(*args, **kwargs)

    figures = queries.find_accounts
    session = teller.session
    session[sessions.SEEN] = int(time.time()) - 2 * sessions.WRITTEN_EVERY
    session.save()
    monkeypatch.setattr(queries, "find_accounts", delete)
    assert teller.get("/accounts/").status_code == 400


# A task


def test_a_task_that_met_an_outage_links_to_its_receipt(teller: Client, urls: Urls) -> None:
    command_id = uuid4()
    with read_only(urls):
        response = send(teller, "/accounts/1/withdraw/", command_id, pin="1234")
    page = response.content.decode()
    assert response.status_code == 503
    assert "may have been recorded or not" in text_of(response)
    assert f'href="/receipts/{command_id}/"' in page
    assert "1234" not in page.replace(str(command_id), "")

    close_old_connections()  # as a server does between requests
    nothing = teller.get(f"/receipts/{command_id}/")
    assert nothing.status_code == 404
    assert "Nothing is recorded" in text_of(nothing)
    assert count("eventstore_event") == count("eventstore_commandrecord") == 1

    assert send(teller, command_id=command_id).status_code == 303, "nobody has to start anything again"
    assert teller.get(f"/receipts/{command_id}/").status_code == 200
    assert count("eventstore_event") == 2


def test_a_recorded_command_whose_answer_was_lost_has_its_receipt(
    teller: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def carry_out(*args: Any, **kwargs: Any) -> None:
        settings.PROJECTION_MODE = "worker"  # the process dies before it projects
        handle(*args, **kwargs)
        raise OutcomeUnknown("The database does not answer.")

    command_id = uuid4()
    monkeypatch.setattr("bank.screens.tasks.handle", carry_out)
    response = send(teller, command_id=command_id)
    assert response.status_code == 503
    assert "may have been recorded or not" in text_of(response)
    assert "receipt appears here" in text_of(teller.get(f"/receipts/{command_id}/"))
    settings.PROJECTION_MODE = "inline"
    assert "5.00" in text_of(teller.get(f"/receipts/{command_id}/"))


def test_a_command_that_was_rejected_has_no_receipt_but_its_reason(teller: Client) -> None:
    command_id = uuid4()
    assert send(teller, "/accounts/2/deposit/", command_id).status_code == 422
    response = teller.get(f"/receipts/{command_id}/")
    assert response.status_code == 200
    assert "Not carried out" in text_of(response)
    assert "account 2" in text_of(response)


@pytest.mark.parametrize("command_id", ["", "<script>", "1234", f"{UUID(int=1)}x"])
def test_the_page_repeats_nothing_but_a_command_id(teller: Client, urls: Urls, command_id: str) -> None:
    with out_of_reach(urls, "default"):
        response = teller.post("/accounts/1/withdraw/", {"command_id": command_id, "amount": "77", "pin": "1234"})
    page = re.sub("<time .*?</time>", "", response.content.decode())
    assert response.status_code == 503
    assert "/receipts/" not in page
    assert not re.search("<script>|1234|77", page)


# The log, and errors that are no outage


def test_an_outage_is_logged_in_one_line_without_the_input(
    teller: Client, vendor: str, urls: Urls, caplog: pytest.LogCaptureFixture
) -> None:
    with out_of_reach(urls, "default"), caplog.at_level(logging.INFO):
        send(teller, "/accounts/1/withdraw/", pin="9753")
    [record] = [record for record in caplog.records if record.name in ("bank.screens.unavailable", "django.request")]
    message = record.getMessage()
    why = {"sqlite": "unable to open database file", "postgresql": "couldn't get a connection after 0.20 sec"}[vendor]
    assert message == f"No database for POST /accounts/1/withdraw/: OperationalError: {why}"
    assert record.exc_info is None
    assert "9753" not in caplog.text


def test_a_fault_of_the_program_is_a_500_still(teller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(queries, "find_accounts", broken)
    assert teller.get("/accounts/").status_code == 500
    with connections["projections"].cursor() as cursor:
        cursor.execute("DROP TABLE projections_statementline")
    response = teller.get("/accounts/1/")
    assert response.status_code == 500, "a table that is missing does not come back by waiting"


class FromPostgresql(Exception):
    """An error of psycopg's with the attributes that are read."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def raised(error: Exception, cause: Exception | None) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("kind", "sqlstate", "expected"),
    [
        (OperationalError, None, True),  # a network error
        (InterfaceError, None, True),  # a closed connection
        (OperationalError, "08006", True),  # connection failure
        (OperationalError, "57P01", True),  # the administrator stops the server
        (OperationalError, "53100", True),  # disk full
        (OperationalError, "53300", True),  # too many connections
        (OperationalError, "58030", True),  # I/O error
        (DatabaseError, "25006", True),  # read-only: a standby
        (OperationalError, "55P03", True),  # lock not available
        (DatabaseError, "42P01", False),  # no such table
        (DatabaseError, "23505", False),  # a constraint
        (DatabaseError, None, False),  # Django's own, for a missing row
    ],
)
def test_these_errors_of_postgresql_are_outages(kind: type[Exception], sqlstate: str | None, expected: bool) -> None:
    assert is_outage(raised(kind("said"), FromPostgresql(sqlstate))) is expected


def test_an_error_caused_by_an_outage_counts_as_an_outage() -> None:
    outage = raised(OperationalError("gone"), FromPostgresql("57P01"))
    consequence = ValueError()
    consequence.__context__ = raised(KeyError(), outage)
    assert outage_behind(consequence) is outage
    assert outage_behind(ValueError()) is None
