"""What the server signs (JARM, RFC 9701), and the keys that it publishes for that (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauth2_sansio.events import Endpoint, ResponseReceived
from oauth2_sansio.jwt_algorithms import ALGORITHMS
from oauth2_sansio.jwt_signing import SigningKey, read_private_key, read_secret

from .configuration import RegisteredClient
from .forging import UnsignedJWT
from .messages import IncomingRequest, Refusal, json_answer, require_method
from .state import ServerState

_KEY_ID = "of-today"


def answer_keys(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Publish the public half of the key that the server signs with, if it has one."""
    require_method(request, "GET", "HEAD")
    signer = state.settings.signer
    if signer is None:
        raise Refusal("not_found", "This server signs nothing.", status=404)
    return json_answer({"keys": [_public_jwk(signer)]})


def signing_algorithms(state: ServerState) -> list[str]:
    """Return what the server may sign with: all that its key is for."""
    signer = state.settings.signer
    if signer is None:
        return []
    kind = ALGORITHMS[signer.algorithm].kind
    return [name for name, needed in ALGORITHMS.items() if needed.kind == kind]


def find_signer(state: ServerState, client: RegisteredClient, algorithm: str | None) -> SigningKey:
    """Return what signs for a client with an algorithm; raise `Refusal` where nothing does."""
    settings = state.settings
    key: object = settings.signer
    if algorithm is not None and ALGORITHMS[algorithm].kind == "oct":
        key = read_secret(client.client_secret or "", algorithm)
    elif settings.signing_key is not None and algorithm is not None:
        key = read_private_key(settings.signing_key, algorithm)
    if not isinstance(key, SigningKey):
        raise Refusal("invalid_request", "This server signs nothing.")
    return key


def signed_answer(
    state: ServerState,
    request: IncomingRequest,
    endpoint: Endpoint,
    client: RegisteredClient,
    algorithm: str | None,
    claims: Mapping[str, Any],
    typ: str = "JWT",
) -> str | None:
    """Return claims as a JWT for a client; `None` where a misbehaviour wants none.

    algorithm: the one that the client is registered with; else the one of the server's key.
    Raises `Refusal` where there is no key for it.
    """
    signer = find_signer(state, client, algorithm)
    header = {"alg": signer.algorithm, "typ": typ}
    public: Mapping[str, Any] = {}
    if signer.public_jwk is not None:
        public = _public_jwk(signer)
        header["kid"] = public["kid"]
    issued_at = int(state.now())
    claims = {"iss": state.issuer, "aud": client.client_id, "iat": issued_at, **claims}
    jwt = UnsignedJWT(header, claims, signer.sign, public)
    jwt = state.schedule.forge(endpoint, request, jwt)
    return jwt.compact() if jwt.is_wanted else None


def _public_jwk(signer: SigningKey) -> dict[str, Any]:
    return {"kid": signer.key_id or _KEY_ID, **(signer.public_jwk or {}), "use": "sig"}
