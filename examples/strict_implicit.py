"""Take a token out of a callback's fragment (RFC 6749 section 4.2).

A legacy way: RFC 9700 section 2.1.2 advises against it, since tokens in URLs leak. Use authorization
code with PKCE wherever the server can.

Run it: python examples/strict_implicit.py
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TypeVar
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from oauth2_sansio import (
    Client,
    Finished,
    Flow,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Server,
)
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve

T = TypeVar("T")

REDIRECT_URI = "http://127.0.0.1/callback"


def example(server: AuthorizationServer) -> None:
    client = Client(server=run(Server.discover(server.issuer)), client_id="app")
    pending = run(client.implicit(redirect_uri=REDIRECT_URI, scope="read"))
    callback = server.visit(pending.url)  # the browser comes back with #access_token=...
    print("token:", run(client.redeem_implicit(pending, callback)))  # sends nothing


# The driver: this is all that stands between a flow and the network.


def run(flow: Flow[T]) -> T:
    """Do what the flow says, and tell it what happened, until it is finished."""
    action = flow.start(time.time())
    while not isinstance(action, Finished):
        assert isinstance(action, RequestToSend)  # what is done here neither waits nor signs
        action = flow.receive(send(action), time.time())
    return action.result


def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
    """Send a request as it stands, and say what came of it."""
    outgoing = Request(
        request.url, request.body or None, dict(request.headers), method=request.method
    )
    try:
        with OPENER.open(outgoing, timeout=30) as answer:
            headers = tuple(answer.getheaders())
            return ResponseReceived(
                status=answer.status, headers=headers, body=answer.read(MAXIMUM_BODY + 1)
            )
    except (OSError, HTTPException) as error:
        return RequestFailed(error)


# Put together by hand, it follows no redirect and raises nothing for a 4xx or 5xx.
OPENER = OpenerDirector()
OPENER.add_handler(HTTPHandler())
OPENER.add_handler(HTTPSHandler())


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server."""
    app = RegisteredClient(
        client_id="app", redirect_uris=(REDIRECT_URI,), grant_types=("implicit",), scope="read"
    )
    return AuthorizationServer(issuer=issuer, clients=[app], now=time.time)


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
