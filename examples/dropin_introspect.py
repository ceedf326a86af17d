"""Ask a server what it knows of a token.

Run it: python examples/dropin_introspect.py
"""

from __future__ import annotations

import time

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_requests import OAuth2Session


def example(server: AuthorizationServer) -> None:
    with OAuth2Session(
        "app", "secret", scope="read", token_endpoint=server.url(Endpoint.TOKEN)
    ) as session:
        session.fetch_token()

        # The answer is the response of requests.
        known = session.introspect_token(server.url(Endpoint.INTROSPECTION)).json()
        print("active:", known["active"])
        print("scope:", known["scope"])


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
