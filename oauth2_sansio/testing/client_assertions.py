"""Client authentication by a signed JWT (RFC 7523 section 2.2)."""

from __future__ import annotations

from functools import partial

from oauth2_sansio.client_assertion import CLIENT_ASSERTION_TYPE

from .configuration import ClientAuthMethod, RegisteredClient
from .credentials import Credentials
from .jwt_assertions import UnverifiedJWT, check_claims, read_jwt, refusing
from .messages import IncomingRequest, Parameters, invalid_client
from .state import ServerState
from .verification_keys import secret_key

_TYPES = ("jwt", "client-authentication+jwt")


def read_client_assertion(
    state: ServerState, _request: IncomingRequest, parameters: Parameters
) -> Credentials | None:
    """Find a client assertion in a request: `client_secret_jwt`, or `private_key_jwt`.

    Raises `Refusal` for one that is malformed, or of another type.
    """
    assertion = parameters.get("client_assertion")
    if assertion is None:
        return None
    if parameters.require("client_assertion_type") != CLIENT_ASSERTION_TYPE:
        raise invalid_client("The client_assertion_type is not supported.")
    with refusing(invalid_client):
        jwt = read_jwt(assertion, _TYPES)
        if not jwt.subject or jwt.issuer != jwt.subject:
            raise ValueError("Its iss and sub are not both the client_id.")
    if jwt.algorithm.startswith("HS"):
        method = ClientAuthMethod.CLIENT_SECRET_JWT
    else:
        method = ClientAuthMethod.PRIVATE_KEY_JWT
    return Credentials(method, jwt.subject, partial(_prove, state, jwt, method))


def _prove(
    state: ServerState, jwt: UnverifiedJWT, method: ClientAuthMethod, client: RegisteredClient
) -> None:
    keys = client.verification_keys
    if method is ClientAuthMethod.CLIENT_SECRET_JWT:
        # Never a public key: who knows it could sign with it as a secret.
        keys = (secret_key(client.client_secret),) if client.client_secret else ()
    with refusing(invalid_client):
        if client.token_endpoint_auth_signing_alg not in (None, jwt.algorithm):
            raise ValueError("It is not signed by the algorithm that the client has registered.")
        if not jwt.is_signed_by(keys):
            raise ValueError("Its signature is not right.")
        check_claims(state, jwt, jti_required=True)
