"""The driver over urllib keeps to the contract."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected
from threading import Event, Thread

import pytest
import trustme

from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.command_line.over_urllib import UrllibSender
from oauth2_sansio.events import Endpoint, RequestFailed, RequestToSend, ResponseReceived
from oauth2_sansio.testing import AuthorizationServer
from oauth2_sansio.testing.loopback import serve


def get(url: str) -> RequestToSend:
    return RequestToSend(endpoint=Endpoint.RESOURCE, method="GET", url=url)


def send(request: RequestToSend, deadline: float = 30.0) -> ResponseReceived | RequestFailed:
    return UrllibSender(deadline=deadline).send(request)


@contextmanager
def answering(
    answer: bytes, hold: Event | None = None
) -> Generator[tuple[str, list[bytes]], None, None]:
    """Answer one request with these bytes, then hang up, once `hold` is set; keep the request."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_one() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                head = b"".join(iter(stream.readline, b"\r\n"))
                length = re.search(rb"(?i)^content-length: (\d+)", head, flags=re.MULTILINE)
                received.extend((head, stream.read(int(length[1]) if length else 0)))
                connection.sendall(answer)
                if hold is not None:
                    hold.wait(30)

        thread = Thread(target=serve_one, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/path?a=b", received
        if hold is not None:
            hold.set()
        thread.join()


def test_a_request_goes_out_as_it_stands() -> None:
    request = RequestToSend(
        endpoint=Endpoint.TOKEN,
        url="",
        headers=(("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", "x y")),
        form=(("a", "1"), ("a", "2 ")),
    )
    with answering(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\n\r\nbody") as (url, received):
        event = send(replace(request, url=url))
    assert event == ResponseReceived(status=200, headers=(("X-A", "1"), ("X-A", "2")), body=b"body")
    head, body = received
    assert head.startswith(b"POST /path?a=b HTTP/1.1\r\n")
    lines = head.lower().split(b"\r\n")
    assert b"content-type: application/x-www-form-urlencoded" in lines
    assert b"authorization: x y" in lines
    assert body == b"a=1&a=2+"


@pytest.mark.parametrize("status", [302, 307, 401, 407, 500])
def test_every_answer_is_a_response(status: int) -> None:
    answer = f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 2\r\n\r\nno"
    with answering(answer.encode()) as (url, _):
        event = send(get(url))
    assert isinstance(event, ResponseReceived)
    assert (event.status, event.body) == (status, b"no")


def test_no_proxy_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, _):
        event = send(get(url))
    assert event == ResponseReceived(status=204)


def test_a_body_without_end_is_read_up_to_the_bound() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAXIMUM_BODY + 1000)) as (url, _):
        event = send(get(url))
    assert isinstance(event, ResponseReceived)
    assert len(event.body) == MAXIMUM_BODY + 1


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(b"", RemoteDisconnected, id="none"),
        pytest.param(b"no HTTP at all\r\n\r\n", BadStatusLine, id="another protocol"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut", IncompleteRead, id="cut short"
        ),
    ],
)
def test_an_answer_that_is_none(answer: bytes, cause: type[Exception]) -> None:
    with answering(answer) as (url, _):
        event = send(get(url))
    assert isinstance(event, RequestFailed)
    assert isinstance(event.cause, cause)
    assert event.sent


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"])
def test_an_answer_that_does_not_come_in_time(answer: bytes) -> None:
    with answering(answer, hold=Event()) as (url, _):
        event = send(get(url), deadline=0.05)
    assert isinstance(event, RequestFailed)
    assert isinstance(event.cause, TimeoutError)
    assert event.sent


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    event = send(get(f"http://127.0.0.1:{port}/"))
    assert isinstance(event, RequestFailed)
    assert not event.sent


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/hostname", "http:///"])
def test_no_other_kind_of_url(url: str) -> None:
    event = send(get(url))
    assert isinstance(event, RequestFailed)
    assert not event.sent


def test_certificates_are_checked() -> None:
    authority = trustme.CA()
    of_server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(of_server)
    of_client = ssl.create_default_context()
    authority.configure_trust(of_client)

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(issuer=issuer)

    with serve(build, ssl_context=of_server, host="localhost") as server:
        request = get(server.url(Endpoint.RESOURCE))
        unknown = send(request)
        known = UrllibSender(context=of_client).send(request)
    assert isinstance(unknown, RequestFailed)
    assert not unknown.sent
    assert isinstance(known, ResponseReceived)
    assert known.status == 401
