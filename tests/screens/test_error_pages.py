"""The pages of a refused or failed request: styled, in plain words, with all headers, for htmx too."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount
from bank.screens import unavailable
from projections import queries
from tests.access.test_headers import check_policies
from tests.support.helpers import client_of, text_of

HTMX = {"HX-Request": "true"}
PAGES = [
    ("GET", "/admin/eventstore/event/?q=%00", 400, "We could not read what was sent"),
    ("GET", "/admin/auth/user/", 403, "no right to do this"),
    ("GET", "/no/such/page", 404, "nothing at this address"),
    ("GET", "/accounts/7/", 404, "nothing at this address"),
    ("GET", "/receipts/no-id/", 404, "nothing at this address"),
    ("GET", "/logout/", 405, "This is not possible"),
    ("POST", "/days/", 405, "This is not possible"),
    ("DELETE", "/accounts/1/deposit/", 405, "This is not possible"),
    ("POST", "/own/", 405, "This is not possible"),
]


def check(response: Any, status: int, words: str) -> None:
    """Check that an answer is a page of the bank with this text."""
    assert response.status_code == status
    assert words in text_of(response)
    assert response["Content-Type"] == "text/html; charset=utf-8"
    page = response.content.decode()
    assert '<a class="brand" href="/">' in page
    assert "/static/bank/bank" in page
    check_policies(response)


@pytest.fixture
def teller(bank: object) -> Client:
    handle(CreateBankAccount(1, "Ada", 42))
    client = client_of("tina", "Tellers", is_staff=True)
    client.raise_request_exception = False
    return client


@pytest.mark.only_on("sqlite", reason="no database is asked")
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(("method", "url", "status", "words"), PAGES)
def test_a_refusal_is_a_page(
    teller: Client, method: str, url: str, status: int, words: str, headers: dict[str, str]
) -> None:
    response = teller.generic(method, url, headers=headers)
    check(response, status, words)
    assert ("Allow" in response) is (status == 405)


@pytest.mark.only_on("sqlite", reason="no database is asked")
def test_an_unknown_host_has_a_page_that_does_not_repeat_it(teller: Client) -> None:
    response = teller.get("/", headers={"Host": "other.example"})
    check(response, 400, "does not answer at this address")
    assert "other.example" not in response.content.decode()


@pytest.mark.only_on("sqlite", reason="no database is asked")
def test_a_form_of_another_session_and_an_overlarge_one_are_pages(teller: Client) -> None:
    form = {"amount": "5", "command_id": str(uuid4())}
    teller.handler.enforce_csrf_checks = True
    for headers in ({}, HTMX):
        check(teller.post("/accounts/1/deposit/", form, headers=headers), 403, "Open the form again")
        large = {"amount": "5" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}
        check(teller.post("/accounts/1/deposit/", large, headers=headers), 413, "larger than any form")


# A fault of the program


def broken(*args: object, **kwargs: object) -> Any:
    raise ZeroDivisionError


@pytest.mark.only_on("sqlite", reason="no database is asked")
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_fault_is_a_page_that_leads_to_the_receipt(
    teller: Client, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(queries, "find_accounts", broken)
    monkeypatch.setattr("bank.screens.tasks.handle", broken)
    check(teller.get("/accounts/", headers=headers), 500, "a fault of the program")
    command_id = uuid4()
    form = {"command_id": str(command_id), "amount": "77", "pin": "4321"}
    response = teller.post("/accounts/1/withdraw/", form, headers=headers)
    check(response, 500, "may have been recorded or not")
    page = re.sub("<time .*?</time>", "", response.content.decode())
    assert f'href="/receipts/{command_id}/"' in page
    assert "4321" not in page.replace(str(command_id), "")


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "405", "413", "429", "500", "503"])
def test_each_error_page_is_whole_without_a_request_and_without_a_database(name: str) -> None:
    context = {"seconds": 2, "again": "/login/", "sent": True, "command_id": uuid4()}  # pytest-django refuses a query
    page = render_to_string(f"{name}.html", context)
    assert f'<p class="hint">{name[:3]} \u00b7 ' in page
    assert page.count("<h1>") == 1
    assert 'class="button"' in page
    assert '<a class="brand" href="/">' in page
    assert 'href="/static/bank/bank' in page
    knows_nothing = name in ("500", "503")  # a form that was sent may have been carried out
    assert ("no money has moved" in page) is (not knows_nothing and name not in ("404", "429"))


@pytest.mark.parametrize("name", ["500", "503"])
def test_a_failure_of_a_page_that_only_reads_says_that_no_money_has_moved(name: str) -> None:
    page = render_to_string(f"{name}.html", {"sent": False})
    assert "You had sent nothing, so no money has moved." in page
    assert "may have" not in page


def test_the_page_of_a_fault_needs_no_database() -> None:
    try:
        broken()
    except ZeroDivisionError:
        response = unavailable.server_error(RequestFactory().get("/"))  # pytest-django refuses any query here
    assert response.status_code == 500
    assert "Something went wrong" in text_of(response)


def test_a_fault_of_the_templates_is_an_answer_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unavailable, "render_to_string", broken)
    response = unavailable.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Something went wrong" in text_of(response)


@pytest.mark.only_on("sqlite", reason="no database is asked")
def test_a_session_that_ends_during_a_request_leads_to_the_log_in(
    teller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*args: Any, **kwargs: Any) -> Any:
        Session.objects.all().delete()
        return figures(*args, **kwargs)

    figures = queries.find_accounts
    session = teller.session
    session["seen_at"] -= 120  # so that the request writes it
    session.save()
    monkeypatch.setattr(queries, "find_accounts", end)
    response = teller.get("/accounts/")
    check(response, 400, "You were logged out")
    assert 'href="/login/"' in response.content.decode()


# Back after the session has ended


@pytest.mark.only_on("sqlite", reason="no database is asked")
@pytest.mark.parametrize("url", ["/", "/accounts/1/?before=9", "/own/", "/admin/"])
def test_a_page_of_the_history_leads_to_the_log_in(bank: object, url: str) -> None:
    stranger = Client()
    response = stranger.get(url, headers={**HTMX, "HX-History-Restore-Request": "true"}, follow=True)
    assert response.request["PATH_INFO"] == "/login/"
    assert "User name" in text_of(response)
    assert 'action="/login/?next=' in response.content.decode()
    response = stranger.get(url, headers=HTMX)
    assert response["HX-Redirect"].startswith("/login/?next=")
