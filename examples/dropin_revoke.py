"""Tell a server that a token is not needed any more.

Run it: python examples/dropin_revoke.py
"""

from __future__ import annotations

import time

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_requests import OAuth2Session


def example(server: AuthorizationServer) -> None:
    with OAuth2Session("app", "secret", token_endpoint=server.url(Endpoint.TOKEN)) as session:
        session.fetch_token()

        answer = session.revoke_token(server.url(Endpoint.REVOCATION))
        print("revoked:", answer.status_code)
        print("the session's token:", session.token)


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
