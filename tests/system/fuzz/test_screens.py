"""Every form and every URL, as every kind of user: never an error, never a change without a receipt."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from hypothesis import given

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from bank.operations import roles
from bank.operations.wsgi_wrapper import plain
from eventstore.models import CommandRecord, Event
from tests.system.fuzz.inputs import USED, Request, requests
from tests.system.fuzz.routes import Field, Gap, Route, fields_of, routes

ROLES: dict[str, dict[str, Any]] = {
    "nobody": {},
    "teller": {"group": "Tellers"},
    "supervisor": {"group": "Supervisors"},
    "auditor": {"group": "Auditors", "is_staff": True},
    "superuser": {"is_staff": True, "is_superuser": True},
}
SERVE = ("teller", "supervisor", "superuser")
RECEIPT = re.compile(r"/receipts/([0-9a-f-]{36})/(?:[?]to_account_id=[0-9]+)?")
TILL = re.compile(r"/till/|/tills/[0-9]+/[0-9]+/")


def counts() -> tuple[int, int]:
    """Return the numbers of events and commands, without those that followed from an event."""
    events = Event.objects.exclude(metadata__has_key="causation_id")
    return events.count(), CommandRecord.objects.filter(causation="").count()


class Browser:
    """A browser of one kind of user, which logs in again whenever its session has ended."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.client = Client(raise_request_exception=True)
        self.statuses: dict[int, int] = {}
        self.receipts = 0
        self.is_in = False

    def log_in(self) -> None:
        """Undo the effects of earlier requests on the user and the session."""
        self.client = Client(raise_request_exception=True)
        self.is_in = True
        if self.role == "nobody":
            return
        flags = {"is_active": True, "is_staff": False, "is_superuser": False, **ROLES[self.role]}
        group = flags.pop("group", "")
        user, _ = User.objects.update_or_create(username="tina", defaults=flags)
        if Group.objects.count() < len(roles.ROLES):
            roles.make_groups()
        user.groups.set(Group.objects.filter(name=group))
        self.client.force_login(user)

    def send(self, request: Request) -> None:
        """Send a request, and check its effects."""
        if not self.is_in:
            self.log_in()
        before = counts()
        own = "; ".join(f"{morsel.key}={morsel.value}" for morsel in self.client.cookies.values())
        cookies = "; ".join([own, *(f"{name}={value}" for name, value in request.cookies)])
        environment: dict[str, Any] = {"QUERY_STRING": request.query, "HTTP_COOKIE": cookies, **request.headers}
        response: Any = self.client.generic(
            request.method, request.path, request.body, plain(request.content_type), **environment
        )
        has_changed_users = self.role == "superuser" and request.method == "POST"  # possibly tina too
        self.is_in = self.role != "nobody" and response.status_code != 302 and not has_changed_users
        b"".join(response)  # renders the page, and reads a stream to its end
        self.statuses[response.status_code] = self.statuses.get(response.status_code, 0) + 1
        assert response.status_code < 500, response.status_code
        after = counts()
        if after != before:
            self.check_change(response, before, after)

    def check_change(self, response: Any, before: tuple[int, int], after: tuple[int, int]) -> None:
        assert self.role in SERVE, "who may not serve changes nothing"
        assert after[1] == before[1] + 1, "one command at a time"
        record = CommandRecord.objects.order_by("-received_at", "-position").first()
        if after[0] == before[0]:
            assert response.status_code == 422, "what is rejected shows the form again"
            return
        location = response.headers.get("Location") or response.headers.get("HX-Redirect", "")
        if found := RECEIPT.fullmatch(location):
            record = CommandRecord.objects.get(pk=UUID(found[1]))
        else:
            assert TILL.fullmatch(location), "a change sends its sender to a receipt, or to the till"
            record = CommandRecord.objects.filter(causation="", outcome="accepted").latest("position")
        assert record.outcome == "accepted"
        assert record.event_count == after[0] - before[0], "the receipt is of this very change"
        self.receipts += 1


def forms_of(role: str, known: list[Route]) -> dict[str, list[Field]]:
    """Return the forms that a user finds, by the paths of their pages."""
    browser = Browser(role)
    browser.log_in()
    sensible = {"int": "1", "uuid": str(USED[0])}
    gaps = {"object_id": "1", "app_label": "auth", "url": "x", "content_type_id": "1", "id": "1"}
    found = {}
    for route in known:
        path = "".join(
            sensible.get(piece.kind, gaps.get(piece.name, "1")) if isinstance(piece, Gap) else piece for piece in route
        )
        if fields := fields_of(browser.client, path):
            found[path] = fields
    return found


@pytest.fixture
def some_business(bank: object) -> None:
    for number, holder in enumerate(("Josh", "Zoë"), start=1):
        handle(CreateBankAccount(number, holder, 1234))
        handle(DepositMoneyIntoBankAccount(number, 10**8), command_id=USED[number - 1])


@pytest.mark.parametrize("role", ROLES)
def test_nothing_fails_and_nothing_changes_without_a_receipt(role: str, some_business: None, much: Any) -> None:
    known = list(routes())
    browser, forms = Browser(role), forms_of(role, known)

    much(given(requests(known, forms))(browser.send))()
    body = f"amount=1&command_id={uuid4()}".encode()
    browser.send(Request("POST", "/accounts/1/deposit/", "", body, "application/x-www-form-urlencoded", {}, []))
    assert browser.statuses.keys() >= {200, 302}, browser.statuses
    assert (browser.receipts > 0) == (role in SERVE), browser.statuses
    assert (f"/receipts/{USED[0]}/reverse/" in forms) == (role in ("supervisor", "superuser"))


def test_every_address_of_the_bank_and_of_the_admin_is_tried() -> None:
    paths = {"".join(piece if isinstance(piece, str) else f"<{piece.name}>" for piece in route) for route in routes()}
    wanted = {"/", "/accounts/<account_id>/withdraw/", "/admin/eventstore/event/<object_id>/change/", "/login/",
              "/admin/<url>", "/receipts/<command_id>/", "/admin/auth/user/<id>/password/"}  # fmt: skip
    assert wanted <= paths
    assert len(paths) > 60
