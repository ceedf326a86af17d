"""Get a new token when the old one has expired (RFC 6749 section 6).

Run it: python examples/strict_refresh.py
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TypeVar
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from oauth2_sansio import (
    Client,
    ErrorResponse,
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
    client = Client(
        server=run(Server.discover(server.issuer)), client_id="app", client_secret="secret"
    )
    pending = run(client.authorize(redirect_uri=REDIRECT_URI))
    token = run(client.redeem(pending, server.visit(pending.url)))

    in_an_hour = time.time() + 3600
    print("expired in an hour:", token.is_expired(now=in_an_hour))

    renewed = run(client.refresh(token))  # save it at once: the old one is used up
    print("the refresh token was rotated:", renewed.refresh_token != token.refresh_token)

    # Who sends the old one again is taken for a thief, and everybody is logged out.
    try:
        run(client.refresh(token))
    except ErrorResponse as error:
        print("sent again:", error.error)


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
        client_id="app", client_secret="secret", redirect_uris=(REDIRECT_URI,), scope="read"
    )
    return AuthorizationServer(issuer=issuer, clients=[app], now=time.time)


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
