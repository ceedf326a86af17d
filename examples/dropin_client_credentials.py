"""Get a token for the client itself, and use it.

Run it: python examples/dropin_client_credentials.py
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
        print("token:", session.fetch_token())

        # From now on each request carries the token. It is renewed when it expires.
        print("the API says:", session.get(f"{server.issuer}/api/items").status_code)


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
