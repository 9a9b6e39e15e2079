"""Set-up, replacement and removal of a second factor."""

import logging
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.support.clocks import StoppedClock
from tests.support.helpers import client_of, text_of
from tests.support.phones import code_of, is_in, log_in, scanned
from tests.support.phones import required as required
from tests.support.phones import susan as susan

pytestmark = pytest.mark.usefixtures("bank", "stopped_clock")


# The user's own


def test_a_user_with_a_second_factor_needs_it_to_log_in(stopped_clock: StoppedClock) -> None:
    client = client_of("tina", "Tellers")
    device = scanned(client.get("/own/second-factor/"))
    assert client.post("/own/second-factor/", {"code": code_of(device, stopped_clock)})["Location"] == "/own/"
    assert is_in(client)
    assert log_in(Client(), "tina")["Location"] == "/login/code/"


def test_setting_one_up_gives_this_session_a_new_key_and_ends_the_others(stopped_clock: StoppedClock) -> None:
    here, there = client_of("tina", "Tellers"), Client()
    log_in(there, "tina")
    assert is_in(there)
    before = here.cookies["sessionid"].value
    device = scanned(here.get("/own/second-factor/"))
    here.post("/own/second-factor/", {"code": code_of(device, stopped_clock)})
    assert is_in(here)
    assert here.cookies["sessionid"].value != before
    assert not is_in(there)


def test_a_new_one_replaces_the_old_one_and_ends_the_other_sessions(
    susan: TOTPDevice, stopped_clock: StoppedClock
) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        log_in(client)
        client.post("/login/code/", {"code": code_of(susan, stopped_clock)})
        assert is_in(client)
        stopped_clock.forward(60)
    page = here.get("/own/second-factor/")
    assert "The one that you have now stops working" in text_of(page)
    new = scanned(page)
    here.post("/own/second-factor/", {"code": code_of(new, stopped_clock)})
    assert is_in(here)
    assert not is_in(there)
    assert TOTPDevice.objects.get().key == new.key


def test_a_new_one_wants_a_fresh_password(stopped_clock: StoppedClock) -> None:
    client = client_of("tina", "Tellers")
    stopped_clock.forward(300)
    for method in (client.get, client.post):
        assert method("/own/second-factor/")["Location"].startswith("/confirm/")
    assert not TOTPDevice.objects.exists()


# Recovery


def test_a_command_takes_a_second_factor_away_and_ends_the_sessions(
    susan: TOTPDevice, stopped_clock: StoppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    log_in(client)
    client.post("/login/code/", {"code": code_of(susan, stopped_clock)})
    out = StringIO()
    with caplog.at_level(logging.INFO, "bank.security"):
        call_command("reset_second_factor", "susan", stdout=out)
    assert "susan has no second factor now" in out.getvalue()
    assert "Second factor reset by a command: user susan, from this machine" in caplog.messages
    assert not is_in(client)
    assert log_in(Client())["Location"] == "/login/second-factor/"


def test_the_command_reports_an_unknown_user(bank: object) -> None:
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command("reset_second_factor", "nobody")


def test_an_administrator_takes_a_second_factor_away(
    susan: TOTPDevice, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BANK_TOTP_ROLES = []
    admin = client_of("root", is_staff=True, is_superuser=True)
    with caplog.at_level(logging.INFO, "bank.security"):
        admin.post("/admin/auth/user/", {"action": "reset_second_factor", "_selected_action": [str(susan.user.pk)]})
    assert not TOTPDevice.objects.exists()
    assert "Second factor reset by root: user susan, from 127.0.0.1" in caplog.messages
    assert "Second factor reset" in text_of(admin.get(f"/admin/auth/user/{susan.user.pk}/history/"))


def test_no_secret_of_a_second_factor_is_shown_in_the_admin(susan: TOTPDevice, settings: Any) -> None:
    settings.BANK_TOTP_ROLES = []
    admin = client_of("root", is_staff=True, is_superuser=True)
    assert admin.get("/admin/otp_totp/totpdevice/").status_code == 404
    for url in ("/admin/", "/admin/auth/user/", f"/admin/auth/user/{susan.user.pk}/change/"):
        assert susan.key not in admin.get(url).content.decode()
