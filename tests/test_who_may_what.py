"""Who may do what: every address of the resolver, as every role, by GET and by POST, against the table in the docs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount, WithdrawMoneyFromBankAccount
from bank.handlers import handle
from eventstore import snapshots, store
from eventstore.models import CommandRecord
from tests.helpers import client_of, make_user

TABLE = (Path(__file__).parent.parent / "docs" / "trust.md").read_text().partition("## Who may do what")[2]
TABLE = TABLE.partition("\n### ")[0]
ROLES: dict[str, dict[str, Any]] = {
    "anonymous": {},
    "no role": {},
    "Tellers": {"group": "Tellers"},
    "Supervisors": {"group": "Supervisors"},
    "Auditors": {"group": "Auditors", "is_staff": True},
    "superuser": {"is_staff": True, "is_superuser": True},
}


def routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """Yield every address that the resolver knows, a named group of a regular expression as <name>."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", str(pattern.pattern)).strip("^$")
        if isinstance(pattern, URLPattern):
            yield route.replace("/^", "/")
        else:
            yield from routes(pattern, route)


def expected() -> dict[str, dict[str, str]]:
    """Return what the table says: for each address (with its method, where that matters) what each role gets."""
    groups = {
        name: re.findall(r"`([^`]+)`", models)
        for name, models in re.findall(r"^- ([A-Z]+): ((?:.|\n  )+)", TABLE, re.MULTILINE)
    }
    said: dict[str, dict[str, str]] = {}
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines() if line[:1] == "|"]
    assert rows[0][1:] == list(ROLES)
    for row in rows[2:]:
        for address in re.findall(r"`([^`]+)`", row[0].partition(" (")[0]):
            group = next((name for name in groups if f"/{name}/" in address), "")
            for model in groups.get(group, [""]):
                each = address.replace(f"/{group}/", f"/{model}/") if group else address
                assert each not in said, f"{each} has two rows"
                said[each] = dict(zip(ROLES, row[1:], strict=True))
    return said


EXPECTED = expected()


@pytest.fixture
def business(bank: object) -> None:
    """A bank in which every table has a row."""
    make_user("somebody else")
    handle(CreateBankAccount(1, "Ada Lovelace", 42))
    handle(DepositMoneyIntoBankAccount(1, 10_000))
    handle(WithdrawMoneyFromBankAccount(1, 5, 43))
    for _ in range(snapshots.EVERY):
        handle(DepositMoneyIntoBankAccount(1, 1))


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    addresses = set(routes())
    rows = {address.removeprefix("POST ") for address in EXPECTED}
    assert addresses - rows == set(), "add a row to the table in docs/trust.md: who may do this?"
    assert rows - addresses == set(), "docs/trust.md has rows for what is not there"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_address_answers_those_whom_the_table_names(business: None, role: str, method: str) -> None:
    client = Client() if role == "anonymous" else client_of("somebody", **ROLES[role])
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    before = store.last_position(), CommandRecord.objects.count()
    wrong = []
    for route in sorted(set(routes())):
        client.cookies.load(cookies)
        if role != "anonymous" and "_auth_user_id" not in client.session:  # it was a log-out
            client.force_login(client_user(role))
            cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        said = EXPECTED.get(f"{method} {route}") or EXPECTED[route]
        response = client.generic(method, path_of(route))
        got = outcome(client, response)
        fits = got == said[role] or (said[role] == "no" and got == "no such method")
        fits = fits or (said[role] == "yes" and got == "no such method")
        if not fits:
            wrong.append(f"{method} {route}: {got} ({response.status_code}), not {said[role]}")
        if "no-store" not in response.headers["Cache-Control"]:
            wrong.append(f"{method} {route}: may be kept by the browser")
    assert wrong == []
    assert (store.last_position(), CommandRecord.objects.count()) == before, "empty forms change nothing"


def client_user(role: str) -> Any:
    return apps.get_model("auth", "User").objects.get(username="somebody")


def outcome(client: Client, response: Any) -> str:
    """Name what somebody gets: sent to the log-in, refused, or an answer."""
    location = response.headers.get("Location", "")
    if location.startswith("/admin/login/"):
        return outcome(client, client.get(location))
    if location.startswith("/login/?"):
        return "log-in"
    if response.status_code == 405:
        return "no such method"
    assert response.status_code < 500
    return "no" if response.status_code == 403 else "yes"


def path_of(route: str) -> str:
    """Fill an address in, with what is there."""
    path = route.replace("<int:account_id>", "1").replace("<app_label>", "eventstore").replace("<url>", "nothing")
    path = path.replace("<path:content_type_id>", "1").replace("<id>", "1")
    if "<uuid:command_id>" in path:
        path = path.replace("<uuid:command_id>", str(CommandRecord.objects.values_list("id", flat=True)[0]))
    if "<path:object_id>" in path:
        path = path.replace("<path:object_id>", str(key_in(path)))
    return path


def key_in(path: str) -> object:
    """Return the key of a row of the table that an admin's address is about."""
    found = re.match(r"/admin/(\w+)/(\w+)/", path)
    if not found or found[1] == "r":
        return 1
    keys = list(apps.get_model(found[1], found[2]).objects.values_list("pk", flat=True)[:1])
    assert keys, f"the test has no row for {path}"
    return keys[0]
