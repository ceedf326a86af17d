from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from math import inf, nan
from typing import Any

import pytest

from oauth2_sansio_trio import Headers, Limits, LocalProtocolError, Request, Timeout
from oauth2_sansio_trio.request import build_request, read_request

DEFAULT = Headers({"Accept": "*/*"})
URL = "http://a.example/"


class NothingComes:
    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("nobody reads this")


STREAM = NothingComes()


@pytest.mark.parametrize(
    ("options", "content", "media_type"),
    [
        ({}, None, None),
        ({"content": b"x"}, b"x", None),
        ({"content": bytearray(b"x")}, b"x", None),
        ({"content": memoryview(b"x")}, b"x", None),
        ({"content": STREAM}, STREAM, None),
        ({"data": {"a": "b c"}}, b"a=b+c", "application/x-www-form-urlencoded"),
        ({"data": []}, b"", "application/x-www-form-urlencoded"),
        ({"json": {"ä": [1]}}, b'{"\\u00e4":[1]}', "application/json"),
        ({"json": 0, "headers": {"content-type": "x/y"}}, b"0", "x/y"),
    ],
)
def test_a_body_is_made(options: dict[str, Any], content: object, media_type: str | None) -> None:
    request = build_request("post", URL, default_headers=DEFAULT, **options)

    assert request.method == "POST"
    assert request.content == content
    assert request.headers.get("content-type") == media_type
    assert request.headers["accept"] == "*/*"
    assert request.is_repeatable == (content is not STREAM)


def test_parameters_and_times_are_taken() -> None:
    request = build_request(
        "GET", URL, default_headers=DEFAULT, params={"q": "1"}, timeout=3, deadline=9
    )

    assert request.url == f"{URL}?q=1"
    assert request.timeout == Timeout(connect=3, read=3, write=3, pool=3)
    assert request.deadline == 9


@pytest.mark.parametrize(
    "options",
    [
        {"content": b"", "json": 1},
        {"data": {}, "content": b""},
        {"content": "text"},
        {"content": [b""]},
    ],
)
def test_two_bodies_and_other_bodies_are_misuse(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="content"):
        build_request("POST", URL, default_headers=DEFAULT, **options)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Request(method="GET", url=URL, deadline=0),
        lambda: Request(method="GET", url=URL, deadline=nan),
        lambda: Timeout.of(-1),
        lambda: Timeout(read=nan),
        lambda: Limits(connections=0),
        lambda: Limits(connections_per_origin=0),
        lambda: Limits(idle_seconds=-1),
        lambda: Limits(idle_seconds=nan),
    ],
)
def test_numbers_that_make_no_sense_are_misuse(build: Any) -> None:
    with pytest.raises(ValueError, match="seconds|connection"):
        build()


def test_a_timeout_may_be_without_end() -> None:
    timeout = Timeout(read=inf)
    assert Timeout.of(timeout) is timeout


@pytest.mark.parametrize(
    ("request_", "framing"),
    [
        (Request(method="GET", url=URL), []),
        (Request(method="GET", url=URL, content=b"abc"), [(b"content-length", b"3")]),
        (Request(method="POST", url=URL), [(b"content-length", b"0")]),
        (Request(method="POST", url=URL, content=STREAM), [(b"transfer-encoding", b"chunked")]),
        (
            Request(
                method="PUT", url=URL, content=STREAM, headers=Headers({"Content-Length": "7"})
            ),
            [(b"content-length", b"7")],
        ),
        (
            Request(
                method="PUT",
                url=URL,
                content=b"abc",
                headers=Headers({"Content-Length": "7", "Transfer-Encoding": "chunked"}),
            ),
            [(b"content-length", b"3")],
        ),
    ],
)
def test_the_client_frames_the_body(request_: Request, framing: list[tuple[bytes, bytes]]) -> None:
    address, head = read_request(request_)

    assert address.target == "/"
    assert head.headers == [(b"host", b"a.example"), *framing]


def test_another_host_header_may_be_wanted() -> None:
    request = Request(method="GET", url=URL, headers=Headers({"X": "y", "host": "b.example"}))
    assert read_request(request)[1].headers == [(b"host", b"b.example"), (b"x", b"y")]


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="GET", url="no url"),
        Request(method="G ET", url=URL),
        Request(method="GËT", url=URL),
        Request(method="CONNECT", url=URL),
        Request(method="GET", url=URL, headers=Headers({"Upgrade": "websocket"})),
        Request(method="GET", url=URL, headers=Headers({"A": "Bearer s3cret\r\nX: y"})),
        Request(method="GET", url=URL, headers=Headers({"A": "Bearer s3cret ü"})),
        Request(method="GET", url=URL, headers=Headers({"s3cret\n": "y"})),
        Request(
            method="PUT", url=URL, content=STREAM, headers=Headers({"Content-Length": "s3cret"})
        ),
    ],
)
def test_what_http_cannot_send_is_refused_and_not_shown(request_: Request) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        read_request(request_)
    assert not caught.value.sent
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_request_shows_no_secret() -> None:
    request = Request(
        method="GET", url=f"{URL}?s3cret", headers=Headers({"A": "s3cret"}), content=b"s3cret"
    ).with_header("B", "s3cret")

    assert repr(request) == "<Request GET http://a.example/>"
    assert request.headers["b"] == "s3cret"


def test_an_asynchronous_generator_is_a_stream() -> None:
    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b""

    assert not build_request("POST", URL, default_headers=DEFAULT, content=pieces()).is_repeatable
