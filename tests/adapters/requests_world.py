"""Servers, sockets and mounted adapters that the sessions of these tests talk to."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_requests import OAuth2Session

SECRET = "a-secret of 100% & more: ü"
REDIRECT_URI = "https://app.example/cb"
SERVER = "https://as.example"
TOKEN_URL = f"{SERVER}/token"
API = "https://api.example/things"
GOOD: dict[str, Any] = {"access_token": "a-1", "token_type": "Bearer", "expires_in": 3600}
EXPIRED: dict[str, Any] = {"access_token": "old", "token_type": "Bearer", "expires_at": 1}

APP = RegisteredClient(
    client_id="app",
    client_secret=SECRET,
    redirect_uris=(REDIRECT_URI,),
    grant_types=(
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "implicit",
    ),
    scope="read write",
)

Answer: TypeAlias = tuple[int, Any] | tuple[int, Any, Mapping[str, str]] | Exception
"""Status, body (what is no bytes becomes JSON) and headers; or what is raised instead."""


class Answering(BaseAdapter):
    """A mounted adapter that notes each request, and answers by a script; the last answer stays."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[requests.PreparedRequest] = []
        self.options: list[dict[str, Any]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(request)
        self.options.append(kwargs)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return self.response(request, *answer)

    def response(
        self,
        request: requests.PreparedRequest,
        status: int,
        body: Any,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = requests.Response()
        response.status_code = status
        response.headers.update(headers or {})
        response.raw = HTTPResponse(
            BytesIO(content), headers=headers, status=status, preload_content=False
        )
        response.url = request.url or ""
        response.request = request
        connection: Any = self
        response.connection = connection
        return response

    def close(self) -> None:
        """Nothing is open."""


def mounted(*answers: Answer, **arguments: Any) -> tuple[OAuth2Session, Answering]:
    """Return a session of the client `app`, and what answers all its requests."""
    arguments.setdefault("token_endpoint", TOKEN_URL)
    session = OAuth2Session(
        arguments.pop("client_id", "app"), arguments.pop("client_secret", SECRET), **arguments
    )
    adapter = Answering(*answers or ((200, GOOD),))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session, adapter


def form(request: requests.PreparedRequest) -> list[tuple[str, str]]:
    """Return the parameters in a request's body, which has to be a text."""
    if request.body is None:
        return []
    assert isinstance(request.body, str)
    return parse_qsl(request.body, keep_blank_values=True, strict_parsing=bool(request.body))


def query(url: str | None) -> list[tuple[str, str]]:
    """Return the parameters in a URL's query."""
    return parse_qsl(urlsplit(url or "").query, keep_blank_values=True)


@contextmanager
def running(settings: ServerSettings | None = None) -> Iterator[AuthorizationServer]:
    """Serve on a loopback socket."""

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(issuer=issuer, clients=(APP,), settings=settings, now=time.time)

    with serve(build) as server:
        yield server


def session_at(server: AuthorizationServer, **arguments: Any) -> OAuth2Session:
    """Return a session of the client `app` at a running server."""
    issuer = server.issuer
    return OAuth2Session(
        "app",
        SECRET,
        redirect_uri=REDIRECT_URI,
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        revocation_endpoint=f"{issuer}/revoke",
        introspection_endpoint=f"{issuer}/introspect",
        code_challenge_method="S256",
        **arguments,
    )


def sign_in(session: OAuth2Session, server: AuthorizationServer) -> dict[str, Any]:
    """Go the whole way to a user's token."""
    url, _ = session.create_authorization_url()
    return session.fetch_token(authorization_response=server.visit(url))


@contextmanager
def scripted(
    *answers: bytes | Callable[[socket.socket], object],
) -> Iterator[tuple[str, list[bytes]]]:
    """Answer each connection in turn with bytes, or by a function; yield the URL and what came."""
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def serve_all() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed: the test is over
                return
            with connection, suppress(OSError):
                received.append(_read_request(connection))
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve_all, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def answer(body: Any, status: str = "200 OK", *headers: str) -> bytes:
    """Return the bytes of a whole answer, after which the connection is closed."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _read_request(connection: socket.socket) -> bytes:
    connection.settimeout(10)
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    head = data.partition(b"\r\n\r\n")[0].lower()
    if b"transfer-encoding: chunked" in head:
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(65536)
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            wanted = len(head) + 4 + int(line.partition(b":")[2])
            while len(data) < wanted:
                data += connection.recv(65536)
    return data
