"""Take a token out of a callback's fragment.

A legacy way: RFC 9700 section 2.1.2 advises against it, since tokens in URLs leak. Use authorization
code with PKCE wherever the server can.

Run it: python examples/dropin_implicit.py
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
        "app", scope="read", redirect_uri=REDIRECT_URI, response_type="token"
    ) as session:
        url, _state = session.create_authorization_url(server.url(Endpoint.AUTHORIZATION))
        callback = server.visit(url)  # the browser comes back with #access_token=...
        print("token:", session.token_from_fragment(callback))
        print("the API says:", session.get(f"{server.issuer}/api/items").status_code)


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server."""
    app = RegisteredClient(
        client_id="app", redirect_uris=(REDIRECT_URI,), grant_types=("implicit",), scope="read"
    )
    return AuthorizationServer(issuer=issuer, clients=[app], now=time.time)


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
