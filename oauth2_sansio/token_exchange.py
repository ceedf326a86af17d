"""One token for another: narrower, for another resource, or on behalf of somebody (RFC 8693)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from .answers import Answer
from .client import Client
from .events import Endpoint, Pairs
from .flow import Flow
from .parameters import (
    AuthorizationDetails,
    Parameters,
    Scope,
    details_pair,
    joined,
    repeated,
    scope_pair,
)
from .tokens import OAuth2Token

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class TokenType(Enum):
    """What a token is, in RFC 8693 section 3."""

    ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
    REFRESH_TOKEN = "urn:ietf:params:oauth:token-type:refresh_token"
    ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
    SAML1 = "urn:ietf:params:oauth:token-type:saml1"
    SAML2 = "urn:ietf:params:oauth:token-type:saml2"
    JWT = "urn:ietf:params:oauth:token-type:jwt"
    ID_JAG = "urn:ietf:params:oauth:token-type:id-jag"


def exchange_token(
    client: Client,
    subject_token: str,
    subject_token_type: TokenType | str = TokenType.ACCESS_TOKEN,
    *,
    actor_token: str | None = None,
    actor_token_type: TokenType | str | None = None,
    requested_token_type: TokenType | str | None = None,
    resource: Sequence[str] = (),
    audience: Sequence[str] = (),
    scope: Scope = None,
    authorization_details: AuthorizationDetails = (),
    parameters: Parameters = (),
) -> Flow[OAuth2Token]:
    """Trade a token for another one (RFC 8693 section 2.1).

    subject_token: stands for whom the new token is.
    actor_token: stands for who acts; then its type has to be given too.
    requested_token_type: where it is left out, the server chooses.
    resource, audience: where the new token is for, by URL or by a name of the server's.
    authorization_details: what exactly it is for (RFC 9396).
    Returns what was issued as `access_token`, also where it is a token of another kind: the member
    `issued_token_type` says which, and `token_type` is `N_A` then.
    Raises `RemoteProtocolError` where another kind was issued than the one that was asked for.
    """
    wanted = None if requested_token_type is None else _uri(requested_token_type)
    form = exchange_form(
        client,
        subject_token,
        subject_token_type,
        actor_token=actor_token,
        actor_token_type=actor_token_type,
        requested_token_type=wanted,
        resource=resource,
        audience=audience,
        scope=scope,
        authorization_details=authorization_details,
        parameters=parameters,
    )
    return client.exchange(
        Endpoint.TOKEN, form, lambda answer: _read_issued(client, answer, wanted)
    )


def exchange_form(
    client: Client,
    subject_token: str,
    subject_token_type: TokenType | str,
    *,
    actor_token: str | None = None,
    actor_token_type: TokenType | str | None = None,
    requested_token_type: str | None,
    resource: Sequence[str],
    audience: Sequence[str],
    scope: Scope,
    authorization_details: AuthorizationDetails,
    parameters: Parameters,
) -> Pairs:
    """Return the parameters of a token exchange: see `exchange_token`."""
    if (actor_token is None) != (actor_token_type is None):
        raise TypeError("actor_token and actor_token_type go together")
    given = [("grant_type", TOKEN_EXCHANGE), ("subject_token", subject_token)]
    given.append(("subject_token_type", _uri(subject_token_type)))
    if actor_token is not None and actor_token_type is not None:
        given.append(("actor_token", actor_token))
        given.append(("actor_token_type", _uri(actor_token_type)))
    if requested_token_type is not None:
        given.append(("requested_token_type", requested_token_type))
    given += (*repeated("resource", resource), *repeated("audience", audience), *scope_pair(scope))
    given += details_pair(
        authorization_details, client.server.authorization_details_types_supported
    )
    return joined(given, parameters, Endpoint.TOKEN, in_url=False)


def _read_issued(client: Client, answer: Answer, wanted: str | None) -> OAuth2Token:
    token = client.read_token(answer)
    issued = token.get("issued_token_type")
    if issued is None or wanted is None:
        # Some servers leave the member out, although it is required; then nobody can compare.
        return token
    if issued != wanted:
        raise answer.broken(
            "the server has issued a token of another type than the one asked for",
            advice="the token is in the error's response: leave out requested_token_type to take it",
        )
    return token


def _uri(kind: TokenType | str) -> str:
    return kind.value if isinstance(kind, TokenType) else kind
