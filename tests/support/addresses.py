"""Every URL route of the resolver, and a valid request for each, with real objects and complete forms."""

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLResolver, get_resolver

from bank.application import tills
from bank.application.dispatch import handle
from bank.domain.commands import (
    CloseTill,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    OpenTill,
    TransferMoneyBetweenBankAccounts,
    WithdrawMoneyFromBankAccount,
)
from eventstore import snapshots, subscriptions
from eventstore.models import CommandRecord
from tests.support.clocks import StoppedClock
from tests.support.helpers import PASSWORD, make_user
from tests.support.newer import freeze
from tests.support.phones import code_of, scanned

PIN = 42
"""The PIN of each account."""
RICH, LOCKED, EMPTY = ACCOUNTS = 1, 2, 3
"""An account with money, one with money and locked withdrawals, and one without money."""
SOMEBODY = "somebody"
"""The user who is tried."""
FROZEN = 4
"""An account that the read side has parked."""
NEW_PASSWORD = "a much longer password"
_numbers = count(100)


@pytest.fixture
def business(bank: object) -> None:
    """A bank in which every table has a row."""
    make_user("somebody else")
    for account_id in ACCOUNTS:
        handle(CreateBankAccount(account_id, "Ada Lovelace", PIN))
        if account_id != EMPTY:
            handle(DepositMoneyIntoBankAccount(account_id, 10_000))
    for _ in range(3):
        handle(WithdrawMoneyFromBankAccount(LOCKED, 5, PIN + 1))
    for _ in range(snapshots.EVERY):
        handle(DepositMoneyIntoBankAccount(RICH, 1))
    handle(TransferMoneyBetweenBankAccounts(RICH, LOCKED, 1, PIN))
    handle(CreateBankAccount(FROZEN, "Ada Lovelace", PIN))
    freeze(FROZEN)
    subscriptions.rows(["a process manager"])
    handle(OpenTill(1, "tina", 500))


class Request(NamedTuple):
    """A complete request: it succeeds if its user may send it."""

    path: str
    data: dict[str, Any]
    changes: bool = False  # whether its purpose is a change


def routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """Yield every route of the resolver, with named groups of a regular expression as <name>.

    A route that names several apps is yielded once for each.
    """
    for pattern in (resolver or get_resolver()).url_patterns:
        named = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", str(pattern.pattern)).strip("^$")
        route = prefix + named
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        elif labels := re.search(r"\?P<app_label>([\w|]+)\)", str(pattern.pattern)):
            yield from (route.replace("/^", "/").replace("<app_label>", label) for label in labels[1].split("|"))
        else:
            yield route.replace("/^", "/")


def request_for(method: str, route: str, client: Client, clock: StoppedClock, account_id: int = RICH) -> Request:
    """Return a valid request, and create the objects that it would change."""
    path = path_of(route, account_id)
    if method == "GET":
        return Request(path, QUERIES.get(route, {}))
    if form := FORMS.get(route, task if route.startswith("/accounts/") and route not in PAGES else None):
        return Request(path, form(client, path, clock), changes=True)
    is_list = re.fullmatch(r"/admin/(eventstore|projections)/\w+/", route)
    return Request(path, selected("delete_selected")(client, path, clock) if is_list else {"post": "yes"})


def path_of(route: str, account_id: int) -> str:
    """Return the path of a route with real keys, and create the objects that it could change or delete."""
    path = route.replace("<int:account_id>", str(account_id)).replace("<url>", "auth/user")
    path = path.replace("<path:content_type_id>", str(ContentType.objects.get(model="event").pk))
    path = path.replace("<id>", str(victim("user")))
    if "<int:till_id>" in path:
        till = open_till()
        path = path.replace("<int:till_id>/<int:shift>", f"{till.till_id}/{till.shift}")
    if "<uuid:command_id>" in path:
        deposits = CommandRecord.objects.filter(name="deposit_money_into_bank_account").order_by("-position")
        path = path.replace("<uuid:command_id>", str(deposits.values_list("id", flat=True)[0]))
    if "<path:object_id>" in path:
        path = path.replace("<path:object_id>", str(key_in(path)))
    return path


def open_till() -> tills.TellersTill:
    """Return the open till of the user who is tried."""
    if tills.till_of(SOMEBODY) is None:
        handle(OpenTill(next(_numbers), SOMEBODY, 0))
    till = tills.till_of(SOMEBODY)
    assert till
    return till


def first_till(client: Client, path: str, clock: StoppedClock) -> dict[str, Any]:
    """Return the fields for the opening of a till. The user has none."""
    if till := tills.till_of(SOMEBODY):
        handle(CloseTill(*till, ()))
    return {**task(client, path, clock), "till_id": str(next(_numbers))}


def key_in(path: str) -> object:
    """Return the key of a row of the table of an admin path."""
    found = re.match(r"/admin/(\w+)/(\w+)/", path)
    if not found or found[1] == "r":
        return 1
    if found[1] == "auth":
        return victim(found[2])
    keys = list(apps.get_model(found[1], found[2]).objects.values_list("pk", flat=True)[:1])
    assert keys, f"the test has no row for {path}"
    return keys[0]


def victim(model: str) -> object:
    """Return the key of a user or group that nothing else needs."""
    name = f"{model} {next(_numbers)}".replace(" ", "-")
    return make_user(name).pk if model == "user" else Group.objects.create(name=name).pk


# Forms

Form = Callable[[Client, str, StoppedClock], dict[str, Any]]


def just(**data: Any) -> Form:
    return lambda client, path, clock: data


def task(client: Client, path: str, clock: StoppedClock) -> dict[str, Any]:
    """Return the fields of every task. A form ignores those of the others; a field of a new name is added here."""
    return {
        "command_id": str(uuid4()),
        "account_id": str(next(_numbers)),
        "account_holder": "Grace",
        "to_account_id": str(EMPTY if f"/{EMPTY}/" not in path else RICH),
        "amount": "1",
        "pin": f"{PIN:04}",
        "pin_again": f"{PIN:04}",
        "reason": "Typed twice",
        "pieces_100": "5",
    }


def first_code(client: Client, path: str, clock: StoppedClock) -> dict[str, Any]:
    """Return the code of the secret on the page, if there is one."""
    page = client.get(path)
    return {"code": code_of(scanned(page), clock) if page.status_code == 200 else "123456"}


def selected(action: str) -> Form:
    def form(client: Client, path: str, clock: StoppedClock) -> dict[str, Any]:
        return {"action": action, "_selected_action": str(key_in(path)), "post": "yes"}

    return form


def named(**data: Any) -> Form:
    """Return an admin form for a user or a group with a new name."""

    def form(client: Client, path: str, clock: StoppedClock) -> dict[str, Any]:
        name = f"new-{next(_numbers)}"
        return {"username": name, "name": name, **data}

    return form


_twice = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}

FORMS: dict[str, Form] = {
    "/receipts/<uuid:command_id>/reverse/": task,
    "/tills/open/": first_till,
    **dict.fromkeys(
        (f"/tills/<int:till_id>/<int:shift>/{each}/" for each in ("bring", "take", "close", "close-for")), task
    ),
    "/login/": just(username="somebody else", password=PASSWORD),
    "/login/code/": just(code="123456"),
    "/login/second-factor/": first_code,
    "/logout/": just(),
    "/confirm/": just(password=PASSWORD),
    "/own/password/": just(old_password=PASSWORD, new_password1=NEW_PASSWORD, new_password2=NEW_PASSWORD),
    "/own/second-factor/": first_code,
    "/own/sessions/": just(),
    "/language/": just(language="de"),
    "/admin/logout/": just(),
    "/admin/auth/user/": selected("end_sessions"),
    "/admin/auth/group/": selected("delete_selected"),
    "/admin/auth/user/add/": named(**_twice),
    "/admin/auth/group/add/": named(),
    "/admin/auth/user/<path:object_id>/change/": named(date_joined_0="2026-01-02", date_joined_1="03:04:05"),
    "/admin/auth/group/<path:object_id>/change/": named(),
    "/admin/auth/user/<id>/password/": just(**_twice),
    "/admin/auth/user/<path:object_id>/delete/": just(post="yes"),
    "/admin/auth/group/<path:object_id>/delete/": just(post="yes"),
}
"""The form of each route that accepts a POST, but for the tasks."""

PAGES = (
    "/accounts/",
    "/accounts/<int:account_id>/",
    "/accounts/<int:account_id>/balance/",
    "/accounts/<int:account_id>/statement/",
    "/accounts/<int:account_id>/statement.csv",
)
"""The pages among the tasks' addresses."""

QUERIES: dict[str, dict[str, str]] = {
    "/accounts/": {"q": "ada"},
    "/accounts/<int:account_id>/transfer/": {"to_account_id": str(EMPTY), "amount": "1"},
    "/receipts/": {"reference": "1"},
    "/login/": {"next": "/days/"},
    "/confirm/": {"next": "/days/"},
    "/admin/autocomplete/": {"app_label": "auth", "model_name": "user", "field_name": "groups", "term": "Tell"},
    "/admin/eventstore/event/": {"q": "1"},
}
"""The query parameters of each route that takes a query."""
