"""Get a token by a grant that no RFC knows.

Run it: python examples/dropin_custom_grant.py
"""

from __future__ import annotations

import time

from oauth2_sansio import Endpoint, ResponseReceived
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
from oauth2_sansio_requests import OAuth2Session

BADGE = "urn:example:params:oauth:grant-type:badge"


def example(server: AuthorizationServer) -> None:
    with OAuth2Session("app", "secret", token_endpoint=server.url(Endpoint.TOKEN)) as session:
        token = session.fetch_token(grant_type=BADGE, badge="1234")
        print("token:", token)
        print("scope:", token.scope)


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
