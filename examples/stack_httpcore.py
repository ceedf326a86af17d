"""Your stack in five lines: httpcore.

Run it: python examples/stack_httpcore.py
"""

from __future__ import annotations

import time
from typing import TypeVar

import httpcore

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

POOL = httpcore.ConnectionPool(keepalive_expiry=0)
TIMEOUT = {"timeout": {"connect": 10, "read": 30, "write": 30, "pool": 30}}


def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
    """Send a request as it stands, and say what came of it."""
    body = bytearray()
    try:
        with POOL.stream(
            request.method,
            request.url,
            headers=[("Accept-Encoding", "identity"), *request.headers],
            content=request.body or None,
            extensions=TIMEOUT,
        ) as answer:
            for chunk in answer.iter_stream():
                body += chunk
                if len(body) > MAXIMUM_BODY:
                    break
    except httpcore.ConnectError as error:
        return RequestFailed(error, sent=False)
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        return RequestFailed(error)
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers
    )
    return ResponseReceived(status=answer.status, headers=headers, body=bytes(body))


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
