"""A user's identity carried from one authorization server to another, without the user.

Two drafts of one shape: the Identity Assertion JWT Authorization Grant (ID-JAG), and OAuth Identity
and Authorization Chaining Across Domains. The first leg is a token exchange at the server that knows
the user (RFC 8693), the second a JWT bearer grant at the one that guards the resource (RFC 7523).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from .answers import Answer
from .assertions import JWT_BEARER, assert_jwt, by_assertion, is_signed_jwt
from .client import Client
from .client_auth import HoldsSecrets
from .errors import LocalProtocolError
from .events import Endpoint, RequestToSend, ResponseReceived
from .flow import Flow
from .parameters import AuthorizationDetails, Parameters, Scope
from .server import Server
from .token_exchange import TokenType, exchange_form
from .tokens import OAuth2Token

ID_JAG_PROFILE = "urn:ietf:params:oauth:grant-profile:id-jag"

_NO_ACCESS_TOKEN = "n_a"  # RFC 8693 section 2.2.1


def request_jwt_grant(
    client: Client,
    subject_token: str,
    subject_token_type: TokenType | str = TokenType.ID_TOKEN,
    *,
    audience: str,
    requested_token_type: TokenType = TokenType.ID_JAG,
    resource: Sequence[str] = (),
    scope: Scope = None,
    authorization_details: AuthorizationDetails = (),
    parameters: Parameters = (),
) -> Flow[OAuth2Token]:
    """Ask the server that knows the user for a JWT that another server takes for a token.

    client: of the server that knows the user, such as the identity provider.
    subject_token: what shows who the user is: an ID token, a refresh token, a SAML 2.0 assertion.
    audience: the issuer of the other server.
    requested_token_type: ID_JAG; or JWT, for identity chaining.
    resource, scope, authorization_details: what is to be asked for there.
    Returns the JWT as `access_token`: it is none, and no class sends it as one. Hand it to
    `redeem_jwt_grant`. It may be stored, like any token.
    Raises `RemoteProtocolError` unless just such a JWT was issued, as no access token (`N_A`).
    """
    if requested_token_type not in (TokenType.ID_JAG, TokenType.JWT):
        raise ValueError("a JWT grant is of the type ID_JAG or JWT")
    wanted = requested_token_type.value
    _check_listed(client.server, "identity_chaining_requested_token_types_supported", wanted)
    form = exchange_form(
        client,
        subject_token,
        subject_token_type,
        requested_token_type=wanted,
        resource=resource,
        audience=(audience,),
        scope=scope,
        authorization_details=authorization_details,
        parameters=parameters,
    )
    return client.exchange(Endpoint.TOKEN, form, lambda answer: _read_grant(client, answer, wanted))


def redeem_jwt_grant(
    client: Client,
    grant: OAuth2Token | str,
    *,
    scope: Scope = None,
    resource: Sequence[str] = (),
    parameters: Parameters = (),
) -> Flow[OAuth2Token]:
    """Trade such a JWT for a token at the server that guards the resource.

    client: of that server, with its own way to authenticate there.
    grant: what `request_jwt_grant` has returned, or the JWT. As long as it has not expired, it may
        be used again: a refresh token seldom comes.
    Raises `LocalProtocolError` for what is no such JWT, and (`expired_grant`) for one that has
    expired.
    """
    if isinstance(grant, str):
        return assert_jwt(client, grant, scope=scope, resource=resource, parameters=parameters)
    kind = grant.get("issued_token_type")
    if kind not in (TokenType.ID_JAG.value, TokenType.JWT.value):
        raise LocalProtocolError(
            "this token is no JWT grant",
            endpoint=Endpoint.TOKEN,
            advice="give what request_jwt_grant has returned",
        )
    if kind == TokenType.ID_JAG.value:
        _check_listed(client.server, "authorization_grant_profiles_supported", ID_JAG_PROFILE)
    return by_assertion(
        client, JWT_BEARER, _Grant(grant), scope=scope, resource=resource, parameters=parameters
    )


@dataclass(frozen=True, slots=True)
class _Grant(HoldsSecrets):
    grant: OAuth2Token

    def sign(self, request: RequestToSend, now: float) -> RequestToSend:
        if self.grant.is_expired(leeway=0.0, now=now):
            raise LocalProtocolError(
                "this JWT grant has expired",
                error="expired_grant",
                endpoint=Endpoint.TOKEN,
                advice="get another one with request_jwt_grant",
            )
        return request.with_parameters((("assertion", self.grant.access_token or ""),))

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        return False


def _read_grant(client: Client, answer: Answer, wanted: str) -> OAuth2Token:
    token = client.read_token(answer)
    kind = token.token_type or ""
    if token.get("issued_token_type") != wanted:
        complaint = "the server has not issued a token of the type asked for"
    elif kind.lower() != _NO_ACCESS_TOKEN:
        complaint = "the server has issued an access token (its token_type is not N_A)"
    elif not is_signed_jwt(token.access_token or ""):
        complaint = "what the server has issued is no signed JWT"
    else:
        return token
    raise answer.broken(
        complaint, advice="the answer is in the error's response; nothing was sent to anybody else"
    )


def _check_listed(server: Server, member: str, wanted: str) -> None:
    listed = server.metadata.get(member)
    if not isinstance(listed, (list, tuple)) or wanted in cast("Sequence[Any]", listed):
        return
    raise LocalProtocolError(
        f"the server does not take part in this: its {member} lack {wanted}",
        endpoint=Endpoint.TOKEN,
        advice="ask its operator, or leave the member out of the metadata",
    )
