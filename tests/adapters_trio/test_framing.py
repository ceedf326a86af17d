"""Whatever a server says, the client gives an answer or an error of its own, and leaks nothing."""

from __future__ import annotations

import gzip
from collections.abc import Generator
from contextlib import closing, contextmanager
from itertools import chain, repeat
from math import inf

import h11
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from oauth2_sansio_trio import (
    DeadlineExceeded,
    HTTPClient,
    HTTPError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    Timeout,
)
from oauth2_sansio_trio.connection import MOST_INTERIM_ANSWERS, Connection
from oauth2_sansio_trio.settings import TimeLeft
from oauth2_sansio_trio.tls import PIECE, PlainStream
from oauth2_sansio_trio.urls import Origin

from .world import OK, Server, Stream, answering, counts, keep_answering, serving, stay_silent

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.trio
@pytest.mark.parametrize(
    ("answer", "status", "body", "reusable"),
    [
        (OK, 200, b"ok", True),
        (HEAD + b"content-length: 2, 2\r\n\r\nok", 200, b"ok", True),
        (CHUNKED + b"1;x=y\r\no\r\n1\r\nk\r\n0\r\nTrailer: x\r\n\r\n", 200, b"ok", True),
        (HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
        (HEAD + b"\r\nuntil the end", 200, b"until the end", False),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b"", True),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 999, b"", True),
        (CONTINUE + OK, 200, b"ok", True),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * MOST_INTERIM_ANSWERS + OK,
            200,
            b"ok",
            True,
        ),
        (HEAD + b"Keep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
        (HEAD + b"Keep-Alive: timeout=5, max=9\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", True),
        (HEAD + b"Keep-Alive: max=9\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", True),
        (OK + b"x", 200, b"ok", False),
        (OK + OK, 200, b"ok", False),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", 204, b"", False),
    ],
)
async def test_a_good_answer(answer: bytes, status: int, body: bytes, reusable: bool) -> None:
    async with serving(answering(answer)) as server, HTTPClient() as client:
        response = await client.get(server.url)

        assert (response.status_code, response.content) == (status, body)
        assert counts(client) == ((1, 1) if reusable else (0, 0))


@pytest.mark.trio
@pytest.mark.parametrize("answer", [HEAD + b"Content-Length: 9\r\n\r\n", CHUNKED, HEAD + b"\r\n"])
async def test_the_answer_to_a_head_has_no_body(answer: bytes) -> None:
    async with serving(answering(answer, OK)) as server, HTTPClient() as client:
        assert (await client.head(server.url)).content == b""
        assert counts(client) == (1, 1)
        assert (await client.get(server.url)).content == b"ok"
    assert server.connections == 1


@pytest.mark.trio
@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (b"", ReadError, "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", ReadError, "closed the connection"),
        (b"<html>s3cret HTTP/0.9</html>\r\n", ReadError, "closed the connection"),
        (b"<html>\r\n\r\ns3cret HTTP/0.9", RemoteProtocolError, "illegal status line"),
        (b"\x16\x03\x01 s3cret\r\n\r\n", RemoteProtocolError, "illegal"),
        (b"HTTP/2 200 OK\r\n\r\n", RemoteProtocolError, "illegal status line"),
        (b"HTTP/1.1 20 OK\r\n\r\n", RemoteProtocolError, "illegal status line"),
        (HEAD + b"s3cret\r\n\r\n", RemoteProtocolError, "illegal header line"),
        (HEAD + b"A: s3cret\x00\r\n\r\n", RemoteProtocolError, "illegal header line"),
        (HEAD + b" A: s3cret\r\n\r\n", RemoteProtocolError, "continuation line"),
        (HEAD + b"A : s3cret\r\n\r\n", RemoteProtocolError, "illegal header line"),
        (HEAD + b"Content-Length: -1\r\n\r\n", RemoteProtocolError, "bad Content-Length"),
        (HEAD + b"Content-Length: 0x2\r\n\r\nok", RemoteProtocolError, "bad Content-Length"),
        (
            HEAD + b"Content-Length: " + b"9" * 50 + b"\r\n\r\nok",
            RemoteProtocolError,
            "bad Content",
        ),
        (
            HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
            RemoteProtocolError,
            "conflicting",
        ),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", RemoteProtocolError, "Only Transfer"),
        (CHUNKED + b"s3cret\r\n", RemoteProtocolError, "illegal chunk header"),
        (CHUNKED + b"-1\r\n", RemoteProtocolError, "illegal chunk header"),
        (CHUNKED + b"1\r\nos3cret\r\n", RemoteProtocolError, "malformed chunk footer"),
        (CHUNKED + b"2\r\nok\r\n", RemoteProtocolError, "without sending complete"),
        (HEAD + b"Content-Length: 3\r\n\r\nok", RemoteProtocolError, "without sending complete"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", RemoteProtocolError, "."),
        (CONTINUE * (MOST_INTERIM_ANSWERS + 1) + OK, RemoteProtocolError, "one interim answer"),
        (HEAD + b"A: " + b"x" * 300_000, RemoteProtocolError, "too long"),
        (HEAD + b"A: b\r\n" * 60_000, RemoteProtocolError, "too long"),
        (CHUNKED + b"1;" + b"x" * 300_000, RemoteProtocolError, "too long"),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * 60_000, RemoteProtocolError, "too long"),
        (HEAD + b"Content-Encoding: gzip\r\n\r\ns3cret", RemoteProtocolError, "not gzip"),
    ],
)
async def test_a_broken_answer(answer: bytes, kind: type[HTTPError], text: str) -> None:
    async with serving(answering(answer)) as server, HTTPClient() as client:
        with pytest.raises(kind, match=text) as caught:
            await client.get(f"{server.url}/?s3cret", headers={"A": "s3cret"})

        assert type(caught.value) is kind
        assert caught.value.sent
        assert "s3cret" not in f"{caught.value!r}"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert counts(client) == (0, 0)
        assert len(server.requests) == 1


@pytest.mark.trio
async def test_a_reset_connection_is_an_error_of_ours() -> None:
    async def reset(_server: Server, stream: Stream) -> None:
        assert isinstance(stream, trio.SocketStream)
        linger = b"\x01\0\0\0\0\0\0\0"
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, linger)
        await stream.receive_some(1)

    async with serving(reset) as server, HTTPClient() as client:
        with pytest.raises(ReadError, match="failed before the answer") as caught:
            await client.get(server.url)
        assert caught.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
@pytest.mark.parametrize("head", [b"", HEAD, CHUNKED, HEAD + b"Content-Length: 9999\r\n\r\n"])
async def test_a_slow_drip_ends_at_the_deadline(head: bytes) -> None:
    async def drip(server: Server, stream: Stream) -> None:
        await server.read_request(stream)
        await stream.send_all(head)
        piece = b"1\r\nx\r\n" if head == CHUNKED else b"x"
        while True:
            await stream.send_all(piece)
            await trio.sleep(0.01)

    async with serving(drip) as server, HTTPClient(deadline=0.3) as client:
        with pytest.raises(DeadlineExceeded, match="longer than 0.3 seconds") as caught:
            await client.get(server.url)
        assert caught.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_silence_ends_at_the_timeout() -> None:
    async with serving(stay_silent) as server, HTTPClient() as client:
        with pytest.raises(ReadTimeout, match="no answer from") as caught:
            await client.get(server.url, timeout=Timeout(read=0.05))
        assert caught.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_silence_in_the_body_ends_at_the_timeout() -> None:
    async def begin(server: Server, stream: Stream) -> None:
        await server.read_request(stream)
        await stream.send_all(HEAD + b"Content-Length: 4\r\n\r\nok")
        await trio.sleep_forever()

    async with serving(begin) as server, HTTPClient(timeout=Timeout(read=0.3)) as client:
        async with client.stream("GET", server.url) as response:
            pieces = response.iter_bytes()
            assert await anext(pieces) == b"ok"
            with pytest.raises(ReadTimeout):
                await anext(pieces)
        assert counts(client) == (0, 0)


@contextmanager
def connected(kind: type[PlainStream]) -> Generator[Connection, None, None]:
    """Give a connection over a stream of a test's own."""
    ours, theirs = trio.socket.socketpair()
    connection = Connection(Origin("http", "a", 80), kind(trio.SocketStream(ours)))
    with theirs, closing(connection):
        yield connection


@pytest.mark.trio
async def test_a_flood_ends_at_the_deadline_too(mock_clock: MockClock) -> None:
    """Where the next piece is always there, nothing waits, and so no scope has an end."""

    pieces = chain([HEAD + b"\r\n"], repeat(bytes(PIECE)))

    class Flood(PlainStream):
        def receive_now(self) -> bytes | None:
            mock_clock.jump(1)
            return next(pieces)

    with connected(Flood) as connection:
        time_left = TimeLeft(Timeout(), 9.5)
        request = h11.Request(method="GET", target="/", headers=[("Host", "a")])
        assert (await connection.send(request, None, time_left)).status_code == 200
        for _ in range(8):
            assert len(await connection.read_body(time_left)) == PIECE
        with pytest.raises(DeadlineExceeded) as caught:
            await connection.read_body(time_left)
        assert caught.value.sent


@pytest.mark.trio
async def test_a_server_that_takes_all_at_once_does_not_stop_the_other_tasks() -> None:
    class Fast(PlainStream):
        def send_now(self, data: bytes) -> bool:
            return bool(data)

        def receive_now(self) -> bytes | None:
            return OK

    steps = 0

    async def go_on() -> None:
        nonlocal steps
        while True:
            await trio.lowlevel.checkpoint()
            steps += 1

    body = bytes(100 * PIECE)
    headers = [("Host", "a"), ("Content-Length", str(len(body)))]
    request = h11.Request(method="POST", target="/", headers=headers)
    with connected(Fast) as connection:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(go_on)
            await connection.send(request, body, TimeLeft(Timeout(), inf))
            nursery.cancel_scope.cancel()
    assert steps > 90


@pytest.mark.trio
async def test_a_second_answer_is_never_taken_for_that_of_the_next_request() -> None:
    async def smuggle(server: Server, stream: Stream) -> None:
        await server.read_request(stream)
        await stream.send_all(OK)
        await stream.send_all(OK.replace(b"ok", b"no"))
        await stay_silent(server, stream)

    async with serving(smuggle) as server, HTTPClient() as client:
        for _ in range(3):
            assert (await client.get(server.url)).content == b"ok"
            await trio.sleep(0.02)
        assert server.connections == 3


@pytest.mark.trio
async def test_a_bomb_does_not_go_off() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    async with serving(answering(answer)) as server, HTTPClient() as client:
        async with client.stream("GET", server.url) as response:
            assert len(await response.aread(limit=100_000)) == 100_001
        assert counts(client) in ((0, 0), (1, 1))


@settings(max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([HEAD, CHUNKED, OK, CONTINUE, b"\r\n", b"0\r\n\r\n", b"2\r\nok\r\n"]),
        )
    ).map(b"".join)
)
def test_any_bytes_are_an_answer_or_an_error_of_ours(answer: bytes) -> None:
    async def main() -> None:
        async with serving(answering(answer)) as server, HTTPClient() as client:
            try:
                await client.get(server.url, deadline=5)
            except (ReadError, RemoteProtocolError):
                assert counts(client) == (0, 0)
            assert counts(client) in ((0, 0), (1, 1))

    trio.run(main)


@pytest.mark.trio
@pytest.mark.parametrize("length", [1, 7])
async def test_an_answer_may_come_in_small_pieces(length: int) -> None:
    answer = CONTINUE + CHUNKED + b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"

    async def drip(server: Server, stream: Stream) -> None:
        await server.read_request(stream)
        for start in range(0, len(answer), length):
            await stream.send_all(answer[start : start + length])
            await trio.sleep(0.001)
        await keep_answering(server, stream)

    async with serving(drip) as server, HTTPClient() as client:
        assert (await client.get(server.url)).content == b"ok"
        assert (await client.get(server.url)).content == b"ok"
        assert server.connections == 1
