from __future__ import annotations

import gc
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection, RemoteDisconnected
from urllib.parse import urlsplit

import pytest
import trustme

from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour, User
from oauth2_sansio.testing.loopback import serve

from .world import APP, APP_BASIC, CALLBACK, CHALLENGE, FORM, VERIFIER

METADATA = "/.well-known/oauth-authorization-server"
CREDENTIALS = b"grant_type=client_credentials"
HEADERS = dict((FORM, *APP_BASIC))


def _build(issuer: str) -> AuthorizationServer:
    return AuthorizationServer(issuer=issuer, clients=(APP,))


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with serve(_build) as running:
        yield running


@contextmanager
def _connection(server: AuthorizationServer) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(urlsplit(server.issuer).netloc, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def _exchange(server: AuthorizationServer, sent: bytes) -> bytes:
    """Send bytes over a connection, and return all that comes until it is closed."""
    address = urlsplit(server.issuer)
    with socket.create_connection(("127.0.0.1", address.port or 0), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def _ask(
    connection: HTTPConnection, method: str, path: str, body: bytes | None = None
) -> tuple[HTTPResponse, bytes]:
    connection.request(method, path, body, HEADERS)
    response = connection.getresponse()
    return response, response.read()


def test_the_issuer_is_the_address(server: AuthorizationServer) -> None:
    address = urlsplit(server.issuer)
    assert (address.scheme, address.hostname) == ("http", "127.0.0.1")
    with _connection(server) as connection:
        response, body = _ask(connection, "GET", METADATA)
    assert (response.status, response.getheader("Content-Type")) == (200, "application/json")
    assert f'"issuer": "{server.issuer}"'.encode() in body


def test_the_connection_stays_open(server: AuthorizationServer) -> None:
    with _connection(server) as connection:
        _ask(connection, "GET", METADATA)
        first = connection.sock
        for _ in range(3):
            assert _ask(connection, "POST", "/token", CREDENTIALS)[0].status == 200
        assert connection.sock is first
    assert server.count(Endpoint.TOKEN, grant_type="client_credentials") == 3
    assert server.log[-1].request.endpoint is Endpoint.TOKEN


def test_the_answer_is_what_the_server_says(server: AuthorizationServer) -> None:
    with _connection(server) as connection:
        response, body = _ask(connection, "POST", "/nowhere", b"")
    entry = server.log[-1]
    assert entry.response is not None
    assert (response.status, body) == (404, entry.response.body)
    assert entry.endpoint is None
    assert response.getheaders() == [*entry.response.headers, ("Content-Length", str(len(body)))]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method(server: AuthorizationServer, method: str) -> None:
    with _connection(server) as connection:
        response, body = _ask(connection, method, "/api/x")
        assert response.status == 401
        assert _ask(connection, "GET", METADATA)[0].status == 200
    assert body == b""
    assert server.log[0].request.method == method


def test_head_has_no_body(server: AuthorizationServer) -> None:
    with _connection(server) as connection:
        response, body = _ask(connection, "HEAD", METADATA)
        assert int(response.getheader("Content-Length") or "0") > 100
        assert body == b""
        assert _ask(connection, "GET", METADATA)[0].status == 200


def test_a_browser_is_sent_to_the_callback(server: AuthorizationServer) -> None:
    path = f"/authorize?response_type=token&client_id=app&redirect_uri={CALLBACK}"
    with _connection(server) as connection:
        response, _ = _ask(connection, "GET", path)
        assert response.status == 302
        location = response.getheader("Location") or ""
        assert location.startswith(f"{CALLBACK}#access_token=")
        server.user = User(approves=False)
        assert "access_denied" in (_ask(connection, "GET", path)[0].getheader("Location") or "")


def test_no_answer(server: AuthorizationServer) -> None:
    server.misbehave(Misbehaviour.DROP_ANSWER, times=1)
    with _connection(server) as connection:
        with pytest.raises(RemoteDisconnected):
            _ask(connection, "POST", "/token", CREDENTIALS)
        assert _ask(connection, "POST", "/token", CREDENTIALS)[0].status == 200
    assert server.count(Endpoint.TOKEN) == 2


CHUNKED = b"PUT /api/x HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n%s\r\n"


def test_a_body_in_chunks(server: AuthorizationServer) -> None:
    host = urlsplit(server.issuer).netloc.encode()
    head = CHUNKED % (host, b"")
    body = b"5;name=value\r\nhello\r\nA\r\n, chunked!\r\n0\r\nTrailer: x\r\n\r\n"
    again = CHUNKED % (host, b"Connection: close\r\n") + b"0\r\n\r\n"
    received = _exchange(server, head + body + again)
    assert received.count(b"HTTP/1.1 401 Unauthorized\r\n") == 2
    assert [entry.request.content for entry in server.log] == [b"hello, chunked!", b""]


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"Content-Length: x\r\n\r\n", id="a length that is no number"),
        pytest.param(b"Content-Length: -1\r\n\r\n", id="a negative length"),
        pytest.param(b"Content-Length: 5\r\n\r\nhi", id="a body that is cut"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nhello\r\n", id="no chunk"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", id="a chunk that is cut"),
    ],
)
def test_a_body_that_cannot_be_read(server: AuthorizationServer, rest: bytes) -> None:
    sent = b"POST /token HTTP/1.1\r\nHost: a\r\n" + rest
    assert _exchange(server, sent) == (
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    assert server.log == ()


def test_what_is_no_http(server: AuthorizationServer, capfd: pytest.CaptureFixture[str]) -> None:
    assert b"Bad request" in _exchange(server, b"\x16\x03\x01 hello\r\n\r\n")
    assert _exchange(server, b"") == b""
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (METADATA, "{host}", b"200"),
        ("http://{host}" + METADATA, "{host}", b"200"),
        (METADATA, "evil.example", b"404"),
        ("*", "{host}", b"404"),
        (METADATA, "[", b"400"),
    ],
)
def test_the_host_counts(
    server: AuthorizationServer, target: str, host: str, status: bytes
) -> None:
    text = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    sent = text.replace("{host}", urlsplit(server.issuer).netloc).encode()
    assert _exchange(server, sent).split(b" ")[1] == status


def test_tls(capfd: pytest.CaptureFixture[str]) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with serve(_build, ssl_context=context, host="localhost") as server:
        address = urlsplit(server.issuer)
        assert (address.scheme, address.hostname) == ("https", "localhost")
        stranger = HTTPSConnection(address.netloc, timeout=10)
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.request("GET", METADATA)
        connection = HTTPSConnection(address.netloc, timeout=10, context=trusting)
        assert _ask(connection, "GET", METADATA)[0].status == 200
        connection.close()
    assert capfd.readouterr() == ("", "")


def test_many_threads_and_one_code(server: AuthorizationServer) -> None:
    """The lock lets one of many win; the others are reuse."""
    code = "grant_type=authorization_code&redirect_uri={}&code={}&code_verifier={}"

    url = (
        f"{server.url(Endpoint.AUTHORIZATION)}?response_type=code&client_id=app"
        f"&redirect_uri={CALLBACK}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
    value = server.visit(url).partition("?code=")[2].partition("&")[0]
    body = code.format(CALLBACK, value, VERIFIER).encode()

    def redeem(_number: int) -> int:
        with _connection(server) as connection:
            return _ask(connection, "POST", "/token", body)[0].status

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(redeem, range(8))) == [200] + [400] * 7


def test_nothing_stays_behind() -> None:
    with serve(_build) as server:
        address = urlsplit(server.issuer)
        idle = HTTPConnection(address.netloc, timeout=10)
        _ask(idle, "GET", METADATA)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", address.port or 0), timeout=10)
    assert idle.sock.recv(1) == b""
    idle.close()
    gc.collect()  # a socket left open would be a warning, and so an error


def test_a_mistake_of_the_test_is_raised(capfd: pytest.CaptureFixture[str]) -> None:
    def edit(url: str) -> str:
        raise LookupError(url)

    def use() -> None:
        with serve(_build) as server, _connection(server) as connection:
            server.user = User(edit=edit)
            path = f"/authorize?response_type=token&client_id=app&redirect_uri={CALLBACK}"
            with pytest.raises(RemoteDisconnected):
                _ask(connection, "GET", path)

    with pytest.raises(LookupError, match="access_token"):
        use()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("mistake", [ValueError, KeyboardInterrupt])
def test_a_server_that_cannot_be_built(mistake: type[BaseException]) -> None:
    def build(issuer: str) -> AuthorizationServer:
        raise mistake(issuer)

    def use(make: Callable[[str], AuthorizationServer]) -> None:
        with serve(make):
            raise AssertionError

    with pytest.raises(mistake):
        use(build)
