"""Your stack in five lines: aiohttp.

Run it: python examples/stack_aiohttp.py
"""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

import aiohttp
from yarl import URL

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


async def run(flow: Flow[T]) -> T:
    """Drive a flow to its end, and return its result."""
    async with aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=30),  # a deadline for everything together
    ) as session:

        async def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
            body = bytearray()
            try:
                async with session.request(
                    request.method,
                    URL(request.url, encoded=True),
                    data=request.body or None,
                    headers=[("Accept-Encoding", "identity"), *request.headers],
                    allow_redirects=False,
                ) as answer:
                    async for chunk in answer.content.iter_chunked(65_536):
                        body += chunk
                        if len(body) > MAXIMUM_BODY:
                            break
            except aiohttp.ClientConnectorError as error:
                return RequestFailed(error, sent=False)
            except (aiohttp.ClientError, OSError) as error:
                return RequestFailed(error)
            headers = tuple(answer.headers.items())
            return ResponseReceived(status=answer.status, headers=headers, body=bytes(body))

        return await drive_async(flow, send, asyncio.sleep, time.time)


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
