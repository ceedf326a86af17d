"""Proofs that a client holds the key its tokens are bound to (DPoP, RFC 9449)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, cast

from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.events import Endpoint, Pairs, ResponseReceived
from oauth2_sansio.urls import target_uri

from .certificates import certificate_to_bind
from .configuration import ClientAuthMethod, RegisteredClient
from .jwt_assertions import UnverifiedJWT, check_times, read_jwt
from .messages import IncomingRequest, Parameters, Refusal, invalid_grant, json_answer
from .state import GrantFunction, ServerState
from .verification_keys import ALGORITHMS, read_public_key

PROOF_ALGORITHMS = tuple(name for name in ALGORITHMS if not name.startswith("HS"))
"""What proofs may be signed with."""

PROOF_LIFETIME = 60.0
"""For how many seconds a proof counts."""

_ASKING = frozenset({Endpoint.TOKEN, Endpoint.PUSHED_AUTHORIZATION, Endpoint.RESOURCE})


def proven_key(
    state: ServerState, request: IncomingRequest, access_token: str | None = None
) -> str | None:
    """Return the thumbprint of the key that a request proves; None where it has no proof.

    access_token: the one that the proof has to name.
    Raises `Refusal` for a proof that does not count (RFC 9449 section 4.3), and for one without the
    nonce that the server wants (section 8).
    """
    proofs = [value for name, value in request.headers if name.lower() == "dpop"]
    if not proofs:
        return None
    try:
        jwt = read_jwt(_only(proofs), ("dpop+jwt",))
        key = _embedded_key(jwt)
        _check_claims(state, request, jwt, access_token, key)
    except (ValueError, LocalProtocolError) as error:
        raise Refusal("invalid_dpop_proof", f"The proof is refused. {error}") from error
    if state.settings.require_dpop_nonce and jwt.claims.get("nonce") not in state.ledger.nonces:
        raise Refusal("use_dpop_nonce", "The proof has to hold the nonce of this server.")
    return key


def grant_bound(
    state: ServerState,
    request: IncomingRequest,
    client: RegisteredClient,
    parameters: Parameters,
    grant: GrantFunction,
) -> ResponseReceived:
    """Give tokens that are bound to the key that a request proves, and to its certificate, if any.

    Raises `Refusal` where what is handed in for them is bound to another one.
    """
    key = proven_key(state, request)
    if key is None and client.dpop_bound_access_tokens:
        raise Refusal("invalid_dpop_proof", "The client has to prove that it holds its key.")
    for name in ("code", "refresh_token"):
        value = parameters.get(name)
        bound_to = None if value is None else state.ledger.key_of(value)
        if bound_to not in (None, key):
            raise invalid_grant(f"The {name} is bound to another key.")
    certificate = certificate_to_bind(state, request, client, parameters)
    answer = grant(state, client, parameters)
    if key is None and certificate is None:
        return answer
    members = cast("dict[str, Any]", json.loads(answer.body))
    # The refresh token of any other client is bound to how that authenticates.
    is_public = ClientAuthMethod.NONE in client.auth_methods
    for name in ("access_token", "refresh_token") if is_public else ("access_token",):
        if name in members and key is not None:
            state.ledger.bind(members[name], key)
        if name in members and certificate is not None:
            state.ledger.bind_to_certificate(members[name], certificate)
    return json_answer(members if key is None else members | {"token_type": "DPoP"})


def parameters_with_key(
    state: ServerState, request: IncomingRequest, parameters: Parameters
) -> Parameters:
    """Return the parameters of a pushed request, with the key that it proves (section 10.1)."""
    key = proven_key(state, request)
    named = parameters.get("dpop_jkt")
    if key is None or named == key:
        return parameters
    if named is not None:
        raise Refusal("invalid_dpop_proof", "The proof is of another key than dpop_jkt names.")
    return Parameters((*parameters.pairs, ("dpop_jkt", key)))


def with_nonce(
    state: ServerState, endpoint: Endpoint, response: ResponseReceived
) -> ResponseReceived:
    """Return an answer with the nonce for the next proof, where the server wants one."""
    if not state.settings.require_dpop_nonce or endpoint not in _ASKING:
        return response
    nonce = state.ledger.newest_nonce(
        state.now(), state.settings.dpop_nonce_lifetime, lambda: state.random_text("nonce")
    )
    return replace(response, headers=(*response.headers, ("DPoP-Nonce", nonce)))


def challenge_for_key(error: str, description: str) -> Pairs:
    """Return the challenge of a resource that wants a proof (RFC 9449 section 7.1)."""
    text = f'DPoP algs="{" ".join(PROOF_ALGORITHMS)}"'
    if error:
        text += f', error="{error}", error_description="{description}"'
    return (("WWW-Authenticate", text),)


def _only(proofs: list[str]) -> str:
    if len(proofs) > 1:
        raise ValueError("There is more than one.")
    return proofs[0]


def _embedded_key(jwt: UnverifiedJWT) -> str:
    jwk = jwt.header.get("jwk")
    if jwt.algorithm not in PROOF_ALGORITHMS or not isinstance(jwk, dict):
        raise ValueError("It has no public key, or no algorithm for one.")
    members = cast("Mapping[str, Any]", jwk)
    if "d" in members or "k" in members:
        raise ValueError("It gives the private key away.")
    if not jwt.is_signed_by((read_public_key(members),)):
        raise ValueError("Its signature is not right.")
    needed = {name: members[name] for name in sorted(members) if name in _THUMBPRINT_MEMBERS}
    return _encoded(json.dumps(needed, separators=(",", ":")))


_THUMBPRINT_MEMBERS = frozenset({"crv", "e", "kty", "n", "x", "y"})  # RFC 7638 section 3.2


def _check_claims(
    state: ServerState,
    request: IncomingRequest,
    jwt: UnverifiedJWT,
    access_token: str | None,
    key: str,
) -> None:
    claims = jwt.claims
    htu, issued_at, jti = claims.get("htu"), claims.get("iat"), claims.get("jti")
    if claims.get("htm") != request.method or not isinstance(htu, str):
        raise ValueError("It is for another method.")
    here = target_uri(request.origin + request.path, Endpoint.RESOURCE)
    if "?" in htu or "#" in htu or target_uri(htu, Endpoint.RESOURCE) != here:
        raise ValueError("It is for another URL.")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise ValueError("It does not say when it was made.")  # noqa: TRY004 - of what was sent
    check_times(state, expires_at=issued_at + PROOF_LIFETIME, issued_at=issued_at)
    if access_token is not None and claims.get("ath") != _encoded(access_token):
        raise ValueError("It is for another access token.")
    forgotten_at = issued_at + PROOF_LIFETIME + state.settings.clock_skew
    if not isinstance(jti, str) or not jti:
        raise ValueError("It has no jti.")
    if not state.ledger.spend_assertion(key, jti, forgotten_at, state.now()):
        raise ValueError("It was used before.")


def _encoded(text: str) -> str:
    return urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode("ascii")
