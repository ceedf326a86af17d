"""Find out where a server is by its issuer, and build a session for it.

Run it: python examples/dropin_discovery.py
"""

from __future__ import annotations

import time

from oauth2_sansio import Server
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_requests import OAuth2Session


def example(server: AuthorizationServer) -> None:
    with OAuth2Session() as anybody:
        found = anybody.run(Server.discover(server.issuer))
    print("token endpoint:", found.token_endpoint)

    # With server= the session has all endpoints, and checks that callbacks name this issuer.
    with OAuth2Session("app", "secret", server=found, scope="read") as session:
        print("token:", session.fetch_token())


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
