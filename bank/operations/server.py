"""One web process: waitress, with limits on the resources that a client may hold.

waitress reads and writes all connections in one loop, and a thread of its pool works on a request only after the whole
request has arrived. So no client can hold a thread. This module limits the rest: the connections, and the time to stop.
"""

import signal
import socket
import time
from collections.abc import Callable, Mapping
from resource import RLIMIT_NOFILE, getrlimit
from select import select
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge
from waitress.wasyncore import dispatcher, file_dispatcher, loop, read

REQUEST_SECONDS = 20
"""The longest time for a request to arrive, from its first byte to its last."""
IDLE_SECONDS = 120
"""The longest time that an idle connection stays open. It exceeds that of proxies, so that they close first."""
ARRIVING_SECONDS = 1
"""The longest time that a request may have been arriving for a stopping process to wait for it."""
LINGER_SECONDS = 3
"""The longest time that a stopping process waits for clients to read the last answers."""
HEADER_BYTES = 32 * 1024
CONNECTIONS = min(400, getrlimit(RLIMIT_NOFILE)[0] // 3)
"""From this number on, each new connection closes the one that has waited longest for its client."""
FEW_CONNECTIONS = 16
"""From this number on, an answer of the loop closes its connection, because each turn looks at all of them."""
POLICIES = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
]


type AtOnce = Callable[[str, Mapping[str, str]], bytes | None]
"""Returns the head of an answer to a method and headers, if it takes no time, or None."""


class Request(HTTPRequestParser):
    """A request, as far as it has arrived."""

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = time.time()
        self.rest = b""

    def received(self, data: bytes) -> int:
        """Consume the bytes of this request, and store the rest for the channel."""
        consumed: int = super().received(data)
        if not self.completed:
            return consumed
        self.rest = data[consumed:]
        self.expect_continue = False  # the body has arrived
        if isinstance(self.error, RequestEntityTooLarge):  # the application answers it with a page
            self.error = None
            self.headers["CONNECTION"] = "close"
            self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))
        return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the request line and the headers.

        Raises:
            ParsingError: it cannot be parsed, or has two readings, which would allow request smuggling past a proxy.
        """
        try:
            super().parse_header(header_plus)
        except (ValueError, TransferEncodingNotImplemented) as error:
            raise ParsingError("The request cannot be read") from error
        if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("The length of the body is ambiguous")


class Refusal(ErrorTask):
    """The answer to a request that never reaches the application."""

    def execute(self) -> None:
        self.response_headers.extend(POLICIES)
        super().execute()


class Answer(WSGITask):
    """The answer of the application."""

    def finish(self) -> None:
        """Send the buffered answer from this thread instead of waiting for the loop."""
        super().finish()
        with self.channel.outbuf_lock:
            self.channel._flush_exception(self.channel._flush_some, do_close=False)


class Channel(HTTPChannel):
    """A connection. The next request is read only after the client has read the last answer."""

    parser_class = Request
    task_class = Answer
    error_task_class = Refusal
    request: Request | None = None
    rest = b""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.socket and select([self.socket], [], [], 0)[0]:
            read(self)  # the request has arrived, and needs no further turn of the loop

    def received(self, data: bytes) -> bool:
        request = self.request = self.request or Request(self.adj)
        result: bool = super().received(data)
        self.rest = request.rest
        return result

    def handle_read(self) -> None:
        super().handle_read()
        if self.will_close:
            self.handle_close()

    def readable(self) -> bool:
        while self.rest and super().readable():
            self.received(self.rest)
        return bool(super().readable())

    @property
    def waits_since(self) -> float:
        """The time of the client's last read or write, or the beginning of an incomplete request."""
        return self.request.began if self.request else self.last_activity

    @property
    def is_idle(self) -> bool:
        """Whether no request is arriving or being worked on, and no answer is being sent."""
        arriving = self.request and time.time() - self.request.began < ARRIVING_SECONDS
        return not (self.requests or self.total_outbufs_len or arriving)


class Server(TcpWSGIServer):
    """The loop of one web process."""

    channel_class = Channel
    is_stopping = False
    at_once: AtOnce

    def add_task(self, channel: Channel) -> None:
        """Answer a request in the loop if `at_once` can. Otherwise a thread works on it."""
        request = channel.requests[0]
        is_simple = not (request.error or channel.total_outbufs_len)
        answer = self.at_once(request.command, request.headers) if is_simple else None
        if answer is None:
            super().add_task(channel)
            return
        channel.requests.pop()
        closes = request.headers.get("CONNECTION", "").lower() == "close" or request.version != "1.1"
        if closes or self.is_stopping or len(self.active_channels) > FEW_CONNECTIONS:
            answer += b"Connection: close\r\n"
            channel.will_close = True
        answer += b"\r\n"
        if channel.send(answer) != len(answer):  # a client that does not read
            channel.will_close = True

    def handle_accept(self) -> None:
        if len(self.active_channels) >= CONNECTIONS:
            waiting = [channel for channel in self.active_channels.values() if not channel.requests]
            if waiting:
                min(waiting, key=lambda channel: channel.waits_since).handle_close()
        super().handle_accept()

    def maintenance(self, now: float) -> None:
        """Close idle connections and requests that take too long to arrive. Called once a second."""
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.request and channel.request.began < now - REQUEST_SECONDS:
                channel.will_close = True

    def stop(self) -> None:
        """Let `run` finish. A signal handler may call this."""
        self.is_stopping = True
        self.pull_trigger()

    def run(self) -> None:
        """Serve until `stop` is called, then answer the requests that have arrived."""
        while not self.is_stopping:
            assert self.accepting, "the listening socket is closed"
            self._turn(1)
        for _ in range(3):  # accept and read what the system has queued
            self._turn(0)
        dispatcher.close(self)  # closes only the listening socket
        deadline = None
        while channels := list(self.active_channels.values()):
            for channel in channels:
                for request in channel.requests:
                    request.headers["CONNECTION"] = "close"
                if channel.is_idle:
                    channel.handle_close()
            if not any(channel.requests for channel in channels):
                deadline = deadline or time.monotonic() + LINGER_SECONDS
                if time.monotonic() > deadline:
                    break
            self._turn(0.1)
        self.task_dispatcher.shutdown()

    def _turn(self, timeout: float) -> None:
        loop(timeout, use_poll=True, map=self._map, count=1)


class Parent(file_dispatcher):
    """The parent process: the server stops when it has died."""

    def __init__(self, descriptor: int, server: Server) -> None:
        super().__init__(descriptor, server._map)
        self.server = server

    def writable(self) -> bool:
        return False

    def handle_close(self) -> None:
        self.close()
        self.server.stop()

    handle_read = handle_close


def serve(
    listener: socket.socket,
    application: Any,
    at_once: AtOnce,
    threads: int,
    body_bytes: int,
    ready: Callable[[], None],
    parent: int,
) -> None:
    """Serve until SIGTERM, or until the parent process has died.

    Args:
        listener: a listening socket.
        application: the WSGI application. It refuses a body of more than `body_bytes`; the server does not read one of
            more than twice that.
        at_once: answers some requests in the loop, without a thread.
        threads: the number of requests worked on at once.
        ready: called once requests are answered.
        parent: a file descriptor that closes when the parent process has died.
    """
    settings = Adjustments(
        sockets=[listener],
        threads=threads,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=1,
        connection_limit=2 * CONNECTIONS,
        max_request_header_size=HEADER_BYTES,
        max_request_body_size=2 * body_bytes,
        clear_untrusted_proxy_headers=False,  # the application trusts only the configured header
        log_socket_errors=False,
        ident=None,
    )
    settings.send_bytes = 1024 * 1024  # a smaller answer is sent at once, header and body together
    place = (listener.family, listener.type, listener.proto, listener.getsockname())
    server = Server(application, map={}, _sock=listener, adj=settings, sockinfo=place, bind_socket=False)
    server.at_once = at_once
    Parent(parent, server)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    ready()
    server.run()
