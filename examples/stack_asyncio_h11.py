"""Your stack in a few lines more: asyncio streams with h11.

Run it: python examples/stack_asyncio_h11.py
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import h11

from oauth2_sansio import (
    Client,
    Flow,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Server,
    drive_async,
)
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve

T = TypeVar("T")

CONTEXT = ssl.create_default_context()


async def run(flow: Flow[T]) -> T:
    """Drive a flow to its end, and return its result."""
    return await drive_async(flow, send, asyncio.sleep, time.time)


async def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
    """Send a request as it stands, and say what came of it."""
    try:
        async with asyncio.timeout(30):  # a deadline for everything together
            return await exchange(request)
    except (OSError, h11.RemoteProtocolError) as error:
        return RequestFailed(error, sent=not isinstance(error, ConnectionRefusedError))


async def exchange(request: RequestToSend) -> ResponseReceived:
    """Open a connection, send a request over it, and read the answer."""
    url = urlsplit(request.url)
    is_tls = url.scheme == "https"
    reader, writer = await asyncio.open_connection(
        url.hostname, url.port or (443 if is_tls else 80), ssl=CONTEXT if is_tls else None
    )
    try:
        connection = h11.Connection(h11.CLIENT)
        for part in outgoing(request, url):
            writer.write(connection.send(part) or b"")
        response: h11.Response | None = None
        body = bytearray()
        while len(body) <= MAXIMUM_BODY:
            event = connection.next_event()
            match event:
                case h11.NEED_DATA:
                    connection.receive_data(await reader.read(65_536))
                case h11.Response():
                    response = event
                case h11.Data(data=data):
                    body += data
                case h11.EndOfMessage():
                    break
        assert response is not None  # h11 gives it before the body
        return ResponseReceived(
            status=response.status_code,
            headers=tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in response.headers.raw_items()
            ),
            body=bytes(body),
        )
    finally:
        writer.transport.abort()  # of an answer that is too long, nothing more is read


def outgoing(request: RequestToSend, url: SplitResult) -> Iterator[h11.Event]:
    """Return the request as h11 takes it: with what frames it."""
    framing = [("Host", url.netloc), ("Connection", "close"), ("Accept-Encoding", "identity")]
    if request.body:
        framing.append(("Content-Length", str(len(request.body))))
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    yield h11.Request(method=request.method, target=target, headers=[*framing, *request.headers])
    if request.body:
        yield h11.Data(data=request.body)
    yield h11.EndOfMessage()


async def example(server: AuthorizationServer) -> None:
    found = await run(Server.discover(server.issuer))
    client = Client(server=found, client_id="app", client_secret="secret")
    token = await run(client.client_credentials(scope="read"))
    print("token:", token)
    print("active:", (await run(client.introspect(token))).active)


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server."""
    app = RegisteredClient(
        client_id="app", client_secret="secret", grant_types=("client_credentials",), scope="read"
    )
    return AuthorizationServer(issuer=issuer, clients=[app], now=time.time)


if __name__ == "__main__":
    with serve(build) as running:
        asyncio.run(example(running))
