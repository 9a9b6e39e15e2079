"""Malformed requests, which no browser sends, to a real web process."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.databases import MAKERS, Urls
from tests.support.programs import PASSWORD, PATIENCE, Web
from tests.support.teller import Teller, logged_in

pytestmark = pytest.mark.xdist_group("sockets")  # starts the shared fixture only once

SILENCE = 0.5
"""The seconds of silence after which a server counts as waiting for more bytes."""
LONG = b"a" * 70_000
COMPLETE = b"Host: 127.0.0.1\r\nConnection: close\r\n"
FORM = COMPLETE + b"Content-Type: application/x-www-form-urlencoded\r\n"
REQUESTS = {
    "nothing": b"",
    "no words": b"\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\n" + COMPLETE + b"\r\n",
    "an address of another host": b"GET http://evil.example/ HTTP/1.1\r\n" + COMPLETE + b"\r\n",
    "binary": bytes(range(256)) * 4,
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 30,
    "a method of no kind": b"G\x00T / HTTP/1.1\r\n" + COMPLETE + b"\r\n",
    "a long method": LONG + b" / HTTP/1.1\r\n" + COMPLETE + b"\r\n",
    "a long address": b"GET /" + LONG + b" HTTP/1.1\r\n" + COMPLETE + b"\r\n",
    "a long header": b"GET / HTTP/1.1\r\n" + COMPLETE + b"X: " + LONG * 20 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + COMPLETE + b"X: 1\r\n" * 500 + b"\r\n",
    "bytes of no text in the address": b"GET /accounts/?q=\xff\xfe\x00 HTTP/1.1\r\n" + COMPLETE + b"\r\n",
    "escapes of no text": b"GET /%ff%fe%00/%ED%A0%80/%/?%=%zz HTTP/1.1\r\n" + COMPLETE + b"\r\n",
    "a header of no text": b"GET /login/ HTTP/1.1\r\n" + COMPLETE
    + b"HX-Request: \xff\xfe\r\nCookie: \xff=\xfe; =; ;;\r\n\r\n",
    "an odd content type": b"POST /login/ HTTP/1.1\r\n" + COMPLETE
    + b"Content-Type: text/plain; charset=idna\r\nContent-Length: 0\r\n\r\n",
    "a query in a charset that is none": b"GET /accounts/?q=1 HTTP/1.1\r\n" + COMPLETE
    + b"Content-Type: x/y; charset=hex\r\n\r\n",
    "a content type that cannot be read": b"GET /login/ HTTP/1.1\r\n" + COMPLETE
    + b"Content-Type: x/y; a*=b''%zz\r\n\r\n",
    "less than was said": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Content-Length: 100\r\n\r\nusername=tina",
    "more than was said": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Content-Length: 3\r\n\r\nusername=tina",
    "a length of no number": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Content-Length: -1\r\n\r\n",
    "a length beyond all": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "two lengths": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length and chunks": b"POST /login/ HTTP/1.1\r\n" + FORM
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /days/ HTTP/1.1\r\n\r\n",
    "chunks of no size": b"POST /login/ HTTP/1.1\r\n" + FORM
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "chunks that end too soon": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "an unknown coding": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: x\r\n\r\n5\r\nabc",
    "a large body": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Content-Length: 70000\r\n\r\n" + LONG,
    "a large body in chunks": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"11170\r\n" + LONG + b"\r\n0\r\n\r\n",
    "a web socket": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    "a tunnel": b"CONNECT example.com:443 HTTP/1.1\r\n" + COMPLETE + b"\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\n" + COMPLETE + b"\r\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def web(templates: dict[str, Urls], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    data = tmp_path_factory.mktemp("sockets")
    MAKERS["sqlite"].copy(templates["sqlite"], data)
    with Web(data, BANK_TELLER_PASSWORD=PASSWORD) as web:
        yield web


@pytest.fixture(scope="module")
def session(web: Web) -> bytes:
    """The cookies of a logged-in teller who has opened account 1 with the PIN 1234."""
    teller = logged_in(web, "teller", PASSWORD)
    teller.open_account(1)
    return "; ".join(f"{name}={value}" for name, value in teller.cookies.items()).encode()


def say(port: int, *pieces: bytes, patience: float = SILENCE) -> bytes:
    """Send raw bytes, and return the answer up to the close or the end of `patience`."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            while data := connection.recv(65536):
                answer += data
        except (ConnectionError, TimeoutError):  # the server has closed the connection, or waits for more
            pass
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE)]


def events(web: Web) -> int:
    with closing(sqlite3.connect(Path(web.data) / "bank.sqlite3")) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM eventstore_event").fetchone()[0])


@pytest.mark.parametrize("name", REQUESTS)
def test_nonsense_on_the_wire_is_refused_and_the_next_request_is_answered(name: str, web: Web, session: bytes) -> None:
    before = events(web)
    request = REQUESTS[name].replace(b"Host: 127.0.0.1\r\n", b"Host: 127.0.0.1\r\nCookie: " + session + b"\r\n")
    for sent in (REQUESTS[name], request):
        answer = say(web.port, sent)
        assert all(status < 500 for status in statuses(answer)), answer[:1000]
    assert events(web) == before
    assert web.request("GET", "/healthz")[0] == 200
    said_of_errors = [line for line in web.output.splitlines() if "Internal Server Error" in line or "callable" in line]
    assert said_of_errors == []


def test_a_deposit_cut_off_at_any_byte_changes_nothing(web: Web, session: bytes) -> None:
    teller = Teller(web.port)
    teller.cookies = dict(pair.split("=", 1) for pair in session.decode().split("; "))
    teller.get("/accounts/1/deposit/")
    body = urlencode({**teller.hidden, "amount": 5}).encode()
    cookies = "; ".join(f"{name}={value}" for name, value in teller.cookies.items()).encode()
    head = (
        b"POST /accounts/1/deposit/ HTTP/1.1\r\n" + FORM + b"Cookie: " + cookies + b"\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    whole = head + body
    before = events(web)
    for end in (*range(0, len(head), 97), len(head), *range(len(head) + 1, len(whole), 13), len(whole) - 1):
        assert all(status < 500 for status in statuses(say(web.port, whole[:end])))
        assert events(web) == before, end
    answer = say(web.port, whole[:50], whole[50:300], whole[300:], patience=PATIENCE)
    assert statuses(answer) == [303], answer
    assert events(web) == before + 1
