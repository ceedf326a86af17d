"""Get a token that is bound to a key, and use it (DPoP, RFC 9449).

It takes the extra `jose`. Run it: python examples/bound_token.py
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TypeVar
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from oauth2_sansio import (
    Client,
    DPoP,
    Flow,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Server,
    drive,
    new_private_key,
)
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings
from oauth2_sansio.testing.loopback import serve

T = TypeVar("T")


def example(server: AuthorizationServer) -> None:
    key = new_private_key()  # keep it as the secret that it is, as long as the refresh token
    dpop = DPoP(key)
    client = Client(
        server=run(Server.discover(server.issuer)),
        client_id="app",
        client_secret="secret",
        dpop=dpop,
    )
    token = run(client.client_credentials(scope="read"))
    print("type:", token["token_type"])

    url = f"{server.issuer}/api/items"
    print("the API says:", ask(dpop, url, token["access_token"]))
    print("to a thief, with another key:", ask(DPoP(new_private_key()), url, token["access_token"]))


def ask(dpop: DPoP, url: str, access_token: str, *, again: bool = True) -> int:
    """Send a request with a new proof, and once more where the server wants a nonce in it."""
    request = dpop.bind("GET", url, access_token, time.time())
    assert isinstance(request, RequestToSend)  # the key is here, and has signed
    response = send(request)
    assert isinstance(response, ResponseReceived)  # a server that is away needs more than this
    if dpop.learn(request, response) and again:
        return ask(dpop, url, access_token, again=False)
    return response.status


# The driver: this is all that stands between a flow and the network.

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


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server, which wants a nonce of its own in each proof."""
    app = RegisteredClient(
        client_id="app", client_secret="secret", grant_types=("client_credentials",), scope="read"
    )
    return AuthorizationServer(
        issuer=issuer,
        clients=[app],
        now=time.time,
        settings=ServerSettings(require_dpop_nonce=True),
    )


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
