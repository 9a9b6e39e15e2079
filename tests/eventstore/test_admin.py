"""The inspector: permissions, search, and that nothing can be changed."""

import re
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from pytest_django import Settings

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from eventstore.models import CommandRecord, Event, Snapshot
from projections.models import Checkpoint
from tests.support.story import COMMANDS, DEPOSIT, EVENTS, REJECTED, TABLES
from tests.support.story import story as story

pytestmark = pytest.mark.usefixtures("bank", "story")


@pytest.fixture
def auditor(client: Client) -> Client:
    apps = ["eventstore", "projections"]
    group = Group.objects.create(name="Lookers")
    group.permissions.set(Permission.objects.filter(codename__startswith="view_", content_type__app_label__in=apps))
    user = User.objects.create_user("audrey", password="secret", is_staff=True)
    user.groups.add(group)
    client.force_login(user)
    return client


def positions(client: Client, query: str = "") -> list[int]:
    response = client.get(EVENTS + query)
    assert response.status_code == 200
    return [event.position for event in response.context["cl"].result_list]


# Permissions, and that nothing can be changed


@pytest.mark.parametrize("url", TABLES)
def test_an_auditor_may_look_at_every_table(auditor: Client, url: str) -> None:
    response = auditor.get(url)
    assert response.status_code == 200
    for link in re.findall(rf'href="({url}[^"]+/change/)', response.content.decode())[:1]:
        assert auditor.get(link).status_code == 200


@pytest.mark.parametrize("url", TABLES)
def test_not_even_a_superuser_may_change_anything(admin_client: Client, url: str) -> None:
    for _ in range(20):
        handle(DepositMoneyIntoBankAccount(7, 1))
    key = admin_client.get(url).context["cl"].result_list[0].pk
    before = [model.objects.count() for model in (Event, CommandRecord, Snapshot, Checkpoint)]
    assert admin_client.get(f"{url}add/").status_code == 403
    assert admin_client.post(f"{url}add/", {}).status_code == 403
    assert admin_client.post(f"{url}{key}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"{url}{key}/change/", {"stream": "x"}).status_code == 403
    admin_client.post(url, {"action": "delete_selected", "_selected_action": [key], "post": "yes"})
    assert before == [model.objects.count() for model in (Event, CommandRecord, Snapshot, Checkpoint)]


@pytest.mark.parametrize("url", TABLES)
def test_a_teller_and_a_stranger_see_nothing(client: Client, url: str) -> None:
    assert client.get(url).status_code == 302
    client.force_login(User.objects.create_user("tina", password="secret"))
    assert client.get(url).status_code == 302


def test_staff_without_the_permission_sees_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("stan", password="secret", is_staff=True))
    assert client.get(EVENTS).status_code == 403
    assert client.get(f"{EVENTS}1/change/").status_code == 403


# The list of events


def test_the_list_shows_type_and_payload_of_each_event(admin_client: Client) -> None:
    page = admin_client.get(EVENTS).content.decode()
    assert positions(admin_client) == [5, 4, 3, 2, 1]
    for text in ("bank_account-7", "money_deposited_into_bank_account", "accountId 7, amount 12.50 USD", "tina"):
        assert text in page
    assert "2026-03-01 12:00:00" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?type=invalid_pin", [3]),
        ("?actor=tina", [2, 1]),
        ("?actor=", [5]),
        ("?actor=nobody", []),
        ("?day=2026-03-02", [4, 3]),
        ("?day=today", [5]),
        ("?day=week", [5]),
        ("?day=31st", []),
        ("?day=0001-01-01", []),
        ("?actor=tom&day=2026-03-02&type=invalid_pin", [3]),
        ("?q=7", [3, 2, 1]),
        ("?q=1", [5, 4, 1]),
        ("?q=%233", [3]),
        ("?q=bank_account-1", [5, 4]),
        (f"?q={DEPOSIT}", [2]),
        (f"?q={REJECTED}", []),
        ("?q=" + "9" * 40, []),
        ("?q=-1", []),
        ("?q=%C2%B2", []),
        ("?q=7&type=invalid_pin", [3]),
        ("?o=2&all=&p=nonsense", [5, 4, 3, 2, 1]),
    ],
)
def test_events_are_found(admin_client: Client, query: str, found: list[int]) -> None:
    assert positions(admin_client, query) == found


def test_the_day_is_the_banks(admin_client: Client, settings: Settings) -> None:
    settings.TIME_ZONE = "Pacific/Kiritimati"  # 14 hours ahead
    assert positions(admin_client, "?day=2026-03-02") == [2, 1]


def test_the_filters_offer_the_recorded_values(admin_client: Client) -> None:
    types, _, actors = admin_client.get(EVENTS).context["cl"].filter_specs
    found = [value for value, _ in types.lookup_choices]
    assert found == ["bank_account_created", "invalid_pin", "money_deposited_into_bank_account"]
    assert [value for value, _ in actors.lookup_choices] == ["", "tina", "tom"]


def test_nothing_else_filters(admin_client: Client) -> None:
    assert admin_client.get(EVENTS + "?data__icontains=Josh").status_code == 400


def test_pages_follow_one_another(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventstore.admin.inspector.EventAdmin.list_per_page", 2)
    assert [positions(admin_client, f"?p={page}") for page in (1, 2, 3)] == [[5, 4], [3, 2], [1]]
    assert [positions(admin_client, f"?p={page}&q=7") for page in (1, 2)] == [[3, 2], [1]]
    for page in ("0", "-1", "4", "9" * 30):
        assert admin_client.get(f"{EVENTS}?p={page}").status_code == 302


def test_a_filtered_list_is_counted_to_a_limit(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventstore.admin.filters.CAP", 2)
    page = admin_client.get(f"{EVENTS}?q=7")
    assert page.context["cl"].result_count == 2
    assert "These are the first 2 of more" in page.content.decode()


# The page of an event


def test_an_event_has_its_account_before_and_after(admin_client: Client) -> None:
    response = admin_client.get(f"{EVENTS}2/change/")
    changed = {change.label: (change.before, change.after) for change in response.context["changes"] if change.changed}
    assert changed == {"Balance (USD)": ("0.00", "12.50")}
    assert response.content.decode().count('class="event-changed"') == 1


def test_an_event_shows_its_chain_and_its_neighbours(admin_client: Client) -> None:
    page = admin_client.get(f"{EVENTS}3/change/")
    text = page.content.decode()
    for position in (2, 3):
        assert bytes(Event.objects.get(pk=position).hash).hex() in text
    assert "The hash fits" in text
    assert page.context["fits"]
    neighbours = ("previous_in_stream", "next_in_stream", "previous_in_log", "next_in_log")
    assert [page.context[name] for name in neighbours] == [2, None, 2, 4]
    first = admin_client.get(f"{EVENTS}1/change/")
    assert [first.context[name] for name in neighbours] == [None, 2, None, 2]
    assert "0" * 64 in first.content.decode()


def test_an_event_leads_to_its_command_and_back(admin_client: Client) -> None:
    assert f"{COMMANDS}{DEPOSIT}/change/" in admin_client.get(f"{EVENTS}2/change/").content.decode()
    command = admin_client.get(f"{COMMANDS}{DEPOSIT}/change/").content.decode()
    assert f"{EVENTS}?q={DEPOSIT}" in command


def test_a_command_shows_its_transaction_and_its_seal(admin_client: Client) -> None:
    for command_id in (DEPOSIT, REJECTED):
        record = CommandRecord.objects.get(pk=command_id)
        page = admin_client.get(f"{COMMANDS}{command_id}/change/").content.decode()
        assert f"<code>{bytes(record.seal).hex()}</code>" in page
        shown = re.search(r'field-transaction_id.*?<div class="readonly">([^<]+)<', page, re.DOTALL)
        assert shown
        assert shown[1] == str(record.transaction_id)


def test_a_state_that_cannot_be_rebuilt_leaves_the_page(admin_client: Client, settings: Settings) -> None:
    settings.EVENTSTORE_STATES_OF = "builtins.divmod"
    assert "cannot be rebuilt" in admin_client.get(f"{EVENTS}2/change/").content.decode()


def test_typed_markup_is_shown_as_text(admin_client: Client) -> None:
    handle(CreateBankAccount(9, "<script>alert(1)</script>", 1234))
    for url in (EVENTS, f"{EVENTS}6/change/"):
        assert "<script>alert" not in admin_client.get(url).content.decode()


@pytest.mark.parametrize(
    "url",
    [f"{EVENTS}{key}/change/" for key in ("999", "x", "9" * 40)]
    + [f"{COMMANDS}{key}/change/" for key in ("x", UUID(int=1))],
)
def test_an_unknown_key_is_no_error(admin_client: Client, url: str) -> None:
    assert admin_client.get(url).status_code == 302


# Commands, snapshots and the read side


def test_commands_are_found(admin_client: Client) -> None:
    def ids(query: str) -> list[UUID]:
        return [record.pk for record in admin_client.get(COMMANDS + query).context["cl"].result_list]

    assert ids("?outcome=rejected") == [REJECTED]
    assert len(ids("?outcome=accepted")) == 5
    assert len(ids("?name=create_bank_account")) == 2
    assert ids(f"?q={DEPOSIT}") == [DEPOSIT]
    assert ids("?q=nonsense") == []
    assert len(ids("?day=2026-03-01")) == 2
    assert ids("")[0] == REJECTED


def test_a_snapshot_is_shown(admin_client: Client) -> None:
    for _ in range(20):
        handle(DepositMoneyIntoBankAccount(7, 1))
    assert Snapshot.objects.get().stream == "bank_account-7"
    assert "bank_account-7" in admin_client.get("/admin/eventstore/snapshot/?q=7").content.decode()
    assert admin_client.get("/admin/eventstore/snapshot/bank_account-7/change/").status_code == 200


def test_a_failed_projection_is_shown(admin_client: Client) -> None:
    Checkpoint.objects.filter(name="accounts").update(error="ValueError: no", failed_position=3)
    for url in ("/admin/projections/checkpoint/", "/admin/projections/checkpoint/accounts/change/"):
        assert "ValueError: no" in admin_client.get(url).content.decode()


@pytest.mark.parametrize("query", ["", "?q=7", f"?q={DEPOSIT}", "?q=nonsense", "?p=1"])
@pytest.mark.parametrize("url", TABLES[4:])
def test_the_read_side_is_searched(admin_client: Client, url: str, query: str) -> None:
    assert admin_client.get(url + query).status_code == 200
