"""The permissions of roles."""

from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User

from bank.operations import roles


@pytest.fixture
def bank(bank: Path) -> Path:
    """A bank without groups."""
    Group.objects.all().delete()
    return bank


def permissions_of(name: str) -> set[str]:
    group = Group.objects.get(name=name)
    return {
        f"{app}.{codename}" for app, codename in group.permissions.values_list("content_type__app_label", "codename")
    }


def test_tellers_look_at_accounts_and_serve_customers(bank: Path) -> None:
    roles.make_groups()
    assert permissions_of("Tellers") == {"bank.view_accounts", "bank.serve_customers"}


def test_supervisors_do_the_tasks_of_tellers_and_supervise(bank: Path) -> None:
    roles.make_groups()
    assert permissions_of("Supervisors") == permissions_of("Tellers") | {"bank.supervise"}


def test_auditors_look_at_everything_and_change_nothing(bank: Path) -> None:
    roles.make_groups()
    of_both_sides = Permission.objects.filter(
        content_type__app_label__in=["eventstore", "projections"], codename__startswith="view_"
    )
    wanted = {f"{permission.content_type.app_label}.{permission.codename}" for permission in of_both_sides}
    assert permissions_of("Auditors") == {"bank.view_accounts", *wanted}
    assert "eventstore.view_event" in wanted
    assert "projections.view_checkpoint" in wanted


def test_an_auditor_must_be_staff_to_see_the_admin(bank: Path) -> None:
    roles.make_groups()
    auditor = User.objects.create_user("ada", is_staff=True)
    auditor.groups.add(Group.objects.get(name="Auditors"))
    assert auditor.has_module_perms("eventstore")
    assert not auditor.has_perm("bank.serve_customers")


def test_making_the_groups_again_keeps_added_permissions(bank: Path) -> None:
    roles.make_groups()
    extra = Permission.objects.get(content_type__app_label="auth", codename="view_user")
    Group.objects.get(name="Supervisors").permissions.add(extra)
    before = {name: permissions_of(name) for name in roles.ROLES}
    roles.make_groups()
    assert {name: permissions_of(name) for name in roles.ROLES} == before
    assert Group.objects.count() == 3
