"""The client's address of a request, and separate counts for clients behind a proxy."""

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client

from bank.access import address, throttle
from bank.access.address import client_address
from tests.access.test_throttle import fail
from tests.access.test_throttle import tina as tina
from tests.support.helpers import log_in

pytestmark = pytest.mark.usefixtures("bank", "stopped_clock")


@pytest.mark.parametrize(
    ("header", "forwarded", "remote", "expected"),
    [
        ("", "198.51.100.1", "10.0.0.9", "10.0.0.9"),
        ("X-Forwarded-For", "198.51.100.1", "10.0.0.9", "198.51.100.1"),
        ("X-Forwarded-For", "6.6.6.6, 198.51.100.1", "10.0.0.9", "198.51.100.1"),
        ("X-Forwarded-For", "nonsense", "10.0.0.9", "10.0.0.9"),
        ("X-Forwarded-For", None, "10.0.0.9", "10.0.0.9"),
        ("X-Real-IP", "198.51.100.1", "10.0.0.9", "10.0.0.9"),
        ("X-Forwarded-For", "::ffff:198.51.100.1", "10.0.0.9", "198.51.100.1"),
        ("", None, "", "unknown"),
        ("", None, "unix:", "unknown"),
        ("", None, "10.0.0.7:51234", "10.0.0.7"),
        ("X-Forwarded-For", "10.0.0.7:51234", "10.0.0.9", "10.0.0.7"),
        ("X-Forwarded-For", "6.6.6.6:1, 10.0.0.7:51234", "10.0.0.9", "10.0.0.7"),
        ("X-Forwarded-For", "[2001:db8::1]:443", "10.0.0.9", "2001:db8::1"),
        ("X-Forwarded-For", "[2001:db8::1]", "10.0.0.9", "2001:db8::1"),
        ("X-Forwarded-For", '"[2001:db8::1]:443"', "10.0.0.9", "2001:db8::1"),
        ("X-Forwarded-For", "2001:db8::1:51234", "10.0.0.9", "2001:db8::1"),
        ("X-Forwarded-For", "2001:0DB8:0::A", "10.0.0.9", "2001:db8::a"),
        ("X-Forwarded-For", "fe80::1%eth0", "10.0.0.9", "fe80::1"),
        ("X-Forwarded-For", "[fe80::1%eth0]:443", "10.0.0.9", "fe80::1"),
        ("X-Forwarded-For", "::FFFF:10.0.0.7", "10.0.0.9", "10.0.0.7"),
        ("X-Forwarded-For", "[::ffff:10.0.0.7]:51234", "10.0.0.9", "10.0.0.7"),
        ("X-Forwarded-For", "::ffff:a00:7", "10.0.0.9", "10.0.0.7"),
        ("X-Forwarded-For", "for=10.0.0.7;proto=https", "10.0.0.9", "10.0.0.7"),
        ("X-Forwarded-For", 'by=10.0.0.1;For="[2001:db8::1]:443"', "10.0.0.9", "2001:db8::1"),
        ("X-Forwarded-For", "6.6.6.6, unknown", "10.0.0.9", "10.0.0.9"),
        ("X-Forwarded-For", "for=_hidden", "10.0.0.9", "10.0.0.9"),
        ("X-Forwarded-For", "10.0.0.7:port", "10.0.0.9", "10.0.0.9"),
        ("X-Forwarded-For", "010.0.0.7", "10.0.0.9", "10.0.0.9"),
        ("X-Forwarded-For", "[]", "10.0.0.9", "10.0.0.9"),
        ("X-Forwarded-For", "", "10.0.0.9", "10.0.0.9"),
    ],
)
def test_an_address_is_taken_from_a_header_only_if_the_setting_names_it(
    settings: Any, header: str, forwarded: str | None, remote: str, expected: str
) -> None:
    settings.BANK_CLIENT_ADDRESS_HEADER = header
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = remote
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    assert client_address(request) == expected


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("10.0.0.7:51234", "10.0.0.7:51235", "10.0.0.8:51234"),
        ("[2001:db8::1]:443", "[2001:DB8:0:0:ffff::2]:444", "[2001:db8:0:1::1]:443"),
        ("2001:db8::1:443", "2001:db8::1:51234", "2001:db8:0:1::1:443"),
        ("::ffff:10.0.0.7", "[::ffff:10.0.0.7]:1", "::ffff:10.0.0.8"),
        ("fe80::1%eth0", "fe80::1%eth1", "fe80:0:0:1::1%eth0"),
    ],
)
def test_clients_behind_a_proxy_that_adds_ports_are_counted_apart(
    settings: Any, one: str, same: str, other: str
) -> None:
    settings.BANK_CLIENT_ADDRESS_HEADER = "X-Forwarded-For"

    def behind_the_proxy(forwarded: str) -> Client:
        return Client(REMOTE_ADDR="10.9.9.9", HTTP_X_FORWARDED_FOR=forwarded)

    fail(behind_the_proxy(one), throttle.FREE_TRIES)
    assert log_in(behind_the_proxy(same)).status_code == 429
    assert log_in(behind_the_proxy(other)).status_code == 302


def test_a_proxy_that_names_no_client_is_logged_once(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.BANK_CLIENT_ADDRESS_HEADER = "X-Forwarded-For"
    address._warn.cache_clear()
    for forwarded in ("unknown", "nonsense"):
        fail(Client(REMOTE_ADDR="10.9.9.9", HTTP_X_FORWARDED_FOR=forwarded), 1)
    assert [text for text in caplog.messages if "BANK_CLIENT_ADDRESS_HEADER" in text] == [
        "X-Forwarded-For gave no address: requests without one count as one client. "
        "Check BANK_CLIENT_ADDRESS_HEADER and the proxy."
    ]
