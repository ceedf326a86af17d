"""Your stack in five lines: urllib3.

Run it: python examples/stack_urllib3.py
"""

from __future__ import annotations

import time
from typing import TypeVar

import urllib3

from oauth2_sansio import (
    Client,
    Flow,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Server,
    drive,
)
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve

T = TypeVar("T")

POOL = urllib3.PoolManager(retries=False)  # which follows no redirect either


def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
    """Send a request as it stands, and say what came of it."""
    headers = {"Accept-Encoding": "identity", **dict(request.headers)}
    try:
        with POOL.request(
            request.method,
            request.url,
            body=request.body or None,
            headers=headers,
            timeout=30,
            preload_content=False,
        ) as answer:
            body = answer.read(MAXIMUM_BODY + 1, decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        return RequestFailed(error)
    return ResponseReceived(status=answer.status, headers=tuple(answer.headers.items()), body=body)


def run(flow: Flow[T]) -> T:
    """Drive a flow to its end, and return its result."""
    return drive(flow, send, time.sleep, time.time)


def example(server: AuthorizationServer) -> None:
    client = Client(
        server=run(Server.discover(server.issuer)), client_id="app", client_secret="secret"
    )
    token = run(client.client_credentials(scope="read"))
    print("token:", token)
    print("active:", run(client.introspect(token)).active)


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server."""
    app = RegisteredClient(
        client_id="app", client_secret="secret", grant_types=("client_credentials",), scope="read"
    )
    return AuthorizationServer(issuer=issuer, clients=[app], now=time.time)


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
