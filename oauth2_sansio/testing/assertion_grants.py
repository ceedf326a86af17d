"""Tokens for assertions: signed JWTs (RFC 7523 section 2.1) and SAML 2.0 (RFC 7522)."""

from __future__ import annotations

from dataclasses import replace

from oauth2_sansio.assertions import JWT_BEARER
from oauth2_sansio.events import ResponseReceived

from .configuration import RegisteredClient
from .issuing import new_family, token_answer
from .jwt_assertions import check_claims, decode_base64url, read_jwt, refusing, trusted_keys
from .ledger import TokenKind
from .messages import Parameters, invalid_grant
from .saml_assertions import read_saml_assertion
from .state import ServerState
from .verification_keys import VerificationKey

_ID_JAG = "oauth-id-jag+jwt"
_TYPES = ("jwt", "authorization-grant+jwt", _ID_JAG)


def grant_for_jwt(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give a token for a JWT of an issuer that is trusted, or of the client itself."""
    assertion = parameters.require("assertion")
    with refusing(invalid_grant):
        jwt = read_jwt(assertion, _TYPES)
        if not jwt.subject:
            raise ValueError("It does not say of whom it speaks.")
        if not jwt.is_signed_by(_keys(state, client, jwt.issuer)):
            raise ValueError("Its issuer is not trusted, or its signature is not right.")
        is_id_jag = jwt.header.get("typ") == _ID_JAG
        if is_id_jag and jwt.claims.get("client_id") != client.client_id:
            raise ValueError("It was issued to another client.")
        audiences = frozenset({state.issuer}) if is_id_jag else None
        check_claims(state, jwt, jti_required=is_id_jag, audiences=audiences)
    allowed = jwt.claims.get("scope") if is_id_jag else None
    if isinstance(allowed, str):
        client = replace(client, scope=allowed)
    return _answer(state, client, parameters, jwt.subject)


def grant_for_saml(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give a token for a SAML 2.0 assertion."""
    assertion = parameters.require("assertion")
    with refusing(invalid_grant):
        xml = decode_base64url(assertion)
        read = state.settings.read_saml
        subject = read_saml_assertion(state, xml) if read is None else read(xml)
    return _answer(state, client, parameters, subject)


def issuer_of_assertion(parameters: Parameters) -> str | None:
    """Return who has issued the JWT of a grant: the client, where the request names none."""
    if parameters.get("grant_type") != JWT_BEARER:
        return None
    try:
        return read_jwt(parameters.require("assertion"), _TYPES).issuer or None
    except ValueError:
        return None


def _keys(state: ServerState, client: RegisteredClient, issuer: str) -> tuple[VerificationKey, ...]:
    if issuer == client.client_id:
        return client.verification_keys
    return trusted_keys(state, issuer)


def _answer(
    state: ServerState, client: RegisteredClient, parameters: Parameters, subject: str
) -> ResponseReceived:
    # Without a refresh token: the client can have another assertion (RFC 7521 section 4.1).
    family = new_family(client, parameters, subject=subject)
    return token_answer(state.issue(TokenKind.ACCESS, family), None)
