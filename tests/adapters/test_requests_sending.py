"""How requests with credentials go out over a session, and what is made of what comes back."""

from __future__ import annotations

import gc
import gzip
import pickle
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from oauth2_sansio import (
    LocalProtocolError,
    OAuth2Error,
    Outcome,
    RemoteProtocolError,
    Server,
    TransportError,
)
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour
from oauth2_sansio_requests import OAuth2Session, OAuthError

from .requests_world import (
    API,
    GOOD,
    SECRET,
    SERVER,
    TOKEN_URL,
    Answer,
    answer,
    form,
    mounted,
    scripted,
)

LIMIT = f"longer than {MAXIMUM_BODY} bytes"


def fetched(url: str, **arguments: Any) -> Any:
    """Return the error that fetching a token at a URL leads to; it is of two families at once."""
    session = OAuth2Session("app", SECRET, token_endpoint=url, **arguments)
    with pytest.raises(OAuthError) as caught:
        session.fetch_token()
    assert session.token is None
    assert SECRET not in f"{caught.value} {caught.value!r}"
    return caught.value


def known(error: Any) -> Outcome | None:
    """Return what an error of two families says of its request."""
    assert isinstance(error, OAuthError)
    return error.outcome


# Answers that are errors.


def test_a_json_error_has_all_that_the_server_said() -> None:
    body = {"error": "invalid_client", "error_description": "who?", "error_uri": "https://e.x/1"}
    session, _ = mounted((401, body))
    with pytest.raises(OAuthError) as caught:
        session.fetch_token()
    error: Any = caught.value
    assert not isinstance(error, requests.RequestException)
    assert (error.error, error.description, error.uri, error.status) == (
        "invalid_client",
        "who?",
        "https://e.x/1",
        401,
    )
    assert error.response is not None
    assert error.response.status == 401


@pytest.mark.parametrize("body", [{"error": "server_error"}, b"<html>down</html>"])
def test_a_5xx_is_an_http_error_too(body: Any) -> None:
    session, _ = mounted((503, body, {"Retry-After": "7"}))
    with pytest.raises(requests.HTTPError) as caught:
        session.fetch_token()
    error: Any = caught.value
    assert (error.status, error.response.status_code, error.retry_after) == (503, 503, 7)
    assert type(error.response) is requests.Response
    assert error.request is error.response.request
    assert isinstance(error, OAuthError)
    assert "503" in str(error)


@pytest.mark.parametrize(
    "cause",
    [
        requests.ConnectionError("x"),
        requests.ConnectTimeout("x"),
        requests.ReadTimeout("x"),
        requests.exceptions.ProxyError("x"),
        requests.exceptions.SSLError("x"),
        requests.exceptions.ChunkedEncodingError("x"),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_no_answer_is_what_requests_raises(cause: requests.RequestException) -> None:
    session, _ = mounted(cause)
    with pytest.raises(type(cause)) as caught:
        session.fetch_token()
    error: Any = caught.value
    assert isinstance(error, TransportError)
    assert error.cause is cause


def test_errors_are_pickled_without_what_they_hold() -> None:
    scripts: tuple[Answer, ...] = (
        (503, b"{}", {"Set-Cookie": "s3cret"}),
        requests.ReadTimeout("s3cret", request=Mock(url="s3cret")),
    )
    for script in scripts:
        session, _ = mounted(script)
        with pytest.raises(OAuthError) as caught:
            session.fetch_token()
        pickled = pickle.dumps(caught.value)
        assert b"s3cret" not in pickled
        assert SECRET.encode() not in pickled
        again = pickle.loads(pickled)
        assert (str(again), again.status, again.response) == (
            str(caught.value),
            caught.value.status,
            None,
        )


# No answer.


def test_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = fetched(f"http://127.0.0.1:{port}/token")
    assert isinstance(error, requests.ConnectionError)
    assert known(error) is Outcome.NOT_SENT


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (requests.ConnectTimeout(), Outcome.NOT_SENT),
        (requests.exceptions.InvalidProxyURL(), Outcome.NOT_SENT),
        (urllib3.exceptions.LocationParseError("x"), Outcome.NOT_SENT),
        (
            requests.exceptions.SSLError(
                urllib3.exceptions.MaxRetryError(
                    Mock(), "/", urllib3.exceptions.SSLError(ssl.SSLCertVerificationError(1, "x"))
                )
            ),
            Outcome.NOT_SENT,
        ),
        (
            requests.exceptions.ProxyError(
                urllib3.exceptions.MaxRetryError(
                    Mock(),
                    "/",
                    urllib3.exceptions.ProxyError(
                        "x", urllib3.exceptions.NewConnectionError(Mock(), "x")
                    ),
                )
            ),
            Outcome.NOT_SENT,
        ),
        (OSError("could not find the file of certificates"), Outcome.NOT_SENT),
        (ConnectionResetError(104, "reset"), Outcome.UNKNOWN),
        (requests.ReadTimeout(), Outcome.UNKNOWN),
        (requests.exceptions.SSLError("bad record"), Outcome.UNKNOWN),
        (urllib3.exceptions.ProtocolError("x"), Outcome.UNKNOWN),
    ],
)
def test_what_is_known_of_a_request_without_an_answer(cause: Exception, outcome: Outcome) -> None:
    session, _ = mounted(cause)
    with pytest.raises(TransportError) as caught:
        session.fetch_token()
    assert caught.value.outcome is outcome


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", requests.ConnectionError),
        (b"\x00\x01garbage\r\n\r\n", requests.ConnectionError),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
            requests.exceptions.ChunkedEncodingError,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
            requests.exceptions.ChunkedEncodingError,
        ),
    ],
    ids=["closed", "garbage", "cut short", "a chunk cut short"],
)
def test_an_answer_that_breaks_off(sent: bytes, kind: type[Exception]) -> None:
    with scripted(sent) as (url, _):
        error = fetched(url)
    assert isinstance(error, kind)
    assert known(error) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (urllib3.exceptions.ReadTimeoutError(Mock(), "/", "x"), requests.ConnectionError),
        (urllib3.exceptions.SSLError("x"), requests.exceptions.SSLError),
    ],
)
def test_a_body_that_cannot_be_read(failure: Exception, kind: type[Exception]) -> None:
    session, adapter = mounted()
    response = adapter.response(requests.Request("POST", TOKEN_URL).prepare(), 200, GOOD)
    response.raw = Mock(spec=["stream", "close", "release_conn"])
    response.raw.stream.side_effect = failure
    session.send = Mock(return_value=response)  # type: ignore[method-assign]  # as users do
    with pytest.raises(kind) as caught:
        session.fetch_token()
    assert isinstance(caught.value, OAuthError)


def _drip(head: bytes, byte: bytes) -> Callable[[socket.socket], None]:
    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(60):
            connection.sendall(byte)
            time.sleep(0.02)

    return drip


@pytest.mark.parametrize(
    "drip",
    [
        _drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
    ],
    ids=["headers", "body"],
)
def test_a_server_that_drips_runs_into_the_deadline(drip: Callable[[socket.socket], None]) -> None:
    with scripted(drip) as (url, _):
        error = fetched(url, deadline=0.2)
    assert isinstance(error, requests.ReadTimeout)
    assert known(error) is Outcome.UNKNOWN
    for thread in threading.enumerate():
        if thread.name == "oauth2_sansio":
            thread.join(20)  # it ends when the server has closed the connection


def test_a_longer_timeout_lengthens_the_deadline() -> None:
    session, adapter = mounted(deadline=5, default_timeout=8)
    session.fetch_token()
    session.fetch_token(timeout=(3, None))
    session.fetch_token(timeout=urllib3.Timeout(4))
    session.default_timeout = None
    session.fetch_token()
    given = [options["timeout"] for options in adapter.options]
    assert (given[0], given[1], given[3]) == (8, (3, None), 5)


# Bodies.


def test_a_long_answer_is_not_read_to_its_end() -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(640):
            connection.sendall(b" " * 100_000)

    with scripted(pour) as (url, _):
        gc.collect()
        tracemalloc.start()
        error = fetched(url)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert LIMIT in str(error)
    assert most < 5_000_000


@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect"])
def test_a_redirect_is_neither_followed_nor_read_without_end(status: str) -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nLocation: /elsewhere\r\n\r\n".encode())
        for _ in range(640):
            connection.sendall(b" " * 100_000)

    with scripted(pour, answer(GOOD)) as (url, received):
        gc.collect()
        tracemalloc.start()
        error = fetched(url, token_placement="body")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(received) == 1
    assert "redirects" in str(error)
    assert most < 5_000_000


@pytest.mark.parametrize("location", ["https://elsewhere.example/", "http://[", "\u20ac"])
def test_no_redirect_is_followed_whatever_the_session_says(location: str) -> None:
    session, adapter = mounted((302, b"", {"Location": location}), revocation_endpoint=SERVER)
    session.max_redirects = 0
    with pytest.raises(RemoteProtocolError, match="never follow a redirect") as caught:
        session.fetch_token()
    assert caught.value.outcome is Outcome.REFUSED
    assert session.revoke_token(token="t").status_code == 302
    assert session.introspect_token(SERVER, token="t").headers["Location"] == location
    with pytest.raises(OAuthError, match="redirect"):
        session.run(Server.discover("https://other.example"))
    assert len(adapter.sent) == 4


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP, gzip"])
def test_a_compressed_answer_is_refused_and_stays_reachable(coding: str) -> None:
    packed = gzip.compress(b'{"access_token": "x"}')
    seen: list[Any] = []
    with scripted(answer(packed, "200 OK", f"Content-Encoding: {coding}")) as (url, received):
        session = OAuth2Session("app", SECRET, token_endpoint=url)
        session.register_compliance_hook("access_token_response", seen.append)
        with pytest.raises(RemoteProtocolError, match="compressed") as caught:
            session.fetch_token()
    assert b"\r\nAccept-Encoding: identity\r\n" in received[0]
    assert caught.value.response is not None
    assert caught.value.response.body == packed
    assert seen == []


def test_an_answer_that_only_claims_to_be_compressed_is_read() -> None:
    session, _ = mounted((200, GOOD, {"Content-Encoding": "identity"}))
    assert session.fetch_token()["access_token"] == "a-1"
    session, _ = mounted((200, GOOD, {"Content-Encoding": "gzip"}))
    assert session.fetch_token()["access_token"] == "a-1"


def test_a_cut_answer_about_a_token_is_refused() -> None:
    session, _ = mounted((200, b" " * (MAXIMUM_BODY + 1)))
    with pytest.raises(RemoteProtocolError, match=LIMIT):
        session.introspect_token(f"{SERVER}/introspect", token="t")


@pytest.mark.parametrize("misbehaviour", Misbehaviour)
def test_whatever_the_server_does_ends_in_a_token_or_in_our_error(
    server: AuthorizationServer, misbehaviour: Misbehaviour
) -> None:
    session = OAuth2Session("app", SECRET, token_endpoint=f"{server.issuer}/token")
    server.misbehave(misbehaviour, times=1)
    try:
        token = session.fetch_token()
    except OAuthError as error:
        assert SECRET not in str(error)
        assert session.token is None
    else:
        assert session.token == token
        assert server.is_active(token["access_token"])


# Users' doubles at `session.send`, and responses that a test has made.


def _spec() -> Any:
    double = MagicMock(spec=requests.Response)
    double.status_code = 200
    double.json.return_value = GOOD
    return double


def _made(**members: Any) -> requests.Response:
    response = requests.Response()
    response.status_code = 200
    vars(response).update(members)
    return response


@pytest.mark.parametrize(
    "response",
    [
        SimpleNamespace(status_code=200, json=lambda: GOOD),
        SimpleNamespace(status_code=200, json=lambda: GOOD, headers={"Content-Type": "x"}),
        _spec(),
        Mock(status_code=200, json=Mock(return_value=GOOD), headers={}),
        _made(_content=b'{"access_token": "a-1"}'),
        _made(raw=BytesIO(b'{"access_token": "a-1"}')),
        _made(json=lambda: GOOD),
    ],
    ids=["plain", "with headers", "spec", "mock", "content", "file", "own json"],
)
def test_a_double_at_send(response: Any) -> None:
    seen: list[requests.PreparedRequest] = []

    def send(request: requests.PreparedRequest, **_options: Any) -> Any:
        seen.append(request)
        return response

    session = OAuth2Session("app", SECRET, token_endpoint=TOKEN_URL)
    session.send = send  # type: ignore[method-assign]  # as users do
    assert session.fetch_token()["access_token"] == "a-1"
    assert isinstance(seen[0].body, str)
    assert form(seen[0]) == [("grant_type", "client_credentials")]
    assert session.get(API) is response
    assert seen[1].headers["Authorization"] == "Bearer a-1"
    assert session.revoke_token(f"{SERVER}/revoke") is response


class OwnResponse(requests.Response):
    """As the caches among the adapters of requests answer."""


def test_a_response_of_an_adapters_own_class() -> None:
    session, adapter = mounted()
    response = OwnResponse()
    response.status_code = 200
    response.raw = BytesIO(b'{"access_token": "a-1"}')
    adapter.send = Mock(return_value=response)  # type: ignore[method-assign]  # for this one
    assert session.fetch_token()["access_token"] == "a-1"
    assert type(response) is OwnResponse


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (None, LocalProtocolError),
        (Mock(status_code=Mock()), LocalProtocolError),
        (_made(status_code=None), LocalProtocolError),
        (_made(), RemoteProtocolError),
        (SimpleNamespace(status_code=200), RemoteProtocolError),
        (SimpleNamespace(status_code=200, json=Mock(side_effect=ValueError), text="{"), OAuthError),
        (SimpleNamespace(status_code=200, content=b"no"), OAuthError),
        (Mock(status_code=200, json=Mock(return_value=Mock()), text="x"), OAuthError),
        (SimpleNamespace(status_code=400, json=lambda: {"error": "invalid_grant"}), OAuthError),
    ],
)
def test_a_double_of_which_nothing_can_be_made(response: Any, error: type[OAuth2Error]) -> None:
    session = OAuth2Session("app", SECRET, token_endpoint=TOKEN_URL)
    session.send = Mock(return_value=response)  # type: ignore[method-assign]  # as users do
    with pytest.raises(error):
        session.fetch_token()


@pytest.mark.parametrize(
    "response",
    [
        SimpleNamespace(status_code=401),
        Mock(spec=requests.Response, status_code=401, headers={"WWW-Authenticate": "Bearer"}),
        _made(status_code=401),
    ],
)
def test_a_double_that_refuses_the_token_is_handed_back(response: Any) -> None:
    session = OAuth2Session("app", SECRET, token_endpoint=TOKEN_URL, token=GOOD)
    session.send = Mock(return_value=response)  # type: ignore[method-assign]  # as users do
    assert session.get(API) is response


# What belongs to the session.


def test_cookies_headers_proxies_and_hooks_of_the_session_apply() -> None:
    seen: list[str] = []

    def note(response: requests.Response, **_options: Any) -> None:
        seen.append(f"{response.url} {len(response.content)}")

    session, adapter = mounted(
        cookies={"c": "1"},
        headers={"X-Own": "1"},
        proxies={"https": "http://proxy.example"},
        hooks={"response": [note]},
        trust_env=False,
        verify=False,
    )
    session.fetch_token()
    request, options = adapter.sent[0], adapter.options[0]
    assert (request.headers["Cookie"], request.headers["X-Own"]) == ("c=1", "1")
    assert request.headers["User-Agent"].startswith("python-requests/")
    assert (options["proxies"], options["verify"]) == ({"https": "http://proxy.example"}, False)
    assert seen == [f"{TOKEN_URL} 67"]


def test_proxies_of_the_environment_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    session, adapter = mounted()
    session.fetch_token()
    session.get(API)
    assert [each["proxies"].get("https") for each in adapter.options] == [
        "http://proxy.example:3128"
    ] * 2


def test_a_body_that_is_not_ascii_goes_out_as_utf_8() -> None:
    session, adapter = mounted()
    session.register_compliance_hook(
        "access_token_request", lambda u, h, b: (u, h, b + "&x=\u00fc")
    )
    session.fetch_token()
    assert adapter.sent[0].body == "grant_type=client_credentials&x=\u00fc".encode()


def test_a_missing_file_of_certificates_says_so(tmp_path: Path) -> None:
    session = OAuth2Session("app", SECRET, token_endpoint="https://127.0.0.1:9/token")
    with pytest.raises(TransportError) as caught:
        session.fetch_token(verify=str(tmp_path / "missing.pem"))
    assert caught.value.outcome is Outcome.NOT_SENT


def test_the_child_of_a_fork_leaves_adapters_of_others_alone() -> None:
    session, adapter = mounted()
    session.after_fork()  # told so in this very process
    assert session.fetch_token()["access_token"] == "a-1"
    assert len(adapter.sent) == 1


def test_mounted_retries_repeat_no_request_to_an_endpoint() -> None:
    retry = Retry(2, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    unavailable = answer({}, "503 Service Unavailable")
    with scripted(unavailable, answer(GOOD)) as (url, received):
        session = OAuth2Session("app", token_endpoint=url)
        session.mount("http://", HTTPAdapter(max_retries=retry))
        for _ in range(2):
            with suppress(OAuthError):
                session.fetch_token()
        assert len(received) == 2
        assert session.token is not None
