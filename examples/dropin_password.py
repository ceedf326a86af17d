"""Trade a user's name and password for a token.

A legacy way: RFC 9700 section 2.4 forbids it, since the client gets to know the password. Use it only
where an old server leaves no choice.

Run it: python examples/dropin_password.py
"""

from __future__ import annotations

import time

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_requests import OAuth2Session, OAuthError


def example(server: AuthorizationServer) -> None:
    with OAuth2Session("app", "secret", token_endpoint=server.url(Endpoint.TOKEN)) as session:
        print("token:", session.fetch_token(username="alice", password="wonderland"))

        try:
            session.fetch_token(username="alice", password="looking glass")
        except OAuthError as error:
            print("a wrong password:", error)


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server."""
    app = RegisteredClient(client_id="app", client_secret="secret", grant_types=("password",))
    return AuthorizationServer(
        issuer=issuer,
        clients=[app],
        now=time.time,
        settings=ServerSettings(passwords={"alice": "wonderland"}),
    )


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
