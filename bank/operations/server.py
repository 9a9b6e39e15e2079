"""One web process: waitress, with limits on what a client may hold.

waitress reads and writes for all connections in one loop, and a thread of its pool works on a request only when all of
it has arrived. So no client can hold a thread. What is here limits what else a client could hold: a connection, or the
process when it is to stop.
"""

import signal
import socket
import time
from collections.abc import Callable
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge
from waitress.wasyncore import dispatcher, file_dispatcher, loop

REQUEST_SECONDS = 20
"""How long a request may take to arrive, from its first byte to its last."""
IDLE_SECONDS = 120
"""How long a connection stays open on which nothing is sent. Longer than proxies keep theirs, so they close first."""
ARRIVING_SECONDS = 1
"""How long a request may have been arriving when the process stops, to be waited for."""
LINGER_SECONDS = 3
"""How long a process that stops waits for clients to take the last answers."""
HEADER_BYTES = 32 * 1024
CONNECTIONS = min(400, getrlimit(RLIMIT_NOFILE)[0] // 3)
"""From this number on, each new connection closes the one that has waited longest for its client."""
POLICIES = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
]


class Request(HTTPRequestParser):
    """A request, as far as it has arrived."""

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = time.time()
        self.rest = b""

    def received(self, data: bytes) -> int:
        """Take what belongs to this request, and keep what follows for the channel."""
        consumed: int = super().received(data)
        if not self.completed:
            return consumed
        self.rest = data[consumed:]
        self.expect_continue = False  # nothing is missing
        if isinstance(self.error, RequestEntityTooLarge):  # the application has a page for it
            self.error = None
            self.headers["CONNECTION"] = "close"
            self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))
        return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head.

        Raises:
            ParsingError: it cannot be read, or it can be read in two ways, which smuggles requests past a proxy.
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
        """Send what there is, from this thread: it need not wait for the loop."""
        super().finish()
        with self.channel.outbuf_lock:
            self.channel._flush_exception(self.channel._flush_some, do_close=False)


class Channel(HTTPChannel):
    """A connection. One request at a time: the next one is read when the client has taken the last answer."""

    parser_class = Request
    task_class = Answer
    error_task_class = Refusal
    request: Request | None = None
    rest = b""

    def received(self, data: bytes) -> bool:
        request = self.request = self.request or Request(self.adj)
        result: bool = super().received(data)
        self.rest = request.rest
        return result

    def readable(self) -> bool:
        while self.rest and super().readable():
            self.received(self.rest)
        return bool(super().readable())

    @property
    def waits_since(self) -> float:
        """When the client sent or took something last; for a request that is incomplete, when that began."""
        return self.request.began if self.request else self.last_activity

    @property
    def is_idle(self) -> bool:
        """Whether no request is worked on, read by the client, or arriving right now."""
        arriving = self.request and time.time() - self.request.began < ARRIVING_SECONDS
        return not (self.requests or self.total_outbufs_len or arriving)


class Server(TcpWSGIServer):
    """The loop of one web process."""

    channel_class = Channel
    is_stopping = False

    def handle_accept(self) -> None:
        if len(self.active_channels) >= CONNECTIONS:
            waiting = [channel for channel in self.active_channels.values() if not channel.requests]
            if waiting:
                min(waiting, key=lambda channel: channel.waits_since).handle_close()
        super().handle_accept()

    def maintenance(self, now: float) -> None:
        """Close what is idle, and requests that take too long to arrive. Called once a second."""
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.request and channel.request.began < now - REQUEST_SECONDS:
                channel.will_close = True

    def stop(self) -> None:
        """Let `run` finish. May be called by a signal handler."""
        self.is_stopping = True
        self.pull_trigger()

    def run(self) -> None:
        """Serve until `stop` is called, then answer the requests that have arrived."""
        while not self.is_stopping:
            assert self.accepting, "the listening socket is closed"
            self._turn(1)
        for _ in range(3):  # accept and read what has reached this machine
            self._turn(0)
        dispatcher.close(self)  # the listening socket alone
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
    """The parent process: when it is dead, the server stops."""

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
    listener: socket.socket, application: Any, threads: int, body_bytes: int, ready: Callable[[], None], parent: int
) -> None:
    """Serve until SIGTERM, or until the parent process is dead.

    Args:
        listener: a socket that listens.
        application: the WSGI application. It refuses a body of more than `body_bytes`; one of more than twice that is
            not read.
        threads: how many requests are worked on at once.
        ready: called when requests are answered from now on.
        parent: a file descriptor that closes when the parent process is dead.
    """
    settings = Adjustments(
        sockets=[listener],
        threads=threads,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=1,
        connection_limit=2 * CONNECTIONS,
        max_request_header_size=HEADER_BYTES,
        max_request_body_size=2 * body_bytes,
        clear_untrusted_proxy_headers=False,  # the application believes only those that it is told to
        log_socket_errors=False,
        ident=None,
    )
    settings.send_bytes = 1024 * 1024  # less than this is sent when the answer is complete, header and body at once
    place = (listener.family, listener.type, listener.proto, listener.getsockname())
    server = Server(application, map={}, _sock=listener, adj=settings, sockinfo=place, bind_socket=False)
    Parent(parent, server)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    ready()
    server.run()
