"""The authorization server of the tests on a real socket of this machine.

    def build(issuer):
        return AuthorizationServer(issuer=issuer, clients=[...], now=time.time)

    with serve(build) as server:
        requests.get(f"{server.issuer}/.well-known/oauth-authorization-server")

Without `now=` the server's clock stands still, and clients that look at the real one differ with it
about what has expired. It speaks HTTP/1.1 with connections that stay open, over TLS if you give it a
certificate.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import SHUT_RDWR, socket
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from threading import RLock, Thread
from typing import Any

from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived

from .misbehaviour import AnswerLost
from .server import AuthorizationServer

_SHUTDOWN_POLL = 0.02  # seconds: how soon the end of the `with` block is noticed
_SILENCE = 60  # seconds: after which a connection without a request is closed


@contextmanager
def serve(
    build: Callable[[str], AuthorizationServer],
    *,
    ssl_context: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> Generator[AuthorizationServer, None, None]:
    """Serve on a free port of 127.0.0.1 until the `with` block ends.

    build: makes the server, given the URL at which it can be reached; its issuer must begin so.
    ssl_context: speak TLS, with the certificate of this context. Where its `verify_mode` is
        `ssl.CERT_OPTIONAL`, clients may show certificates of the authorities that it trusts.
    host: the name in the URL, for certificates that name `localhost`.

    The scripted user answers at once: a GET of the authorization endpoint is redirected to the
    callback. Where no answer is to come, the connection is closed. The server's `lock` is set, so
    that it may be used from the test's threads too. Raises at the end what went wrong inside the
    server, such as an error of a user's `edit`.
    """
    listener = _Listener(ssl_context)
    thread = Thread(target=listener.serve_forever, args=(_SHUTDOWN_POLL,), daemon=True)
    try:
        scheme = "http" if ssl_context is None else "https"
        listener.authorization_server = server = build(f"{scheme}://{host}:{listener.port}")
        server.lock = RLock()
        thread.start()
        yield server
    finally:
        if thread.is_alive():
            listener.shutdown()
            thread.join()
        listener.close_connections()
        listener.server_close()
    for problem in listener.problems:
        raise problem


class _Listener(ThreadingMixIn, TCPServer):
    """Accepts connections, each with a thread of its own that ends with the server."""

    allow_reuse_address = True
    request_queue_size = 128
    authorization_server: AuthorizationServer

    def __init__(self, ssl_context: ssl.SSLContext | None) -> None:
        self.problems: list[BaseException] = []
        self._ssl_context = ssl_context
        self._connections: set[socket] = set()
        super().__init__(("127.0.0.1", 0), BaseRequestHandler)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def get_request(self) -> tuple[socket, Any]:
        connection, address = super().get_request()
        if self._ssl_context is not None:
            # The handshake comes with the first read, in the connection's own thread: a client
            # that never speaks must not keep the others waiting.
            connection = self._ssl_context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._connections.add(connection)
        return connection, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        _Connection(self, request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in tuple(self._connections):
            with suppress(OSError):  # it was closed in this moment by its own thread
                connection.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        problem = sys.exception()
        # A client that hangs up, or does not like the certificate, is no problem of the server.
        if problem is not None and not isinstance(problem, OSError):
            self.problems.append(problem)


class _MalformedRequest(Exception):
    """The body cannot be read."""


class _Connection(BaseHTTPRequestHandler):
    """Turns what comes over a connection into requests, and answers into what goes out."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _SILENCE

    def __init__(self, listener: _Listener, request: Any, client_address: Any) -> None:
        self._listener = listener
        super().__init__(request, client_address, listener)

    def answer(self) -> None:
        """Read one request, and write its answer in one piece."""
        server = self._listener.authorization_server
        try:
            response = server.handle(self._read_request(server), self._certificate())
        except AnswerLost:
            self.close_connection = True
        except _MalformedRequest:
            self.close_connection = True
            self._write(ResponseReceived(status=400, headers=(("Connection", "close"),)))
        else:
            self._write(response)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = answer  # noqa: N815 - the names are those of http.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in http.server
        """Say nothing: the server has a log."""

    def _certificate(self) -> bytes | None:
        if not isinstance(self.connection, ssl.SSLSocket):
            return None
        return self.connection.getpeercert(binary_form=True)

    def _read_request(self, server: AuthorizationServer) -> RequestToSend:
        url = self.path
        if url.startswith("/"):
            scheme = server.issuer.partition("://")[0]
            url = f"{scheme}://{self.headers.get('Host', '')}{url}"
        return RequestToSend(
            endpoint=server.endpoint_at(url) or Endpoint.RESOURCE,
            method=self.command,
            url=url,
            headers=tuple((name, str(value)) for name, value in self.headers.items()),
            content=self._read_body(),
        )

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._read_chunk, b""))
        return self._read_exactly(self.headers.get("Content-Length", "0"), 10)

    def _read_chunk(self) -> bytes:
        """Return the next chunk; the last one is empty."""
        size, _, _ = self.rfile.readline(1000).decode("latin-1").partition(";")
        chunk = self._read_exactly(size, 16)
        if chunk:
            self.rfile.readline(3)  # the line's end behind the chunk
        else:
            while self.rfile.readline(10_000).strip():  # fields behind the last chunk
                pass
        return chunk

    def _read_exactly(self, size: str, base: int) -> bytes:
        try:
            expected = int(size, base)
        except ValueError as error:
            raise _MalformedRequest from error
        if expected < 0:
            raise _MalformedRequest
        body = self.rfile.read(expected)
        if len(body) < expected:
            raise _MalformedRequest
        return body

    def _write(self, response: ResponseReceived) -> None:
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        lines += [f"Content-Length: {len(response.body)}", "", ""]
        body = b"" if self.command == "HEAD" else response.body
        self.wfile.write("\r\n".join(lines).encode() + body)
