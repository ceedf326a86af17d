"""Let a session renew its token, and save what it gets.

Run it: python examples/dropin_refresh.py
"""

from __future__ import annotations

import time
from typing import Any

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_requests import OAuth2Session

REDIRECT_URI = "http://127.0.0.1/callback"


def example(server: AuthorizationServer) -> None:
    with OAuth2Session(
        "app",
        "secret",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint=server.url(Endpoint.TOKEN),
        update_token=save,
    ) as session:
        url, _state = session.create_authorization_url(server.url(Endpoint.AUTHORIZATION))
        session.fetch_token(authorization_response=server.visit(url))

        # By hand:
        session.refresh_token()

        # By itself, when the token has expired; whichever thread comes first does it for all.
        session.token = {**(session.token or {}), "expires_at": time.time() - 1}
        print("the API says:", session.get(f"{server.issuer}/api/items").status_code)


def save(token: dict[str, Any], **replaced: str) -> None:
    """Store a token instead of the one that had this refresh token, or else this access token."""
    print("saved:", token, "instead of the one with this:", *replaced)


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
