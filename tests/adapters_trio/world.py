"""Servers that say exactly what a test wants, and no more."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import trio

from oauth2_sansio_trio import HTTPClient
from oauth2_sansio_trio.pool import Pool

Stream: TypeAlias = trio.SocketStream | trio.SSLStream[trio.SocketStream]
Handler: TypeAlias = Callable[["Server", Stream], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Server:
    """What a server of the tests has seen.

    requests: each as it came over the wire.
    """

    url: str = ""
    connections: int = 0
    open_connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    async def read_request(self, stream: Stream) -> bytes | None:
        """Read one request, whole; None where the client hangs up instead."""
        received = b""
        while b"\r\n\r\n" not in received:
            more = await stream.receive_some()
            if not more:
                return None
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        chunked = b"transfer-encoding" in fields
        while len(body) < length or (chunked and not body.endswith(b"0\r\n\r\n")):
            more = await stream.receive_some()
            if not more:
                return None
            body += more
        request = head + b"\r\n\r\n" + bytes(body)
        self.requests.append(request)
        return request


def answering(*answers: bytes) -> Handler:
    """Return a handler: each connection gets these answers, one for each request, and is closed."""

    async def handle(server: Server, stream: Stream) -> None:
        for answer in answers:
            if await server.read_request(stream) is None:
                return
            await stream.send_all(answer)

    return handle


async def keep_answering(server: Server, stream: Stream) -> None:
    """Answer whatever comes with OK."""
    while await server.read_request(stream) is not None:
        await stream.send_all(OK)


async def stay_silent(_server: Server, stream: Stream) -> None:
    """Read, and say nothing."""
    while await stream.receive_some():
        pass


@asynccontextmanager
async def serving(
    handler: Handler, *, ssl_context: ssl.SSLContext | None = None
) -> AsyncGenerator[Server, None]:
    """Serve on a free port of this machine until the block ends."""
    server = Server()

    async def serve(stream: trio.SocketStream) -> None:
        server.connections += 1
        server.open_connections += 1
        ours: Stream = stream
        if ssl_context is not None:
            ours = trio.SSLStream(stream, ssl_context, server_side=True, https_compatible=True)
        try:
            with suppress(trio.BrokenResourceError):  # the client has hung up
                await handler(server, ours)
        finally:
            server.open_connections -= 1
            stream.socket.close()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        server.url = f"{'http' if ssl_context is None else 'https'}://127.0.0.1:{port}"
        try:
            yield server
        finally:
            nursery.cancel_scope.cancel()


def pool_of(client: HTTPClient) -> Pool:
    """Return a client's pool."""
    pool = client._pool
    assert pool is not None
    return pool


def counts(client: HTTPClient) -> tuple[int, int]:
    """Return how many connections a client has open, and how many of them are idle."""
    pool = pool_of(client)
    assert pool._taken == sum(pool._places.values()) == len(pool._open)
    assert not pool._waiters
    return pool.connections, pool.idle_connections
