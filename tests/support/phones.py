"""Helpers for tests of the second factor: a supervisor with a phone."""

import re
from base64 import b32decode
from typing import Any

import pytest
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.support.clocks import StoppedClock
from tests.support.helpers import PASSWORD, make_user


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.BANK_TOTP_ROLES = ["Supervisors", "superuser"]


@pytest.fixture
def susan(bank: object) -> TOTPDevice:
    """The second factor of a supervisor."""
    device: TOTPDevice = TOTPDevice.objects.create(user=make_user("susan", "Supervisors"), name="Phone")
    return device


def scanned(page: Any) -> TOTPDevice:
    """Return the device that an app has after scanning a page. The draft's secret is stored nowhere else."""
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page if isinstance(page, str) else page.content.decode())
    assert found, "the page shows a secret"
    return TOTPDevice(key=b32decode(found[1].replace(" ", "")).hex())


def code_of(device: TOTPDevice, clock: StoppedClock) -> str:
    """Return the code that the user's app shows now."""
    app = TOTP(device.bin_key)
    app.time = clock.seconds
    return f"{app.token():06}"


def log_in(client: Client, name: str = "susan", url: str = "/login/") -> Any:
    return client.post(url, {"username": name, "password": PASSWORD})


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200
