"""The second factor: who needs one, and that no code counts twice."""

import logging
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from bank.access import second_factor, sessions
from tests.support.clocks import StoppedClock
from tests.support.helpers import client_of, make_user, text_of
from tests.support.phones import code_of, is_in, log_in, scanned
from tests.support.phones import required as required
from tests.support.phones import susan as susan
from tests.support.values import at_once

pytestmark = pytest.mark.usefixtures("bank", "stopped_clock")


# Logging in


def test_the_password_alone_opens_nothing(susan: TOTPDevice) -> None:
    client = Client()
    assert log_in(client)["Location"] == "/login/code/"
    for url in ("/", "/accounts/", "/admin/", "/own/", "/own/second-factor/", "/own/password/", "/confirm/"):
        assert client.get(url)["Location"].startswith("/login/"), url
    assert "_auth_user_id" not in client.session


def test_the_code_opens_the_bank_and_leads_where_one_wanted(susan: TOTPDevice, stopped_clock: StoppedClock) -> None:
    client = Client()
    url = log_in(client, url="/login/?next=/days/")["Location"]
    assert url == "/login/code/?next=%2Fdays%2F"
    before = client.cookies["sessionid"].value
    assert client.post(url, {"code": code_of(susan, stopped_clock)})["Location"] == "/days/"
    assert client.cookies["sessionid"].value != before
    assert is_in(client)
    assert sessions.PENDING not in client.session


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "1234567", "١٢٣٤٥٦", "000000"])
def test_a_wrong_code_opens_nothing(susan: TOTPDevice, code: str, stopped_clock: StoppedClock) -> None:
    if code == code_of(susan, stopped_clock):
        pytest.skip("by chance the right one")
    client = Client()
    log_in(client)
    response = client.post("/login/code/", {"code": code})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert not is_in(client)


def test_a_code_is_good_once(susan: TOTPDevice, stopped_clock: StoppedClock) -> None:
    code = code_of(susan, stopped_clock)
    first, second = Client(), Client()
    log_in(first)
    log_in(second)
    assert first.post("/login/code/", {"code": code}).status_code == 302
    response = second.post("/login/code/", {"code": code})
    assert response.status_code == 422
    assert "was used before" in text_of(response)
    assert not is_in(second)


def test_a_code_sent_many_times_at_the_same_moment_is_good_once(susan: TOTPDevice, stopped_clock: StoppedClock) -> None:
    code = code_of(susan, stopped_clock)
    clients = [Client() for _ in range(6)]
    for client in clients:
        log_in(client)

    def send(client: Client) -> int:
        return int(client.post("/login/code/", {"code": code}).status_code)

    statuses = at_once([partial(send, client) for client in clients])
    assert statuses.count(302) == 1, statuses


def test_wrong_codes_make_the_next_one_wait_twice_as_long(susan: TOTPDevice, stopped_clock: StoppedClock) -> None:
    client = Client()
    log_in(client)
    for wait in (1, 2, 4):
        assert client.post("/login/code/", {"code": "000000"}).status_code == 422
        response = client.post("/login/code/", {"code": code_of(susan, stopped_clock)})
        assert (response.status_code, response["Retry-After"]) == (429, str(wait))
        stopped_clock.forward(wait)
    assert client.post("/login/code/", {"code": code_of(susan, stopped_clock)}).status_code == 302


def test_the_code_has_to_come_within_minutes_of_the_password(susan: TOTPDevice, stopped_clock: StoppedClock) -> None:
    client = Client()
    log_in(client, url="/login/?next=/days/")
    stopped_clock.forward(second_factor.PATIENCE)
    response = client.post("/login/code/?next=/days/", {"code": code_of(susan, stopped_clock)})
    assert response["Location"] == "/login/?ended=late&next=%2Fdays%2F"
    assert not is_in(client)


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "!"}])
def test_a_user_who_changed_between_password_and_code_starts_again(
    susan: TOTPDevice, stopped_clock: StoppedClock, change: dict[str, Any]
) -> None:
    client = Client()
    log_in(client)
    User.objects.update(**change)
    response = client.post("/login/code/", {"code": code_of(susan, stopped_clock)})
    assert response["Location"].startswith("/login/?ended=late")
    assert not is_in(client)


def test_the_second_step_needs_the_first(susan: TOTPDevice) -> None:
    for url in ("/login/code/", "/login/second-factor/"):
        for method in (Client().get, Client().post):
            assert method(url)["Location"].startswith("/login/?ended=late")


def test_the_code_of_another_user_is_not_good(susan: TOTPDevice, stopped_clock: StoppedClock) -> None:
    other = TOTPDevice.objects.create(user=make_user("eve", "Supervisors"), name="Phone")
    client = Client()
    log_in(client)
    assert client.post("/login/code/", {"code": code_of(other, stopped_clock)}).status_code == 422


def test_a_password_alone_does_not_replace_the_second_factor(susan: TOTPDevice) -> None:
    client = Client()
    log_in(client)
    for method in (client.get, client.post):
        assert method("/login/second-factor/")["Location"].startswith("/login/")
    assert TOTPDevice.objects.get() == susan


# Roles that need a second factor


def test_a_role_without_one_sets_it_up_at_the_log_in(
    stopped_clock: StoppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    make_user("sam", "Supervisors")
    client = Client()
    url = log_in(client, "sam", "/login/?next=/days/")["Location"]
    assert url == "/login/second-factor/?next=%2Fdays%2F"
    page = client.get(url).content.decode()
    device = scanned(page)
    assert not TOTPDevice.objects.exists()
    assert "<svg" in page
    assert client.get(url).content.decode().count(second_factor.secret_of(device)) == 1, "the same when loaded again"
    assert client.post(url, {"code": "000000"}).status_code == 422
    assert not is_in(client)
    with caplog.at_level(logging.INFO, "bank.security"):
        assert client.post(url, {"code": code_of(device, stopped_clock)})["Location"] == "/days/"
    assert is_in(client)
    assert (TOTPDevice.objects.get().key, TOTPDevice.objects.get().confirmed) == (device.key, True)
    assert "Second factor set up: user sam, from 127.0.0.1" in caplog.messages
    assert device.key not in caplog.text


@pytest.mark.parametrize("group", ["Tellers", "Auditors"])
def test_a_role_without_a_required_second_factor_logs_in_without(group: str) -> None:
    make_user("tina", group)
    client = Client()
    assert log_in(client, "tina")["Location"] == "/"
    assert is_in(client)


def test_a_superuser_needs_one_only_if_the_setting_names_superusers(settings: Any) -> None:
    make_user("root", is_staff=True, is_superuser=True)
    assert log_in(Client(), "root")["Location"] == "/login/second-factor/"
    settings.BANK_TOTP_ROLES = []
    client = Client()
    assert log_in(client, "root")["Location"] == "/"
    assert client.get("/admin/").status_code == 200


def test_the_admin_opens_with_the_second_factor_only(stopped_clock: StoppedClock) -> None:
    user = make_user("root", is_staff=True, is_superuser=True)
    device = TOTPDevice.objects.create(user=user, name="Phone")
    client = Client()
    log_in(client, "root", "/login/?next=/admin/")
    assert client.get("/admin/")["Location"].startswith("/login/")
    assert client.post("/login/code/?next=/admin/", {"code": code_of(device, stopped_clock)})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_session_without_one_ends_when_the_role_comes_to_need_it() -> None:
    client = client_of("tina", "Tellers")
    assert is_in(client)
    User.objects.get().groups.add(Group.objects.get(name="Supervisors"))
    response = client.get("/")
    assert response["Location"] == "/login/?next=/&ended=factor"
    assert "second factor" in text_of(client.get(response["Location"]))


def test_a_role_that_does_not_exist_stops_the_start(settings: Any) -> None:
    settings.BANK_TOTP_ROLES = ["Supervisor"]
    with pytest.raises(ImproperlyConfigured, match="no role: Supervisor"):
        apps.get_app_config("bank").ready()
