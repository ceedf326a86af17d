"""Reading authorization requests that are signed (RFC 9101)."""

from __future__ import annotations

import json
from typing import cast

from .configuration import RegisteredClient
from .jwt_assertions import check_claims, read_jwt, refusing
from .messages import Parameters, Refusal
from .state import ServerState

_OF_THE_JWT = frozenset({"iss", "aud", "iat", "nbf", "exp", "jti"})


def signed_parameters(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> Parameters:
    """Return the parameters in a signed request, and no others; without one, those that came.

    Raises `Refusal` for one that does not count, and where the server requires one.
    """
    request = parameters.get("request")
    if request is None:
        if state.settings.require_signed_request_object:
            raise _invalid("The request has to be signed.")
        return parameters
    with refusing(_invalid):
        jwt = read_jwt(request, ("oauth-authz-req+jwt",))
        if jwt.algorithm.startswith("HS") or not jwt.is_signed_by(client.verification_keys):
            raise ValueError("Its signature is not right.")
        if jwt.issuer != client.client_id or jwt.claims.get("client_id") != client.client_id:
            raise ValueError("It was made by another client.")
        if "request" in jwt.claims or "request_uri" in jwt.claims:
            raise ValueError("It holds another request.")
        check_claims(state, jwt, jti_required=False)
    return Parameters(
        tuple(
            (name, text)
            for name, value in jwt.claims.items()
            if name not in _OF_THE_JWT
            for text in _texts(name, value)
        )
    )


def _texts(name: str, value: object) -> list[str]:
    # The opposite of what a client does where it signs them.
    several = (
        cast("list[object]", value) if name == "resource" and isinstance(value, list) else [value]
    )
    return [each if isinstance(each, str) else json.dumps(each) for each in several]


def _invalid(description: str) -> Refusal:
    return Refusal("invalid_request_object", description)
