"""Every URL of the admin, with strange keys and parameters, as a superuser: none fails on any database."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.support.helpers import make_user
from tests.system.fuzz.conftest import FEW
from tests.system.fuzz.inputs import PARAMETERS, STRANGE, on_the_wire
from tests.system.fuzz.test_screens import some_business as some_business

FORM = "application/x-www-form-urlencoded"
LOOKUPS = ["", "__exact", "__id__exact", "__isnull", "__in", "__gt", "__year", "__date", "__regex", "__x"]
LISTS = [*PARAMETERS, "pk", "pk__in", "_facets", "_changelist_filters", "actor", "name", "outcome", "groups__id__exact"]
PAGES = ["", "change/", "delete/", "history/", "password/"]
ACTIONS = ["delete_selected", "end_sessions", "reset_second_factor"]
AUTOCOMPLETE = {"app_label": "auth", "model_name": "user", "field_name": "groups", "term": "x", "page": "1"}

type Sent = tuple[str, str | None]
"""An address, and the body that is posted to it."""


def requests(random: Random) -> Iterator[Sent]:
    """Yield requests without end. Each kind of page is equally likely."""
    tables = list(admin.site._registry)
    while True:
        table, value = random.choice(tables), on_the_wire(random.choice(STRANGE))[:3000]
        of_list = reverse(f"admin:{table._meta.app_label}_{table._meta.model_name}_changelist")
        yield f"{of_list}?{_parameter(random, table)}={value}", None
        yield f"{of_list}{value}/{random.choice(PAGES)}", None
        yield (
            f"{of_list}{random.choice(['add', '1/change', '1/history', '1/delete'])}/?{random.choice(LISTS)}={value}",
            None,
        )
        yield of_list, _action(random, value)
        others = {**AUTOCOMPLETE, random.choice(sorted(AUTOCOMPLETE)): value}
        yield f"/admin/autocomplete/?{'&'.join(f'{name}={each}' for name, each in others.items())}", None
        yield (
            random.choice(["/admin/login/?next=", "/admin/", "/admin/jsi18n/?x=", "/admin/r/1/", "/admin/?q="]) + value,
            None,
        )


def _parameter(random: Random, table: type[Model]) -> str:
    """Draw a parameter of a list: a known one, or a field with a lookup."""
    field = random.choice(table._meta.fields).name
    return random.choice([random.choice(LISTS), field + random.choice(LOOKUPS)])


def _action(random: Random, value: str) -> str:
    """Draw the POST data of a list action on selected rows."""
    fields = {
        "action": random.choice(ACTIONS),
        "_selected_action": "1",
        "index": "0",
        "select_across": "0",
        "post": "yes",
    }
    fields[random.choice(sorted(fields))] = value
    return "&".join(f"{name}={each}" for name, each in fields.items())


def test_no_address_of_the_admin_fails(some_business: None, request: pytest.FixtureRequest) -> None:
    examples = request.config.getoption("--fuzz-examples", FEW)
    random = Random(1 if examples == FEW else None)
    statuses: Counter[int] = Counter()
    client = _root()
    for _, (path, body) in zip(range(examples), requests(random), strict=False):
        response: Any = client.get(path) if body is None else client.post(path, body, content_type=FORM)
        b"".join(response)
        assert response.status_code < 500, (path, body)
        statuses[response.status_code] += 1
        if body is not None or response.status_code == 302:  # root may be deleted or logged out by now
            client = _root()
    assert statuses.keys() >= {200, 302, 400, 403}, statuses


def _root() -> Client:
    """Return the client of a superuser, which is restored after earlier changes."""
    User.objects.all().delete()
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize(
    "query",
    [
        f"groups__in={2**63}",
        "id__regex=%2B",
        "username__regex=[",
        "date_joined__year=0",
        f"date_joined__year={2**63}",
        "password__startswith=a",
        "is_staff__exact__x=1",
    ],
)
def test_users_are_filtered_by_nothing_but_the_filters(bank: object, query: str) -> None:
    assert _root().get(f"/admin/auth/user/?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["is_staff__exact=1", "is_superuser__isnull=1", "groups__id__exact=1", "q=root", "all="]
)
def test_users_are_filtered_by_the_filters(bank: object, query: str) -> None:
    assert _root().get(f"/admin/auth/user/?{query}").status_code == 200


@pytest.mark.parametrize("key", [" ", "x", "-1", "1e3", str(2**63), "9" * 5000])
def test_an_action_on_a_key_that_no_row_has_is_refused(bank: object, key: str) -> None:
    client = _root()
    posted = {"action": "end_sessions", "_selected_action": key}
    assert client.post("/admin/auth/user/", posted).status_code == 400
