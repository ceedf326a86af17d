"""A server where a password gives a user a login: the shortest way to a refresh token that rotates."""

from __future__ import annotations

from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings


def password_server(issuer: str) -> AuthorizationServer:
    """Return one that knows the client `app`, without a secret, and the user `alice`."""
    return AuthorizationServer(
        issuer=issuer,
        clients=[RegisteredClient(client_id="app", grant_types=("password", "refresh_token"))],
        settings=ServerSettings(passwords={"alice": "secret"}),
    )
