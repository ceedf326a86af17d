"""Get a token for a user: authorization code with PKCE, and use it.

Run it: python examples/dropin_authorization_code.py
"""

from __future__ import annotations

import time

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_requests import OAuth2Session

REDIRECT_URI = "http://127.0.0.1/callback"


def example(server: AuthorizationServer) -> None:
    with OAuth2Session(
        "app",
        "secret",
        scope="read",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint=server.url(Endpoint.TOKEN),
    ) as session:
        # Redirect the browser to url. This server has a user of its own, who says yes at once.
        url, _state = session.create_authorization_url(server.url(Endpoint.AUTHORIZATION))
        callback = server.visit(url)

        # The state is checked before anything is sent.
        token = session.fetch_token(authorization_response=callback)
        print("token:", token)
        print("the API knows:", session.get(f"{server.issuer}/api/me").json()["subject"])


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
