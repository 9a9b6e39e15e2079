"""Clients that hold on to a web process or forge headers, with a real server and real sockets."""

import html
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from bank.operations.server import CONNECTIONS
from tests.support.databases import MAKERS, Urls
from tests.support.programs import PASSWORD, PATIENCE, Web
from tests.support.teller import logged_in

pytestmark = pytest.mark.xdist_group("server")  # the tests share one server

THREADS = 2
HEAD = (
    b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: csrftoken=" + b"a" * 32 + b"\r\n"  # with which Django reads the form
)
UNFINISHED = {
    "nothing": b"",
    "a head": b"GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
    "a body": HEAD + b"Content-Length: 1000\r\n\r\nu",
    "a body that was asked for": HEAD + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "no last chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    "a trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-",
}
SOON = 5
"""Seconds within which a busy machine serves a page. A server that waits for slow clients serves none."""


@pytest.fixture(scope="module")
def web(templates: dict[str, Urls], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    data = tmp_path_factory.mktemp("server")
    MAKERS["sqlite"].copy(templates["sqlite"], data)
    variables = {"BANK_TELLER_PASSWORD": PASSWORD, "BANK_CLIENT_ADDRESS_HEADER": "X-Real-IP"}
    with Web(data, **variables, WEB_THREADS=str(THREADS)) as web:
        yield web


def connect(web: Web, *, buffer: int = 0) -> socket.socket:
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", web.port))
    return connection


def is_served(web: Web) -> bool:
    """Return whether a page and the health check are served soon."""
    for path, expected in (("/healthz", b"ok\n"), ("/login/", b"Log in")):
        with connect(web) as other:
            other.settimeout(SOON)
            other.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" % path.encode())
            if expected not in all_of(other):
                return False
    return True


def all_of(connection: socket.socket) -> bytes:
    """Return all data until the server closes the connection."""
    answer = b""
    while data := connection.recv(65536):
        answer += data
    return answer


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("name", UNFINISHED)
def test_requests_that_never_end_hold_no_thread(name: str, web: Web) -> None:
    with ExitStack() as stack:
        for _ in range(4 * THREADS):
            stack.enter_context(connect(web)).sendall(UNFINISHED[name])
        time.sleep(0.5)
        assert is_served(web)


def test_a_request_that_trickles_in_is_cut_off_however_often_it_sends(web: Web) -> None:
    with ExitStack() as stack:
        trickling = [stack.enter_context(connect(web)) for _ in range(300)]
        for number, connection in enumerate(trickling):
            connection.sendall(list(UNFINISHED.values())[1 + number % (len(UNFINISHED) - 1)])
        started = time.monotonic()
        while not all(is_closed(connection) for connection in trickling):
            assert time.monotonic() - started < 60
            assert is_served(web)
            for connection in trickling:
                connection.setblocking(True)
                with suppress(ConnectionError):
                    connection.sendall(b"1")
            time.sleep(2)


def test_any_number_of_connections_leaves_room_for_one_more(web: Web) -> None:
    with ExitStack() as stack:
        held_connections = [stack.enter_context(connect(web)) for _ in range(2 * CONNECTIONS + 20)]
        for connection in held_connections[::2]:
            connection.sendall(b"GET / HTTP/1.1\r\nX")
        assert is_served(web)


@pytest.mark.parametrize("pipelined", [False, True], ids=["one after the other", "all at once"])
def test_readers_that_do_not_read_hold_no_thread(web: Web, pipelined: bool) -> None:
    static = Path(web.data) / "static"
    largest = max(static.rglob("*.js"), key=lambda path: path.stat().st_size).relative_to(static)
    wanted = f"GET /static/{largest} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(4 * THREADS):
            connection = stack.enter_context(connect(web, buffer=4096))
            connection.settimeout(0.2)
            try:
                for _ in range(1 if pipelined else 5):
                    connection.sendall(wanted * (600 if pipelined else 1))
                    time.sleep(0.1)
            except TimeoutError:
                pass  # the server reads on only after its answers are read
        assert is_served(web)
        time.sleep(2)
        assert is_served(web)


def test_requests_sent_at_once_are_answered_in_order(web: Web) -> None:
    with connect(web) as connection:
        connection.sendall(
            b"\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            b"HEAD /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\nx"
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
        )
        answers = all_of(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200", b"403", b"200"]
    assert answers.count(b"<title>") == 1, "HEAD has no body"
    assert answers.endswith(b"\r\n\r\nok\n")


AMBIGUOUS = {
    "a length and chunks": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "an unknown coding": b"Transfer-Encoding: x\r\n\r\n5\r\nabc",
    "a length of ten thousand digits": b"Content-Length: " + b"1" * 10_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_body_whose_length_is_ambiguous_is_refused_and_nothing_after_it_is_read(name: str, web: Web) -> None:
    with connect(web) as connection:
        connection.sendall(HEAD + AMBIGUOUS[name] + b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = all_of(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"400"]
    assert b"Cache-Control: no-store" in answer
    assert b"X-Content-Type-Options: nosniff" in answer


# Forged headers


FORGED = {
    "underscores": (b"X_Real_IP: 6.6.6.6\r\nX-Real-IP: 10.0.0.1\r\n", "10.0.0.1"),
    "underscores afterwards": (b"X-Real-IP: 10.0.0.2\r\nX_Real_IP: 6.6.6.6\r\n", "10.0.0.2"),
    "one underscore": (b"X-Real_IP: 6.6.6.6\r\nX-Real-IP: 10.0.0.3\r\n", "10.0.0.3"),
    "underscores alone": (b"X_Real_IP: 6.6.6.6\r\n", "127.0.0.1"),
    "twice": (b"X-Real-IP: 6.6.6.6\r\nX-Real-IP: 10.0.0.4\r\n", "10.0.0.4"),
    "in other letters": (b"x-real-ip: 6.6.6.6\r\nX-Real-IP: 10.0.0.5\r\n", "10.0.0.5"),
    "a list": (b"X-Real-IP: 6.6.6.6, 10.0.0.6\r\n", "10.0.0.6"),
    "nothing last": (b"X-Real-IP: 6.6.6.6\r\nX-Real-IP: \r\n", "127.0.0.1"),
}


@pytest.mark.parametrize("name", FORGED)
def test_the_client_address_is_the_last_one_that_the_proxy_added(name: str, web: Web) -> None:
    headers, address = FORGED[name]
    before = len(web.output)
    with connect(web) as connection:
        connection.sendall(HEAD + headers + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        assert b" 403 " in all_of(connection)
    [line] = [line for line in web.output[before:].splitlines() if "Refused POST" in line]
    assert line.endswith(f"from {address}")


def test_a_header_with_underscores_does_not_turn_http_into_https(templates: dict[str, Urls], tmp_path: Path) -> None:
    MAKERS["sqlite"].copy(templates["sqlite"], tmp_path)
    with Web(tmp_path, BANK_PUBLIC_URL="https://bank.example") as web:
        sent_headers = {"Host": "bank.example", "X-Forwarded-Proto": "http"}
        assert web.request("GET", "/login/", **sent_headers)[0] == 301
        assert web.request("GET", "/login/", **sent_headers, X_Forwarded_Proto="https")[0] == 301
        assert web.request("GET", "/login/", Host="bank.example", X_Forwarded_Proto="https")[0] == 301
        assert web.request("GET", "/login/", **{**sent_headers, "X-Forwarded-Proto": "https"})[0] == 200


# Open pages that ask whether they have changed


def test_the_loop_answers_open_pages_of_a_session_while_nothing_changes(web: Web) -> None:
    teller = logged_in(web, "teller", PASSWORD)
    teller.open_account(1)
    tag = html.unescape(re.findall(r'data-tag="([^"]+)"', teller.get("/accounts/1/").text)[0])
    cookies = "; ".join(f"{name}={value}" for name, value in teller.cookies.items())
    question = f"GET /accounts/1/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\nBank-Poll: true\r\n"
    question += f"HX-Request: true\r\nIf-None-Match: {tag}\r\n"

    def ask(connection: socket.socket, more: str = "") -> dict[str, str]:
        connection.sendall(f"{question}{more}\r\n".encode())
        first, *lines = connection.recv(65536).decode().split("\r\n")
        assert first == "HTTP/1.1 304 Not Modified"
        return dict(line.split(": ", 1) for line in lines if line)

    deadline, answer = time.monotonic() + PATIENCE, {"Content-Security-Policy": "Django's"}
    while "Content-Security-Policy" in answer:  # Django has checked the session, and the next look counts it
        assert time.monotonic() < deadline
        with connect(web) as connection:
            answer = ask(connection)
    assert answer["ETag"] == tag
    assert answer.keys() == {"Cache-Control", "Date", "ETag"}
    with connect(web) as connection:
        assert ask(connection).keys() == answer.keys()
        assert ask(connection, "Connection: close\r\n")["Connection"] == "close"
        assert connection.recv(1) == b""
    teller.post("/logout/")
    with connect(web) as connection:
        connection.sendall(f"{question}Connection: close\r\n\r\n".encode())
        head = all_of(connection).decode()
    assert head.startswith("HTTP/1.1 304") or "HX-Redirect: /login/" in head, "the last look counts for half a second"
