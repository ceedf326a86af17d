"""What the token endpoint does for each `grant_type`."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from types import MappingProxyType

from oauth2_sansio.assertions import JWT_BEARER, SAML2_BEARER
from oauth2_sansio.backchannel import CIBA
from oauth2_sansio.device import DEVICE_CODE
from oauth2_sansio.events import ResponseReceived
from oauth2_sansio.token_exchange import TOKEN_EXCHANGE

from .assertion_grants import grant_for_jwt, grant_for_saml
from .authorization_details import narrowed_details
from .backchannel import grant_for_backchannel
from .configuration import ClientAuthMethod, RegisteredClient
from .device_authorization import grant_for_device
from .issuing import new_family, refresh_token, token_answer
from .ledger import TokenKind
from .messages import Parameters, Refusal, invalid_grant
from .state import GrantFunction, ServerState, granted_scope
from .token_exchange import exchange

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def redeem_code(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give tokens for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6)."""
    code = state.ledger.code(parameters.require("code"))
    if code is None or code.family.client_id != client.client_id:
        raise invalid_grant("The code is unknown, or was issued to another client.")
    if code.expires_at <= state.now():
        raise invalid_grant("The code has expired.")
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri != code.redirect_uri and (
        code.redirect_uri is not None or redirect_uri not in client.redirect_uris
    ):
        raise invalid_grant("The redirect_uri is not that of the authorization request.")
    _check_verifier(code.challenge, parameters.get("code_verifier"))
    resources = _narrowed(parameters.get_all("resource"), code.family.resources)
    details = narrowed_details(parameters, code.family.authorization_details)
    if not state.ledger.spend_code(code):
        code.family.revoked = True
        raise invalid_grant("The code was used before; all its tokens are revoked.")
    audiences = parameters.get_all("audience") or code.family.audiences
    token = state.issue(
        TokenKind.ACCESS,
        code.family,
        resources=resources,
        audiences=audiences,
        authorization_details=details,
    )
    return token_answer(token, refresh_token(state, client, code.family))


def renew(state: ServerState, client: RegisteredClient, parameters: Parameters) -> ResponseReceived:
    """Give a new access token for a refresh token (RFC 6749 section 6)."""
    old = state.ledger.token(parameters.require("refresh_token"))
    if old is None or old.kind is not TokenKind.REFRESH:
        raise invalid_grant("The refresh token is unknown.")
    family = old.family
    if family.client_id != client.client_id:
        raise invalid_grant("The refresh token was issued to another client.")
    now = state.now()
    if state.ledger.is_spent(old):
        # A refresh token that comes twice was stolen from somebody: from whom, nobody can tell.
        if now - state.ledger.spend_token(old, now) >= state.settings.rotation_grace:
            family.revoked = True
    elif not state.ledger.is_active(old, now):
        raise invalid_grant("The refresh token has expired or was revoked.")
    if family.revoked:
        raise invalid_grant("The refresh token was used before; all its tokens are revoked.")
    scope = granted_scope(parameters.get("scope"), family.scope)
    resources = _narrowed(parameters.get_all("resource"), family.resources)
    details = narrowed_details(parameters, family.authorization_details)
    audiences = parameters.get_all("audience") or family.audiences
    new = None
    if state.settings.rotate_refresh_tokens:
        state.ledger.spend_token(old, now)
        new = state.issue(TokenKind.REFRESH, family)
    access = state.issue(
        TokenKind.ACCESS,
        family,
        scope=scope,
        resources=resources,
        audiences=audiences,
        authorization_details=details,
    )
    return token_answer(access, new)


def grant_to_client(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give a client a token of its own (RFC 6749 section 4.4)."""
    if ClientAuthMethod.NONE in client.auth_methods:
        raise Refusal("unauthorized_client", "A public client cannot act for itself.")
    family = new_family(client, parameters, subject=None)
    return token_answer(state.issue(TokenKind.ACCESS, family), None)


def grant_for_password(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give tokens for a name and a password (RFC 6749 section 4.3)."""
    username = parameters.require("username")
    password = parameters.require("password")
    expected = state.settings.passwords.get(username)
    if expected is None or not compare_digest(expected.encode(), password.encode()):
        raise invalid_grant("The name or the password is wrong.")
    family = new_family(client, parameters, subject=username)
    token = state.issue(TokenKind.ACCESS, family)
    return token_answer(token, refresh_token(state, client, family))


GRANTS: Mapping[str, GrantFunction] = MappingProxyType(
    {
        "authorization_code": redeem_code,
        "refresh_token": renew,
        "client_credentials": grant_to_client,
        "password": grant_for_password,
        JWT_BEARER: grant_for_jwt,
        SAML2_BEARER: grant_for_saml,
        DEVICE_CODE: grant_for_device,
        CIBA: grant_for_backchannel,
        TOKEN_EXCHANGE: exchange,
    }
)
"""What the token endpoint does for each `grant_type`."""


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    if challenge is None:
        if verifier is not None:
            raise invalid_grant("There is a code_verifier, but there was no code_challenge.")
        return
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        raise invalid_grant("The code_verifier is missing or malformed.")
    digest = urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    if not compare_digest(digest, challenge.encode("ascii")):
        raise invalid_grant("The code_verifier does not match the code_challenge.")


def _narrowed(asked: tuple[str, ...], granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the resources for a token (RFC 8707 section 2.2)."""
    if granted and not set(asked) <= set(granted):
        raise Refusal("invalid_target", "A resource was asked for that was not granted.")
    return asked or granted
