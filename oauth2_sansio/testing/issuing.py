"""From a grant that is right to the answer with its tokens."""

from __future__ import annotations

from oauth2_sansio.events import ResponseReceived

from .authorization_details import asked_details
from .configuration import RegisteredClient
from .ledger import IssuedToken, TokenFamily, TokenKind
from .messages import Parameters, json_answer
from .state import ServerState, granted_scope


def token_answer(access: IssuedToken, refresh: IssuedToken | None) -> ResponseReceived:
    """Return the answer that hands out tokens (RFC 6749 section 5.1)."""
    members: dict[str, object] = {
        "access_token": access.value,
        "token_type": "Bearer",
        "expires_in": int(access.expires_at - access.issued_at),
    }
    if access.scope:
        members["scope"] = access.scope
    if access.authorization_details:
        members["authorization_details"] = list(access.authorization_details)
    if refresh is not None:
        members["refresh_token"] = refresh.value
    return json_answer(members)


def new_family(
    client: RegisteredClient, parameters: Parameters, *, subject: str | None
) -> TokenFamily:
    """Return a family of tokens for what a request asks for.

    subject: the user; `None` where the client acts for itself.
    Raises `Refusal` if it asks for a scope that it may not have, or for what cannot be read.
    """
    return TokenFamily(
        client_id=client.client_id,
        subject=subject,
        scope=granted_scope(parameters.get("scope"), client.scope),
        resources=parameters.get_all("resource"),
        audiences=parameters.get_all("audience"),
        authorization_details=asked_details(parameters),
    )


def refresh_token(
    state: ServerState, client: RegisteredClient, family: TokenFamily
) -> IssuedToken | None:
    """Issue a refresh token to a client that may have one."""
    if "refresh_token" not in client.grant_types:
        return None
    return state.issue(TokenKind.REFRESH, family)
