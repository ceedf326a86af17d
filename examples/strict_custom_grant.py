"""Get a token by a grant that no RFC knows (RFC 6749 section 4.5).

Run it: python examples/strict_custom_grant.py
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TypeVar
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from oauth2_sansio import (
    Client,
    Endpoint,
    Finished,
    Flow,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Server,
)
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.testing import (
    GRANTS,
    AuthorizationServer,
    Parameters,
    Refusal,
    RegisteredClient,
    ServerState,
    TokenFamily,
    TokenKind,
    token_answer,
)
from oauth2_sansio.testing.loopback import serve

T = TypeVar("T")

BADGE = "urn:example:params:oauth:grant-type:badge"


def example(server: AuthorizationServer) -> None:
    client = Client(
        server=Server(token_endpoint=server.url(Endpoint.TOKEN)),
        client_id="app",
        client_secret="secret",
    )
    token = run(client.request_token(BADGE, parameters={"badge": "1234"}))
    print("token:", token)
    print("scope:", token.scope)


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


def grant_for_badge(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give a token to whoever has the badge."""
    if parameters.require("badge") != "1234":
        raise Refusal("invalid_grant", "Nobody has this badge.")
    family = TokenFamily(client_id=client.client_id, subject="alice", scope="doors")
    return token_answer(state.issue(TokenKind.ACCESS, family), None)


def build(issuer: str) -> AuthorizationServer:
    """Make the server."""
    app = RegisteredClient(client_id="app", client_secret="secret", grant_types=(BADGE,))
    return AuthorizationServer(
        issuer=issuer, clients=[app], now=time.time, grants={**GRANTS, BADGE: grant_for_badge}
    )


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
