from __future__ import annotations

import copy
import gzip
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from oauth2_sansio_trio import (
    HTTPError,
    HTTPStatusError,
    LocalProtocolError,
    ReadError,
    RemoteProtocolError,
    Request,
    Response,
)

REQUEST = Request(method="GET", url="http://a.example/x?s3cret")


class Pieces:
    """A body in pieces, some of which are errors."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = list(pieces)
        self.closed = 0

    async def read(self) -> bytes:
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self) -> None:
        self.closed += 1


def streamed(*pieces: bytes | Exception, coding: str | None = None) -> tuple[Response, Pieces]:
    body = Pieces(*pieces)
    headers = {} if coding is None else {"Content-Encoding": coding}
    return Response(200, headers, body=body, request=REQUEST), body


def test_a_test_may_build_an_answer() -> None:
    response = Response(404, {"X": "y"}, b'{"a": 1}', reason_phrase="Not Found")

    assert (response.status_code, response.reason_phrase) == (404, "Not Found")
    assert response.http_version == "HTTP/1.1"
    assert response.headers["x"] == "y"
    assert response.json() == {"a": 1}
    assert response.is_closed
    assert repr(response) == "<Response 404>"
    with pytest.raises(LocalProtocolError, match="without a request"):
        _ = response.url


def test_an_answer_knows_its_request() -> None:
    response = Response(200, request=REQUEST)
    assert response.request is REQUEST
    assert response.url == REQUEST.url


@pytest.mark.parametrize(("status", "good"), [(199, False), (200, True), (299, True), (300, False)])
def test_a_success_is_between_200_and_299(status: int, good: bool) -> None:
    response = Response(status, reason_phrase="Per\u00e9haps", request=REQUEST)

    assert response.is_success is good
    if good:
        assert response.raise_for_status() is response
    else:
        with pytest.raises(HTTPStatusError) as caught:
            response.raise_for_status()
        assert str(caught.value) == f"{status} Per\\xe9haps from http://a.example/x"
        assert caught.value.response is response
        copied = pickle.loads(pickle.dumps(caught.value))
        assert (str(copied), copied.status_code, copied.response) == (
            str(caught.value),
            status,
            None,
        )


def test_a_status_may_stand_alone() -> None:
    with pytest.raises(HTTPStatusError, match=r"^500$"):
        Response(500).raise_for_status()


@pytest.mark.parametrize(
    ("media_type", "content", "text"),
    [
        (None, "ä".encode(), "ä"),
        ("text/plain", b"\xff", "\ufffd"),
        ("text/plain; charset=latin-1", b"\xe4", "ä"),
        ('text/plain; x=y; CharSet="UTF-16-LE"', "ä".encode("utf-16-le"), "ä"),
        ("text/plain; charset=no-such", "ä".encode(), "ä"),
        ("text/plain; charset=hex", b"6161", "6161"),
        ("text/plain; charset=IDNA", b"xn--4ca", "xn--4ca"),
        ("text/plain; charset=\x00", b"a", "a"),
    ],
)
def test_the_text_is_in_the_named_charset(
    media_type: str | None, content: bytes, text: str
) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}
    assert Response(200, headers, content).text == text


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 200_000, b"9" * 5000, b"\xff"])
def test_what_is_no_json_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Response(200, content=content).json()


def test_an_answer_is_not_pickled_or_copied() -> None:
    attempts: list[Callable[[Response], object]] = [pickle.dumps, copy.copy]
    for attempt in attempts:
        with pytest.raises(TypeError, match="secrets"):
            attempt(Response(200))


@pytest.mark.trio
async def test_a_body_is_read_once_and_kept() -> None:
    response, _ = streamed(b"a", b"b")

    with pytest.raises(LocalProtocolError, match="aread"):
        _ = response.content
    closed_before = response.is_closed
    assert await response.aread() == b"ab"
    assert await response.aread() == b"ab"
    assert response.content == b"ab"
    assert (closed_before, response.is_closed) == (False, True)
    assert [piece async for piece in response.iter_bytes()] == [b"ab"]
    assert [piece async for piece in response.iter_raw()] == [b"ab"]
    assert [piece async for piece in Response(200).iter_bytes()] == []


@pytest.mark.trio
async def test_a_body_is_read_up_to_a_limit() -> None:
    response, body = streamed(b"abc", b"def", b"ghi")

    assert await response.aread(limit=4) == b"abcde"
    assert response.content == b"abcde"
    assert body.closed == 1

    response, body = streamed(b"abc", b"d")
    assert await response.aread(limit=4) == b"abcd"
    assert body.closed == 0


@pytest.mark.trio
async def test_a_body_is_iterated_over_piece_by_piece() -> None:
    response, body = streamed(b"a", b"b")

    assert [piece async for piece in response.iter_bytes()] == [b"a", b"b"]
    assert [piece async for piece in response.iter_bytes()] == []
    assert response.is_closed
    await response.aclose()
    assert body.closed == 0


@pytest.mark.trio
async def test_what_is_given_up_cannot_be_read() -> None:
    response, body = streamed(b"a", b"b")

    async for _ in response.iter_bytes():
        break
    await response.aclose()
    await response.aclose()

    assert body.closed == 1
    assert response.is_closed
    with pytest.raises(LocalProtocolError, match="closed"):
        await response.aread()


@pytest.mark.trio
@pytest.mark.parametrize("coding", ["gzip", "GZip", "x-gzip"])
async def test_gzip_is_undone(coding: str) -> None:
    text = b"text " * 30_000
    encoded = gzip.compress(text)

    response, _ = streamed(encoded[:40], encoded[40:], coding=coding)
    pieces = [piece async for piece in response.iter_bytes()]
    assert b"".join(pieces) == text
    assert max(map(len, pieces)) == 65_536

    response, _ = streamed(encoded, coding=coding)
    assert await response.aread() == text

    response, _ = streamed(encoded, coding=coding)
    assert [piece async for piece in response.iter_raw()] == [encoded]

    response, _ = streamed(encoded, coding=coding)
    assert await response.aread(decode=False) == encoded


@pytest.mark.trio
@pytest.mark.parametrize("coding", ["identity", "br", "gzip, gzip"])
async def test_other_codings_are_handed_on(coding: str) -> None:
    response, _ = streamed(b"coded", coding=coding)
    assert await response.aread() == b"coded"


@pytest.mark.trio
@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ((b"a", ReadError("gone")), ReadError),
        ((b"no gzip", b"", b"more"), RemoteProtocolError),
        ((gzip.compress(b"abc")[:-1],), RemoteProtocolError),
    ],
)
async def test_a_body_that_fails_is_given_up(pieces: Any, kind: type[HTTPError]) -> None:
    response, _ = streamed(*pieces, coding="gzip" if kind is RemoteProtocolError else None)

    with pytest.raises(kind):
        await response.aread()
    with pytest.raises(LocalProtocolError, match="closed"):
        await response.aread()
    assert response.is_closed
