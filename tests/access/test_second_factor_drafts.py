"""An unconfirmed second factor: its secret belongs to one session, and is not stored."""

import json
from base64 import b32encode, b64encode
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from bank.access import second_factor, sessions
from tests.support import databases
from tests.support.clocks import StoppedClock
from tests.support.helpers import PASSWORD, client_of, make_user, text_of
from tests.support.phones import code_of, is_in, log_in, scanned
from tests.support.phones import required as required
from tests.support.phones import susan as susan
from tests.support.values import at_once, everything_in, query

pytestmark = pytest.mark.usefixtures("bank", "stopped_clock")

OWN, FIRST = "/own/second-factor/", "/login/second-factor/"
NEW = "a much longer password"


def half_way_in(name: str = "sam", password: str = PASSWORD) -> Client:
    """Return a browser that has given the password, but no code, of a user who needs a second factor."""
    client = Client()
    response = client.post("/login/", {"username": name, "password": password})
    assert response["Location"] == FIRST
    return client


def set_up(client: Client, url: str, device: TOTPDevice, clock: StoppedClock) -> Any:
    return client.post(url, {"code": code_of(device, clock)})


def test_a_user_confirms_another_secret_than_the_one_an_intruder_was_shown_first(
    stopped_clock: StoppedClock,
) -> None:
    make_user("sam", "Supervisors")
    intruder, sam = half_way_in(), half_way_in()
    seen_first = scanned(intruder.get(FIRST))
    device = scanned(sam.get(FIRST))
    assert device.key != seen_first.key
    assert set_up(sam, FIRST, seen_first, stopped_clock).status_code == 422
    assert set_up(sam, FIRST, device, stopped_clock)["Location"] == "/"
    assert TOTPDevice.objects.get().key == device.key


def test_two_sessions_of_a_user_who_is_logged_in_have_two_secrets() -> None:
    here, there = client_of("tina", "Tellers"), Client()
    log_in(there, "tina")
    assert scanned(here.get(OWN)).key != scanned(there.get(OWN)).key


def test_a_page_that_is_loaded_again_shows_the_same_secret() -> None:
    client = client_of("tina", "Tellers")
    assert scanned(client.get(OWN)).key == scanned(client.get(OWN)).key == scanned(client.post(OWN)).key


# A draft ends


@pytest.mark.parametrize("device", ["none before", "replaced"])
def test_a_device_that_is_confirmed_meanwhile_makes_every_other_draft_void(
    stopped_clock: StoppedClock, device: str
) -> None:
    make_user("tina", "Tellers")
    here, there, waiting = Client(), Client(), Client()
    for client in (here, there):
        log_in(client, "tina")
    if device == "replaced":
        set_up(here, OWN, scanned(here.get(OWN)), stopped_clock)
        there.force_login(User.objects.get(username="tina"))
        stopped_clock.forward(60)
    mine, late = scanned(here.get(OWN)), scanned(there.get(OWN))
    log_in(waiting, "tina")
    assert set_up(here, OWN, mine, stopped_clock)["Location"] == "/own/"
    assert set_up(there, OWN, late, stopped_clock)["Location"].startswith("/login/")
    assert TOTPDevice.objects.get().key == mine.key
    assert not is_in(there)


def test_a_log_in_that_waits_for_its_set_up_ends_when_another_session_has_confirmed(
    stopped_clock: StoppedClock,
) -> None:
    user = make_user("sam", "Supervisors")
    intruder, sam = half_way_in(), half_way_in()
    late = scanned(intruder.get(FIRST))
    set_up(sam, FIRST, scanned(sam.get(FIRST)), stopped_clock)
    assert set_up(intruder, FIRST, late, stopped_clock)["Location"].startswith("/login/?ended=late")
    second_factor.reset(user)  # it stays void after every second factor is removed
    assert set_up(intruder, FIRST, late, stopped_clock)["Location"].startswith("/login/?ended=late")
    assert not TOTPDevice.objects.exists()


def test_of_drafts_that_are_confirmed_at_the_same_moment_one_counts(stopped_clock: StoppedClock) -> None:
    make_user("sam", "Supervisors")
    clients = [half_way_in() for _ in range(4)]
    drafts = [scanned(client.get(FIRST)) for client in clients]
    responses = at_once(
        [partial(set_up, client, FIRST, device, stopped_clock) for client, device in zip(clients, drafts, strict=True)]
    )
    assert [response.get("Location") for response in responses].count("/") == 1
    assert TOTPDevice.objects.get().key in {device.key for device in drafts}
    assert sum(is_in(client) for client in clients) == 1


def test_a_log_out_ends_a_draft(stopped_clock: StoppedClock) -> None:
    client = client_of("tina", "Tellers")
    old = scanned(client.get(OWN))
    client.post("/logout/")
    log_in(client, "tina")
    response = set_up(client, OWN, old, stopped_clock)
    assert response.status_code == 422
    assert "This page was out of date" in text_of(response)
    assert scanned(response).key != old.key
    assert set_up(client, OWN, scanned(response), stopped_clock)["Location"] == "/own/"


def test_a_new_password_ends_a_draft(stopped_clock: StoppedClock) -> None:
    client = client_of("tina", "Tellers")
    old = scanned(client.get(OWN))
    fields = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/own/password/", fields)["Location"] == "/own/"
    assert set_up(client, OWN, old, stopped_clock).status_code == 422
    assert scanned(client.get(OWN)).key != old.key


def test_a_password_that_an_administrator_changes_ends_a_draft(stopped_clock: StoppedClock) -> None:
    user = make_user("sam", "Supervisors")
    client = half_way_in()
    old = scanned(client.get(FIRST))
    user.set_password(NEW)
    user.save()
    assert set_up(client, FIRST, old, stopped_clock)["Location"].startswith("/login/")
    assert not TOTPDevice.objects.exists()


def test_the_password_given_again_begins_a_new_draft(stopped_clock: StoppedClock) -> None:
    client = client_of("tina", "Tellers")
    old = scanned(client.get(OWN))
    stopped_clock.forward(300)
    assert set_up(client, OWN, old, stopped_clock)["Location"].startswith("/confirm/")
    client.post("/confirm/", {"password": PASSWORD})
    assert scanned(client.get(OWN)).key != old.key


def test_a_log_in_that_took_too_long_ends_a_draft(stopped_clock: StoppedClock) -> None:
    make_user("sam", "Supervisors")
    client = half_way_in()
    old = scanned(client.get(FIRST))
    stopped_clock.forward(second_factor.PATIENCE)
    assert set_up(client, FIRST, old, stopped_clock)["Location"].startswith("/login/?ended=late")
    assert not {second_factor.DRAFT, sessions.PENDING} & set(client.session.keys())
    log_in(client, "sam")
    assert scanned(client.get(FIRST)).key != old.key


def test_a_planted_session_has_no_draft() -> None:
    make_user("sam", "Supervisors")
    intruder, sam = half_way_in(), Client()
    shown_device = scanned(intruder.get(FIRST))
    sam.cookies = intruder.cookies  # planted
    log_in(sam, "sam")
    assert scanned(sam.get(FIRST)).key != shown_device.key


def test_a_draft_that_is_copied_into_another_session_is_void() -> None:
    make_user("tina", "Tellers")
    here, there = Client(), Client()
    for client in (here, there):
        log_in(client, "tina")
    shown_device = scanned(here.get(OWN))
    session = there.session
    session[second_factor.DRAFT] = here.session[second_factor.DRAFT]
    session.save()
    assert scanned(there.get(OWN)).key != shown_device.key


# The storage of the secret


def forms_of(device: TOTPDevice) -> list[bytes]:
    """Return the forms in which a secret may be stored."""
    key = device.bin_key
    return [key, key.hex().encode(), b32encode(key), b64encode(key)]


def test_the_secret_of_a_draft_is_stored_nowhere(stopped_clock: StoppedClock) -> None:
    client = client_of("tina", "Tellers")
    device = scanned(client.get(OWN))
    held = json.dumps([session.get_decoded() for session in Session.objects.all()])
    stored = b"\n".join(
        [held.encode(), *(repr(value).encode() for alias in databases.VARIABLES for value in everything_in(alias))]
    )
    assert second_factor.DRAFT in held
    assert not any(form in stored for form in forms_of(device))
    assert not TOTPDevice.objects.exists()
    set_up(client, OWN, device, stopped_clock)
    assert second_factor.DRAFT not in client.session, "a confirmed secret does not follow from the session"


def test_another_secret_key_gives_another_secret(settings: Any) -> None:
    client = client_of("tina", "Tellers")
    old = scanned(client.get(OWN))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert scanned(client.get(OWN)).key != old.key


# Installations of an earlier version


def test_an_unconfirmed_device_of_an_earlier_version_never_counts(stopped_clock: StoppedClock) -> None:
    user = make_user("tina", "Tellers")
    left = TOTPDevice.objects.create(user=user, name="Phone", confirmed=False)
    client = Client()
    assert log_in(client, "tina")["Location"] == "/", "no code is asked for"
    device = scanned(client.get(OWN))
    assert device.key != left.key
    assert not TOTPDevice.objects.exists(), "it is deleted when a new one is begun"
    left.save(force_insert=True)  # a process of the earlier version still runs
    assert set_up(client, OWN, left, stopped_clock).status_code == 422
    assert set_up(client, OWN, device, stopped_clock)["Location"] == "/own/"
    assert TOTPDevice.objects.get().key == device.key


@pytest.mark.usefixtures("bank")
def test_the_migration_deletes_unconfirmed_devices_and_no_others(vendor: str, susan: TOTPDevice) -> None:
    TOTPDevice.objects.create(user=make_user("tina", "Tellers"), name="Phone", confirmed=False)
    call_command("migrate", "bank", "0004_verifier_seals", database="default", verbosity=0)
    call_command("migrate", database="default", verbosity=0)
    assert TOTPDevice.objects.get() == susan


def test_an_earlier_version_goes_on_deleting_devices_and_users(susan: TOTPDevice, stopped_clock: StoppedClock) -> None:
    client = Client()
    log_in(client)
    assert client.post("/login/code/", {"code": code_of(susan, stopped_clock)}).status_code == 302
    assert query("SELECT COUNT(*) FROM bank_usedcode") == [(1,)]
    for table, column in (("otp_totp_totpdevice", "user_id"), ("auth_user_groups", "user_id"), ("auth_user", "id")):
        query(f"DELETE FROM {table} WHERE {column} = %s", susan.user_id)
    assert query("SELECT COUNT(*) FROM bank_usedcode") == [(0,)]
