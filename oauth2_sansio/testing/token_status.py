"""Revocation and introspection: what becomes of a token, and what it is worth."""

from __future__ import annotations

from oauth2_sansio.events import Endpoint, ResponseReceived

from .client_authentication import authenticate_client
from .configuration import ClientAuthMethod
from .ledger import IssuedToken, TokenKind
from .messages import NO_STORE, IncomingRequest, Refusal, json_answer
from .signed_answers import signed_answer
from .state import ServerState
from .token_endpoint import posted_parameters

_SIGNED = "application/token-introspection+jwt"


def answer_revocation(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Revoke a token (RFC 7009 section 2)."""
    parameters = posted_parameters(request)
    client = authenticate_client(state, request, parameters)
    token = state.ledger.token(parameters.require("token"))
    if token is not None:
        if token.family.client_id != client.client_id:
            raise Refusal("invalid_grant", "The token was issued to another client.")
        _revoke(state, token)
    return ResponseReceived(status=200, headers=NO_STORE)


def answer_introspection(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Say what a token is worth (RFC 7662 section 2), signed where that is wanted (RFC 9701).

    A public client learns of its own tokens alone.
    """
    parameters = posted_parameters(request)
    client = authenticate_client(state, request, parameters)
    token = state.ledger.token(parameters.require("token"))
    if token is None or not state.ledger.is_active(token, state.now()):
        members: dict[str, object] = {"active": False}
    elif (
        ClientAuthMethod.NONE in client.auth_methods and token.family.client_id != client.client_id
    ):
        members = {"active": False}
    else:
        members = _description(state, token)
    registered = client.introspection_signed_response_alg
    if registered is None and _SIGNED not in (request.header("Accept") or ""):
        return json_answer(members)
    jwt = signed_answer(
        state,
        request,
        Endpoint.INTROSPECTION,
        client,
        registered,
        {"token_introspection": members},
        _SIGNED.removeprefix("application/"),
    )
    if jwt is None:
        return json_answer(members)
    headers = (("Content-Type", _SIGNED), *NO_STORE)
    return ResponseReceived(status=200, headers=headers, body=jwt.encode("ascii"))


def _revoke(state: ServerState, token: IssuedToken) -> None:
    if token.kind is TokenKind.REFRESH or state.settings.revoke_family_with_access_token:
        token.family.revoked = True
    else:
        state.ledger.revoke(token)


def _description(state: ServerState, token: IssuedToken) -> dict[str, object]:
    members: dict[str, object] = {
        "active": True,
        "iss": state.issuer,
        "client_id": token.family.client_id,
        "scope": token.scope,
        "iat": int(token.issued_at),
        "exp": int(token.expires_at),
    }
    if token.kind is TokenKind.ACCESS:
        key = state.ledger.key_of(token.value)
        members["token_type"] = "Bearer" if key is None else "DPoP"
        certificate = state.ledger.certificate_of(token.value)
        confirmed = {"jkt": key, "x5t#S256": certificate}
        if key or certificate:
            members["cnf"] = {name: value for name, value in confirmed.items() if value}
    if token.family.subject is not None:
        members["sub"] = members["username"] = token.family.subject
    if token.family.actor is not None:
        members["act"] = {"sub": token.family.actor}
    if token.authorization_details:
        members["authorization_details"] = list(token.authorization_details)
    if token.family.acr is not None:
        members["acr"] = token.family.acr
    if token.family.auth_time is not None:
        members["auth_time"] = int(token.family.auth_time)
    if token.resources or token.audiences:
        members["aud"] = [*token.resources, *token.audiences]
    return members
