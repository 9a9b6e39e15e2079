"""The number of queries of each page."""

from contextlib import ExitStack
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bank.access.backends import PasswordBackend
from tests.support.databases import another_connection
from tests.support.helpers import client_of, make_user
from tests.support.values import PIN, deposit, open_account, withdraw

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def teller() -> Client:
    client = client_of("teller", "Tellers")
    open_account(1, "Josh", balance=500)
    withdraw(1, 5, PIN + 1)
    client.get("/")  # connects
    return client


def asked(client: Client, path: str) -> list[str]:
    """Fetch a page, and return all of its statements, session and permissions included."""
    with ExitStack() as capturing:
        captured = [
            capturing.enter_context(CaptureQueriesContext(connections[alias])) for alias in ("default", "projections")
        ]
        assert client.get(path).status_code == 200
        return [query["sql"] for each in captured for query in each.captured_queries]


@pytest.mark.parametrize("path", ["/", "/accounts/", "/accounts/?q=josh", "/accounts/1/", "/days/", "/accounts/open/"])
def test_a_page_needs_six_queries_at_most(teller: Client, path: str) -> None:
    assert len(asked(teller, path)) <= 6


def test_a_statement_of_some_days_needs_four_queries_more(teller: Client) -> None:
    limited = asked(teller, "/accounts/1/?from=2026-03-01&to=2099-01-01")
    assert len(limited) == len(asked(teller, "/accounts/1/")) + 4


def test_a_receipt_needs_six_queries_at_most(teller: Client) -> None:
    ack = deposit(1, 5, command_id=uuid4())
    assert len(asked(teller, f"/receipts/{ack.command_id}/")) <= 6


# The user and all permissions are read at once


@pytest.mark.parametrize("group", ["Tellers", "Supervisors", "Auditors", ""])
def test_a_user_of_a_session_has_djangos_permissions(group: str) -> None:
    user = make_user("somebody", group)
    found = PasswordBackend().get_user(user.pk)
    assert found == user
    assert found is not None
    assert found.get_all_permissions() == User.objects.get(pk=user.pk).get_all_permissions()
    assert found.has_perm("bank.view_accounts") == bool(group)
    assert found.date_joined == user.date_joined


def test_permissions_of_the_user_and_of_every_group_count() -> None:
    user = make_user("somebody", "Tellers")
    user.groups.add(Group.objects.get(name="Auditors"))
    user.user_permissions.add(Permission.objects.get(codename="supervise"))
    make_user("another", "Supervisors")
    found = PasswordBackend().get_user(user.pk)
    assert found is not None
    assert found.get_all_permissions() == User.objects.get(pk=user.pk).get_all_permissions()
    assert found.has_perms(["bank.supervise", "bank.serve_customers", "eventstore.view_event"])


def test_a_superuser_may_do_everything() -> None:
    user = make_user("boss", is_superuser=True)
    found = PasswordBackend().get_user(user.pk)
    assert found is not None
    assert found.has_perm("bank.supervise")
    assert "auth.delete_user" in found.get_all_permissions()


def test_a_deleted_or_inactive_user_is_logged_out() -> None:
    user = make_user("gone", "Tellers")
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert PasswordBackend().get_user(user.pk) is None
    assert PasswordBackend().get_user(user.pk + 1) is None


@pytest.mark.only_on("postgresql", reason="SQLite keeps nothing prepared that this could break")
def test_a_session_finds_its_user_after_a_migration_altered_the_users_table() -> None:
    user = make_user("somebody", "Tellers")
    assert PasswordBackend().get_user(user.pk) == user
    with another_connection() as other, other.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user ALTER username TYPE varchar(200)")
    assert PasswordBackend().get_user(user.pk) == user


def test_a_permission_that_is_taken_away_counts_no_more_at_the_next_request(teller: Client) -> None:
    User.objects.get(username="teller").groups.clear()
    assert teller.get("/").status_code == 403
