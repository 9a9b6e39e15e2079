"""Permissions: every URL, as every role, by GET and by POST, compared with the table in the docs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from bank.access import throttle
from tests.support.addresses import ACCOUNTS, RICH, request_for, routes
from tests.support.addresses import business as business
from tests.support.clocks import StoppedClock
from tests.support.databases import VARIABLES
from tests.support.helpers import PASSWORD, make_user
from tests.support.values import query

TABLE = (Path(__file__).parents[2] / "docs" / "trust.md").read_text().partition("## Who may do what")[2]
TABLE = TABLE.partition("\n### ")[0]


class Role(NamedTuple):
    """A user, and the user's column of the table."""

    column: str
    user: dict[str, Any] | None = None
    door: Callable[[Client], None] | None = None  # the state of the browser instead of a log-in, or after it
    admin: bool = True  # whether the column applies to the admin; otherwise nothing there opens


def make_inactive(client: Client) -> None:
    User.objects.filter(username="somebody").update(is_active=False)


def lock_out(client: Client) -> None:
    """Use up the tries, so that the right password is refused."""
    client.logout()
    for password in ["wrong"] * throttle.FREE_TRIES + [PASSWORD]:
        response = client.post("/login/", {"username": "somebody", "password": password})
    assert response.status_code == 429


ROLES = {
    "nobody": Role("anonymous"),
    "inactive": Role("anonymous", {"is_staff": True, "is_superuser": True}, make_inactive),
    "locked out": Role("anonymous", {"is_staff": True, "is_superuser": True}, lock_out),
    "no role": Role("no role", {}),
    "teller": Role("Tellers", {"group": "Tellers"}),
    "supervisor": Role("Supervisors", {"group": "Supervisors"}),
    "auditor who is not staff": Role("Auditors", {"group": "Auditors"}),
    "auditor": Role("Auditors, staff", {"group": "Auditors", "is_staff": True}),
    "superuser": Role("superuser", {"is_staff": True, "is_superuser": True}),
    "superuser who is not staff": Role("superuser", {"is_superuser": True}, admin=False),
}
NO_SUCH_METHOD = {
    *(f"GET {route}" for route in ("/logout/", "/admin/logout/")),
    *(f"POST {route}" for route in (
        "/", "/find/", "/accounts/", "/accounts/<int:account_id>/", "/accounts/<int:account_id>/statement/",
        "/accounts/<int:account_id>/statement.csv",
        "/accounts/<int:account_id>/deposit/echo/", "/accounts/<int:account_id>/withdraw/echo/",
        "/receipts/", "/receipts/<uuid:command_id>/", "/transfers/", "/days/", "/own/", "/day/", "/bank/", "/refusals/",
        "/accounts/<int:account_id>/balance/",
        "/till/", "/tills/", "/tills/<int:till_id>/<int:shift>/",
        "/admin/autocomplete/", "/admin/jsi18n/", "/admin/password_change/done/",
        "/admin/eventstore/event/export.csv", "/admin/eventstore/event/export.jsonl",
    )),
}  # fmt: skip
"""The methods that no address supports: they are answered 405."""


def expected() -> dict[str, dict[str, str]]:
    """Return the table: for each address, with its method if necessary, the answer to each role."""
    groups = {
        name: re.findall(r"`([^`]+)`", models)
        for name, models in re.findall(r"^- ([A-Z]+): ((?:.|\n  )+)", TABLE, re.MULTILINE)
    }
    answer: dict[str, dict[str, str]] = {}
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines() if line[:1] == "|"]
    assert set(rows[0][1:]) == {role.column for role in ROLES.values()}
    for row in rows[2:]:
        for address in re.findall(r"`([^`]+)`", row[0].partition(" (")[0]):
            group = next((name for name in groups if f"/{name}/" in address), "")
            for model in groups.get(group, [""]):
                each = address.replace(f"/{group}/", f"/{model}/") if group else address
                assert each not in answer, f"{each} has two rows"
                answer[each] = dict(zip(rows[0][1:], row[1:], strict=True))
    return answer


EXPECTED = expected()


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    addresses = set(routes())
    rows = {address.removeprefix("POST ") for address in EXPECTED}
    assert addresses - rows == set(), "add a row to the table in docs/trust.md: who may do this?"
    assert rows - addresses == set(), "docs/trust.md has rows for what is not there"
    assert {each.partition(" ")[2] for each in NO_SUCH_METHOD} - addresses == set()


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_address_answers_only_the_roles_in_the_table(
    business: None, stopped_clock: StoppedClock, name: str, method: str
) -> None:
    role = ROLES[name]
    if role.user is not None:
        make_user("somebody", **role.user)
    browser = browser_of(role)
    plan = {route: request_for(method, route, browser, stopped_clock) for route in sorted(set(routes()))}
    does_something = {
        route for route, request in plan.items() if request.changes and wanted_of(role, method, route) == "yes"
    }
    wrong = []

    def judge(client: Client, route: str, response: Any) -> None:
        got, wanted = outcome(client, response), wanted_of(role, method, route)
        if got != wanted and not (got == "no such method" and f"{method} {route}" in NO_SUCH_METHOD and wanted == "no"):
            wrong.append(f"{method} {route}: {got} ({response.status_code}), not {wanted}")
        if "no-store" not in response.headers["Cache-Control"]:
            wrong.append(f"{method} {route}: may be kept by the browser")

    before = all_rows()
    for route in plan.keys() - does_something:
        send = browser.get if method == "GET" else browser.post
        judge(browser, route, send(plan[route].path, plan[route].data))
    assert wrong == []
    assert changes(before, all_rows()) == [], "what is refused, or only shows something, changes nothing"

    for route in sorted(does_something):
        for account_id in ACCOUNTS if "<int:account_id>" in route else (RICH,):  # one of them suits the task
            client = browser_of(role)
            request = request_for(method, route, client, stopped_clock, account_id)
            response = client.post(request.path, request.data)
            if response.status_code in (302, 303):
                break
        else:
            wrong.append(f"{method} {route}: shows the form again, so the test's form is not valid")
        judge(client, route, response)
    assert wrong == []


def wanted_of(role: Role, method: str, route: str) -> str:
    """Return the table's entry for one method of an address."""
    answer = (EXPECTED.get(f"{method} {route}") or EXPECTED[route])[role.column]
    if not role.admin and route.startswith("/admin/"):
        answer = "no"
    return "no such method" if answer == "yes" and f"{method} {route}" in NO_SUCH_METHOD else answer


def browser_of(role: Role) -> Client:
    """Return a browser in which a user of the role is logged in."""
    client = Client()
    if role.user is None:
        return client
    user = User.objects.get(username="somebody")
    user.set_password(PASSWORD)
    user.is_active = True
    user.save()
    TOTPDevice.objects.all().delete()
    client.force_login(user)
    if role.door:
        role.door(client)
    return client


def outcome(client: Client, response: Any) -> str:
    """Classify an answer: a redirect to the log-in page, a refusal, or an answer."""
    location = response.headers.get("Location", "")
    if location == "/admin/" or location.startswith("/admin/login/"):
        return outcome(client, client.get(location))
    if location.startswith("/login/?"):
        return "log-in"
    names = {403: "no", 404: "404", 405: "no such method"}
    return names.get(response.status_code) or ("yes" if response.status_code < 400 else str(response.status_code))


Rows = dict[tuple[str, str], list[Any]]


def all_rows() -> Rows:
    """Return every row of both databases except sessions, which store their last use."""
    return {
        (alias, table): sorted(map(repr, query(f"SELECT * FROM {table}", using=alias)))
        for alias in VARIABLES
        for table in connections[alias].introspection.table_names()
        if table != "django_session"
    }


def changes(before: Rows, after: Rows) -> list[str]:
    return sorted(table for alias, table in after if before.get((alias, table)) != after[alias, table])
