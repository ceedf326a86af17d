"""Your stack in five lines: urllib.

Run it: python examples/stack_urllib.py
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TypeVar
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

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

# Put together by hand, it follows no redirect, raises nothing for a 4xx or 5xx, and knows no proxy.
OPENER = OpenerDirector()
OPENER.add_handler(HTTPHandler())
OPENER.add_handler(HTTPSHandler())


def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
    """Send a request as it stands, and say what came of it."""
    outgoing = Request(
        request.url, request.body or None, dict(request.headers), method=request.method
    )
    try:
        with OPENER.open(outgoing, timeout=30) as answer:
            body = answer.read(MAXIMUM_BODY + 1)
    except (OSError, HTTPException) as error:
        return RequestFailed(error)
    return ResponseReceived(status=answer.status, headers=tuple(answer.getheaders()), body=body)


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
