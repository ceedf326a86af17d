from __future__ import annotations

import asyncio
import copy
import gzip
import os
import threading
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import pytest
import trio
import trio.lowlevel
import trio.testing

from oauth2_sansio_trio import (
    ConnectError,
    ConnectTimeout,
    DeadlineExceeded,
    Headers,
    HTTPClient,
    Limits,
    LocalProtocolError,
    PoolTimeout,
    ReadError,
    Request,
    Response,
    Timeout,
    UnusableClientError,
    WriteError,
    WriteTimeout,
)

from .world import (
    OK,
    Server,
    Stream,
    answering,
    counts,
    keep_answering,
    pool_of,
    serving,
    stay_silent,
)


def fields(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@pytest.mark.trio
async def test_the_story_of_a_request() -> None:
    answer = (
        b'HTTP/1.1 201 Made\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}'
    )
    async with serving(answering(answer)) as server, HTTPClient(headers={"X-Own": "1"}) as client:
        response = await client.post(
            f"{server.url}/p?x=%2f", params={"q": "1"}, json=[1], headers={"x-this": "2"}
        )

        assert response.status_code == 201
        assert response.reason_phrase == "Made"
        assert response.http_version == "HTTP/1.1"
        assert response.headers["CONTENT-TYPE"] == "application/json"
        assert response.headers.pairs[0] == ("Content-Type", "application/json")
        assert response.json() == {"a": 1}
        assert response.url == f"{server.url}/p?x=%2f&q=1"
    (request,) = server.requests
    assert request.startswith(b"POST /p?x=%2f&q=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert request.endswith(b"\r\n\r\n[1]")
    sent = fields(request)
    assert sent.pop("host") == server.url.removeprefix("http://")
    assert sent.pop("user-agent").startswith("oauth2-sansio/")
    assert sent == {
        "accept": "*/*",
        "accept-encoding": "gzip",
        "x-own": "1",
        "x-this": "2",
        "content-type": "application/json",
        "content-length": "3",
    }


@pytest.mark.trio
async def test_every_verb_is_a_request() -> None:
    async with serving(keep_answering) as server, HTTPClient() as client:
        for verb in ("get", "head", "options", "post", "put", "patch", "delete"):
            if verb == "head":
                continue  # its answer has no body: see test_framing.py
            response = await getattr(client, verb)(server.url)
            assert response.content == b"ok"
        assert counts(client) == (1, 1)
    methods = [request.split(b" ")[0] for request in server.requests]
    assert methods == [b"GET", b"OPTIONS", b"POST", b"PUT", b"PATCH", b"DELETE"]
    assert server.connections == 1


@pytest.mark.trio
async def test_every_request_goes_through_send(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []

    async def double(request: Request, *, stream: bool = False) -> Response:
        seen.append((request.method, stream))
        return Response(200, content=b"double", request=request)

    client = HTTPClient()
    monkeypatch.setattr(client, "send", double)
    assert (await client.get("http://a.example")).content == b"double"
    assert (await client.delete("http://a.example", follow_redirects=True)).content == b"double"
    async with client.stream("POST", "http://a.example") as response:
        assert await response.aread() == b"double"
    assert seen == [("GET", False), ("DELETE", False), ("POST", True)]


async def pieces_of(*pieces: Any) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


@pytest.mark.trio
async def test_a_body_may_be_streamed() -> None:
    async with serving(keep_answering) as server, HTTPClient() as client:
        await client.post(
            server.url, content=pieces_of(b"ab", b"", bytearray(b"c"), memoryview(b"d"))
        )
        await client.put(server.url, content=pieces_of(b"abc"), headers={"Content-Length": "3"})
        assert counts(client) == (1, 1)
    assert server.requests[0].endswith(b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n1\r\nd\r\n0\r\n\r\n")
    assert server.requests[1].endswith(b"\r\n\r\nabc")


class TwoPieces:
    """Yields them each time that somebody iterates; there is nothing to close."""

    def __aiter__(self) -> TwoPieces:
        self.left = 2
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return b"x" * 100_000


@pytest.mark.trio
@pytest.mark.parametrize("content", [b"x" * 200_000, TwoPieces()])
async def test_a_large_body_arrives_whole(content: Any) -> None:
    async with serving(keep_answering) as server, HTTPClient() as client:
        headers = {"Content-Length": "200000"}
        response = await client.post(server.url, content=content, headers=headers)
        assert response.content == b"ok"
        assert counts(client) == (1, 1)
    assert server.requests[0].endswith(b"\r\n\r\n" + b"x" * 200_000)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ((b"abcd",), LocalProtocolError),
        ((b"ab",), LocalProtocolError),
        (("text",), TypeError),
        ((ValueError("s3cret"),), ValueError),
    ],
)
async def test_a_body_that_is_not_what_it_should_be(pieces: Any, kind: type[Exception]) -> None:
    closed = False

    async def body() -> AsyncGenerator[bytes, None]:
        nonlocal closed
        try:
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
            await trio.lowlevel.checkpoint()
        finally:
            closed = True

    async with serving(stay_silent) as server, HTTPClient() as client:
        with pytest.raises(kind) as caught:
            await client.post(server.url, content=body(), headers={"Content-Length": "3"})
        assert getattr(caught.value, "sent", True)
        assert counts(client) == (0, 0)
    assert closed


@pytest.mark.trio
async def test_a_body_that_never_comes_ends_at_the_deadline() -> None:
    async def body() -> AsyncGenerator[bytes, None]:
        yield b"a"
        await trio.sleep_forever()

    async with serving(stay_silent) as server, HTTPClient(timeout=Timeout(write=0.05)) as client:
        with pytest.raises(DeadlineExceeded) as caught:
            await client.post(server.url, content=body(), deadline=0.3)
        assert caught.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_a_server_that_does_not_read() -> None:
    async def wait(_server: Server, _stream: Stream) -> None:
        await trio.sleep_forever()

    async with serving(wait) as server, HTTPClient() as client:
        with pytest.raises(WriteTimeout, match="does not take the request") as caught:
            await client.post(
                server.url, content=bytes(30_000_000), timeout=Timeout(write=0.1, read=9)
            )
        assert caught.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno", b"", b"junk\r\n\r\n"]
)
async def test_a_server_that_hangs_up_on_a_large_body(answer: bytes) -> None:
    async def refuse(_server: Server, stream: Stream) -> None:
        await stream.receive_some(10)
        await stream.send_all(answer)

    async with serving(refuse) as server, HTTPClient() as client:
        if answer.startswith(b"HTTP"):
            response = await client.post(server.url, content=bytes(30_000_000))
            assert (response.status_code, response.content) == (413, b"no")
        else:
            with pytest.raises(WriteError, match="while the request was sent") as caught:
                await client.post(server.url, content=bytes(30_000_000))
            assert caught.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_an_answer_may_be_streamed() -> None:
    body = b"x" * 300_000
    encoded = gzip.compress(body)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(encoded)
    async with serving(answering(head + encoded, OK)) as server, HTTPClient() as client:
        async with client.stream("GET", server.url) as response:
            assert counts(client) in ((1, 0), (1, 1))
            assert b"".join([piece async for piece in response.iter_bytes()]) == body
            assert counts(client) == (1, 1)
        async with client.stream("GET", server.url) as response:
            assert await response.aread() == b"ok"
    assert server.connections == 1


@pytest.mark.trio
async def test_a_stream_that_is_left_early_closes_its_connection() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + bytes(100_000)
    async with serving(answering(answer)) as server, HTTPClient() as client:
        async with client.stream("GET", server.url) as response:
            await anext(response.iter_bytes())
            assert counts(client) == (1, 0)
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_two_tasks_do_not_read_one_answer() -> None:
    async def begin(server: Server, stream: Stream) -> None:
        await server.read_request(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        await stay_silent(server, stream)

    async def read_too(response: Response) -> None:
        with pytest.raises(ReadError):
            await response.aread()

    async with serving(begin) as server, HTTPClient() as client:
        async with client.stream("GET", server.url) as response, trio.open_nursery() as nursery:
            nursery.start_soon(read_too, response)
            await trio.testing.wait_all_tasks_blocked(0.02)
            with pytest.raises(LocalProtocolError, match="another task"):
                await response.aread()
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    async with serving(answering(OK)) as server, HTTPClient() as client:
        for _ in range(3):
            assert (await client.post(server.url, content=b"x")).content == b"ok"
            await trio.sleep(0.02)
        assert server.connections == 3


@pytest.mark.trio
async def test_a_request_is_never_sent_twice() -> None:
    """The server takes a second request over a kept connection, and hangs up on it."""

    async def take(server: Server, stream: Stream) -> None:
        await server.read_request(stream)
        await stream.send_all(OK)
        await server.read_request(stream)

    async with serving(take) as server, HTTPClient() as client:
        await client.get(server.url)
        with pytest.raises(ReadError) as caught:
            await client.get(server.url)
        assert caught.value.sent
        assert len(server.requests) == 2
        assert server.connections == 1


@pytest.mark.trio
async def test_what_is_cancelled_already_is_not_sent() -> None:
    async with serving(keep_answering) as server, HTTPClient() as client:
        await client.get(server.url)
        with trio.CancelScope() as scope:
            scope.cancel()
            await client.get(server.url)
        assert scope.cancelled_caught
        await client.get(server.url)
    assert len(server.requests) == 2


@pytest.mark.trio
async def test_a_hundred_requests_at_once() -> None:
    async def echo(server: Server, stream: Stream) -> None:
        while (request := await server.read_request(stream)) is not None:
            body = request.split(b" ")[1]
            await trio.sleep(0.001)
            await stream.send_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )

    answers: set[tuple[int, str]] = set()
    async with serving(echo) as server:
        async with HTTPClient(limits=Limits(connections_per_origin=10)) as client:

            async def get(number: int) -> None:
                answers.add((number, (await client.get(f"{server.url}/{number}")).text))

            async with trio.open_nursery() as nursery:
                for number in range(100):
                    nursery.start_soon(get, number)
            assert counts(client) == (10, 10)
        assert server.connections == 10
    assert answers == {(number, f"/{number}") for number in range(100)}


async def cancel_after(steps: int, scope: trio.CancelScope) -> None:
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    scope.cancel()


@pytest.mark.trio
async def test_a_storm_of_cancellations_leaves_nothing_behind() -> None:
    async def slowly(server: Server, stream: Stream) -> None:
        while await server.read_request(stream) is not None:
            for byte in OK:
                await stream.send_all(bytes([byte]))
                await trio.lowlevel.checkpoint()

    done = 0
    async with serving(slowly) as server:
        async with HTTPClient(limits=Limits(connections_per_origin=5)) as client:

            async def post(steps: int | None) -> None:
                nonlocal done
                async with trio.open_nursery() as nursery:
                    if steps is not None:
                        nursery.start_soon(cancel_after, steps, nursery.cancel_scope)
                    response = await client.post(server.url, content=pieces_of(b"a", b"b"))
                    assert response.content == b"ok"
                    done += 1

            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(post, number if number % 10 else None)
            assert (await client.get(server.url)).content == b"ok"
            open_, idle = counts(client)
            assert 1 <= open_ == idle <= 5
            await trio.sleep(0.05)
            assert server.open_connections == open_
        await trio.sleep(0.05)
        assert server.open_connections == 0
    assert 20 <= done <= 200


@pytest.mark.trio
async def test_all_connections_may_be_in_use() -> None:
    async with serving(stay_silent) as server:
        limits = Limits(connections_per_origin=1)
        async with HTTPClient(limits=limits) as client, trio.open_nursery() as nursery:
            nursery.start_soon(client.get, server.url)
            await trio.sleep(0.02)
            with pytest.raises(PoolTimeout, match="are in use") as caught:
                await client.get(server.url, timeout=Timeout(pool=0.05))
            assert not caught.value.sent
            nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_nobody_listens() -> None:
    listener = trio.socket.socket()
    with listener:
        await listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        async with HTTPClient() as client:
            with pytest.raises(ConnectError, match=f"127.0.0.1:{port}") as caught:
                await client.get(f"http://127.0.0.1:{port}/?s3cret")
            assert not caught.value.sent
            assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_a_name_that_dns_cannot_hold() -> None:
    async with HTTPClient() as client:
        with pytest.raises(ConnectError) as caught:
            await client.get(f"http://{'a' * 70}.localhost/")
        assert not caught.value.sent
        with pytest.raises(LocalProtocolError):
            await client.get("http://")
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_connecting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_host: str, _port: int) -> trio.SocketStream:
        await trio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(trio, "open_tcp_stream", never)
    async with HTTPClient() as client:
        with pytest.raises(ConnectTimeout, match="no connection to http://a.example:80") as caught:
            await client.get("http://a.example", timeout=0.02)
        assert not caught.value.sent
        with pytest.raises(DeadlineExceeded) as exceeded:
            await client.get("http://a.example", deadline=0.02)
        assert not exceeded.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_an_ipv6_address() -> None:
    server = Server()

    async def serve(stream: trio.SocketStream) -> None:
        await keep_answering(server, stream)

    async with trio.open_nursery() as nursery:
        try:
            listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="::1"))
        except OSError:
            pytest.skip("this machine has no IPv6")
        port = listeners[0].socket.getsockname()[1]
        async with HTTPClient() as client:
            assert (await client.get(f"http://[::1]:{port}/")).content == b"ok"
        nursery.cancel_scope.cancel()
    assert fields(server.requests[0])["host"] == f"[::1]:{port}"


@pytest.mark.trio
async def test_a_closed_client_says_so() -> None:
    async with serving(keep_answering) as server:
        client = HTTPClient()
        await client.get(server.url)
        pool = pool_of(client)
        await client.aclose()
        await client.aclose()
        assert pool.connections == 0
        with pytest.raises(UnusableClientError, match="closed") as caught:
            await client.get(server.url)
        assert not caught.value.sent
        with pytest.raises(UnusableClientError, match="closed"):
            async with client:
                raise AssertionError
        unused = HTTPClient()
        await unused.aclose()


@pytest.mark.trio
async def test_closing_ends_requests_under_way() -> None:
    has_come = trio.Event()

    async def take(server: Server, stream: Stream) -> None:
        await server.read_request(stream)
        has_come.set()
        await stay_silent(server, stream)

    async def get(client: HTTPClient, url: str) -> None:
        with pytest.raises(ReadError):
            await client.get(url)

    async with (
        serving(take) as server,
        HTTPClient() as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(get, client, server.url)
        await has_come.wait()
        await client.aclose()


def test_a_client_may_be_used_in_one_run_after_another() -> None:
    client = HTTPClient()

    async def main() -> None:
        async with serving(keep_answering) as server:
            for _ in range(2):
                assert (await client.get(server.url)).content == b"ok"
            assert server.connections == 1
            # Left unread and unclosed: the next run clears it away.
            await client.send(Request(method="GET", url=server.url), stream=True)

    async def close() -> None:
        await client.aclose()

    trio.run(main)
    trio.run(main)
    trio.run(close)
    assert pool_of(client).connections == 0


def test_two_runs_at_the_same_time_are_an_error() -> None:
    client = HTTPClient()
    errors: list[str] = []

    async def intrude() -> None:
        for attempt in (client.aclose, lambda: client.get("http://127.0.0.1:1/")):
            with pytest.raises(UnusableClientError) as caught:
                await attempt()
            errors.append(str(caught.value))

    async def main() -> None:
        async with serving(keep_answering) as server, client:
            await client.get(server.url)
            await trio.to_thread.run_sync(trio.run, intrude)
            assert (await client.get(server.url)).content == b"ok"

    trio.run(main)
    assert errors == ["the client is at work in another run of trio: make one for each"] * 2


def test_without_trio_the_client_says_so() -> None:
    async def main() -> None:
        with pytest.raises(UnusableClientError, match="needs trio"):
            await HTTPClient().get("http://127.0.0.1:1/")

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_leaves_its_parents_connections_alone() -> None:
    client = HTTPClient()

    def in_child(url: str) -> int:
        async def get() -> None:
            assert (await client.get(url)).content == b"ok"

        thread = threading.Thread(target=trio.run, args=(get,))
        thread.start()
        thread.join(10)
        return 0 if pool_of(client).connections == 1 else 1

    async def main() -> None:
        async with serving(keep_answering) as server, client:
            await client.get(server.url)
            child = os.fork()
            if not child:
                code = 2
                try:
                    code = in_child(server.url)
                finally:
                    os._exit(code)
            _, status = await trio.to_thread.run_sync(os.waitpid, child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            assert (await client.get(server.url)).content == b"ok"
            assert server.connections == 2

    trio.run(main)


def test_after_a_fork_the_parents_connections_are_only_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same within one process, where all of it can be looked at."""

    async def main() -> None:
        async with serving(keep_answering) as server, HTTPClient() as client:
            await client.get(server.url)
            before = pool_of(client)
            monkeypatch.setattr(os, "getpid", lambda: -1)
            await client.get(server.url)
            assert pool_of(client) is not before
            assert before.connections == 0
            assert counts(client) == (1, 1)

    trio.run(main)


def test_after_a_fork_a_lock_that_the_parent_holds_stops_nobody() -> None:
    async def main() -> None:
        async with serving(keep_answering) as server, HTTPClient() as client:
            with client._binding:
                client.after_fork()
                assert (await client.get(server.url)).content == b"ok"

    trio.run(main)


def test_misuse_of_the_constructor() -> None:
    for verify in (None, 0, "", "/etc/ssl"):
        with pytest.raises(TypeError, match="verify"):
            HTTPClient(verify=verify)  # type: ignore[arg-type] # that is the misuse
    with pytest.raises(ValueError, match="deadline"):
        HTTPClient(deadline=0)
    with pytest.raises(TypeError, match="pickled"):
        copy.copy(HTTPClient())


def test_the_clients_headers_are_replaced_by_name() -> None:
    client = HTTPClient(headers={"user-agent": "mine"})
    assert client.headers["User-Agent"] == "mine"
    assert isinstance(client.headers, Headers)
