"""A server on a socket of this machine that sends what a script says, byte for byte."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread, current_thread

from .scripts import Begin, End, Script, pieces

HONEST_BODY = b'{"access_token":"honest","token_type":"Bearer","expires_in":3600}'
HONEST = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(HONEST_BODY)
) + HONEST_BODY

_NOBODY = 30.0  # seconds: after which a connection is given up, should a test hang
_BEFORE_RESET = 0.05  # seconds: so that what was sent arrives before the connection is reset


@dataclass
class RawServer:
    """What a test sees of the server.

    url: of its token endpoint.
    requests: each as it came over the wire.
    heard: is set once a whole request is there.
    ended: is set once the script's connection gets nothing more.
    on_request: is called then, in the connection's thread.
    """

    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    heard: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)
    hung_up: Event = field(default_factory=Event)
    on_request: Callable[[], object] | None = None


@contextmanager
def scripted(
    script: Script, *, ssl_context: ssl.SSLContext | None = None, elsewhere: int = 0
) -> Generator[RawServer, None, None]:
    """Serve on a free port of this machine until the `with` block ends.

    elsewhere: the port that the script's `ELSEWHERE` stands for.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = ("127.0.0.1", listener.getsockname()[1])
    scheme = "http" if ssl_context is None else "https"
    server = RawServer(f"{scheme}://{host}:{port}/token")
    work = _Work(server, script.named(port, elsewhere), ssl_context, listener)
    acceptor = Thread(target=work.accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        work.stopped.set()
        with suppress(OSError):  # wakes the acceptor, wherever closing a listener would not
            socket.create_connection((host, port), timeout=1).close()
        acceptor.join()
        listener.close()
        work.end_connections()


class _Work:
    def __init__(
        self,
        server: RawServer,
        script: Script,
        ssl_context: ssl.SSLContext | None,
        listener: socket.socket,
    ) -> None:
        self.server = server
        self.stopped = Event()
        self._script = script
        self._ssl_context = ssl_context
        self._listener = listener
        self._open: dict[Thread, socket.socket] = {}

    def accept(self) -> None:
        script = self._script
        while True:
            connection, _ = self._listener.accept()
            if self.stopped.is_set():
                connection.close()
                return
            connection.settimeout(_NOBODY)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = Thread(target=self._serve, args=(connection, script), daemon=True)
            self._open[thread] = connection
            thread.start()
            script = _HONEST_SCRIPT

    def end_connections(self) -> None:
        for thread, connection in self._open.items():
            with suppress(OSError):  # it was closed already
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _serve(self, connection: socket.socket, script: Script) -> None:
        # A client that hangs up, or resets the connection, has its reasons.
        with suppress(OSError, _HungUp):
            try:
                self._talk(connection, script)
            finally:
                self._open[current_thread()].close()
                self.server.ended.set()
                self.server.hung_up.set()

    def _talk(self, connection: socket.socket, script: Script) -> None:
        if self._ssl_context is not None and script.begin is not Begin.BEFORE_TLS:
            connection = self._ssl_context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
            self._open[current_thread()] = connection
            connection.do_handshake()
        if script.begin is Begin.AFTER_REQUEST:
            self._read_request(connection)
        self._say(connection, script)

    def _say(self, stream: socket.socket, script: Script) -> None:
        for part in script.parts:
            for data, wait in pieces(part):
                if wait and self.stopped.wait(wait):
                    raise _HungUp
                stream.sendall(data)
        match script.end:
            case End.CLOSE:
                self._close(_without_tls(stream))
            case End.CUT:
                self._close(stream)
            case End.RESET:
                self.stopped.wait(_BEFORE_RESET)
                # Lingering for zero seconds: what is on the way is dropped.
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case End.KEEP:
                while True:
                    self._read_request(stream)
                    stream.sendall(HONEST)
            case End.SILENCE:
                while stream.recv(65_536):
                    pass

    def _close(self, stream: socket.socket) -> None:
        # A socket that is closed while something is unread resets the connection: so read first
        # what the client says, until it hangs up too.
        stream.shutdown(socket.SHUT_WR)
        self.server.ended.set()
        while stream.recv(65_536):
            pass

    def _read_request(self, stream: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += _more(stream)
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        while len(body) < (int(length[1]) if length else 0):
            body += _more(stream)
        self.server.requests.append(head + b"\r\n\r\n" + body)
        self.server.heard.set()
        if self.server.on_request is not None:
            self.server.on_request()


class _HungUp(Exception):
    """The client is gone, or the test is over."""


def _more(stream: socket.socket) -> bytes:
    more = stream.recv(65_536)
    if not more:
        raise _HungUp
    return more


def _without_tls(stream: socket.socket) -> socket.socket:
    # Announces the end of the TLS connection, and gives what is below it.
    return stream.unwrap() if isinstance(stream, ssl.SSLSocket) else stream


_HONEST_SCRIPT = Script(parts=(), end=End.KEEP, begin=Begin.AT_ONCE)
