"""One token for another (RFC 8693)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from oauth2_sansio.events import ResponseReceived
from oauth2_sansio.token_exchange import TokenType

from .configuration import RegisteredClient
from .forging import UnsignedJWT
from .issuing import token_answer
from .jwt_assertions import check_claims, read_trusted_jwt, refusing
from .ledger import TokenFamily, TokenKind
from .messages import Parameters, Refusal, json_answer
from .signed_answers import find_signer
from .state import ServerState, granted_scope

_JWT_GRANT_LIFETIME = 300


@dataclass(frozen=True, slots=True)
class _Statement:
    """Whom a token speaks of, and what it allows; any scope where that is None."""

    subject: str
    scope: str | None


_Reader: TypeAlias = Callable[[ServerState, RegisteredClient, str], _Statement]
_Issuer: TypeAlias = Callable[[ServerState, TokenFamily, str], ResponseReceived]


def exchange(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give a token for another one, which this server or a trusted issuer has issued."""
    subject = _read(state, client, parameters, "subject_token")
    if subject is None:
        raise Refusal("invalid_request", "The parameter subject_token is missing.")
    actor = _read(state, client, parameters, "actor_token")
    allowed = client.scope if subject.scope is None else subject.scope
    family = TokenFamily(
        client_id=client.client_id,
        subject=subject.subject,
        actor=None if actor is None else actor.subject,
        scope=granted_scope(parameters.get("scope"), allowed),
        resources=parameters.get_all("resource"),
        audiences=parameters.get_all("audience"),
    )
    wanted = parameters.get("requested_token_type") or TokenType.ACCESS_TOKEN.value
    issue = _ISSUERS.get(wanted)
    if issue is None:
        raise Refusal("invalid_request", "The requested_token_type is not supported.")
    return issue(state, family, wanted)


def _read(
    state: ServerState, client: RegisteredClient, parameters: Parameters, name: str
) -> _Statement | None:
    """Return what a token of the request says, if there is one."""
    token, kind = parameters.get(name), parameters.get(f"{name}_type")
    if (token is None) != (kind is None):
        raise Refusal("invalid_request", f"The {name} and its type go together.")
    if token is None or kind is None:
        return None
    read = _READERS.get(kind)
    if read is None:
        raise Refusal("invalid_request", f"The {name}_type is not supported.")
    return read(state, client, token)


def _read_own(kind: TokenKind) -> _Reader:
    def read(state: ServerState, _client: RegisteredClient, value: str) -> _Statement:
        token = state.ledger.token(value)
        if (
            token is None
            or token.kind is not kind
            or not state.ledger.is_active(token, state.now())
        ):
            # Not invalid_grant: RFC 8693 section 2.2.2.
            raise Refusal("invalid_request", "The token is unknown, or does not count any more.")
        return _Statement(token.family.subject or token.family.client_id, token.scope)

    return read


def _read_jwt(state: ServerState, _client: RegisteredClient, value: str) -> _Statement:
    return _read_signed(state, value, None)


def _read_id_token(state: ServerState, client: RegisteredClient, value: str) -> _Statement:
    return _read_signed(state, value, frozenset({client.client_id}))


def _read_signed(state: ServerState, value: str, audiences: frozenset[str] | None) -> _Statement:
    with refusing(lambda reason: Refusal("invalid_request", reason)):
        jwt = read_trusted_jwt(state, value)
        check_claims(state, jwt, jti_required=False, audiences=audiences)
    return _Statement(jwt.subject, None)


def _issue_access_token(state: ServerState, family: TokenFamily, kind: str) -> ResponseReceived:
    return _with_type(token_answer(state.issue(TokenKind.ACCESS, family), None), kind)


def _issue_refresh_token(state: ServerState, family: TokenFamily, kind: str) -> ResponseReceived:
    # What is issued stands in `access_token`, whatever it is (RFC 8693 section 2.2.1).
    answer = token_answer(state.issue(TokenKind.REFRESH, family), None)
    return _with_type(answer, kind, token_type="N_A")


def _issue_jwt_grant(state: ServerState, family: TokenFamily, kind: str) -> ResponseReceived:
    """Give a JWT that another server takes for a token: an ID-JAG."""
    if len(family.audiences) != 1:
        raise Refusal("invalid_target", "Exactly one audience is needed.")
    signer = find_signer(state, state.clients[family.client_id], None)
    issued_at = int(state.now())
    claims = {
        "iss": state.issuer,
        "sub": family.subject,
        "aud": family.audiences[0],
        "client_id": family.client_id,
        "jti": state.random_text("jti"),
        "iat": issued_at,
        "exp": issued_at + _JWT_GRANT_LIFETIME,
        "scope": family.scope,
        **({"resource": list(family.resources)} if family.resources else {}),
    }
    header = {"alg": signer.algorithm, "typ": "oauth-id-jag+jwt"}
    jwt = UnsignedJWT(header, claims, signer.sign, {})
    return json_answer(
        {
            "access_token": jwt.compact(),
            "issued_token_type": kind,
            "token_type": "N_A",
            "expires_in": _JWT_GRANT_LIFETIME,
            "scope": family.scope,
        }
    )


def _with_type(answer: ResponseReceived, kind: str, **members: str) -> ResponseReceived:
    said = cast("dict[str, Any]", json.loads(answer.body))
    return json_answer(said | {"issued_token_type": kind} | members)


_READERS: Mapping[str, _Reader] = MappingProxyType(
    {
        TokenType.ACCESS_TOKEN.value: _read_own(TokenKind.ACCESS),
        TokenType.REFRESH_TOKEN.value: _read_own(TokenKind.REFRESH),
        TokenType.JWT.value: _read_jwt,
        TokenType.ID_TOKEN.value: _read_id_token,
    }
)
_ISSUERS: Mapping[str, _Issuer] = MappingProxyType(
    {
        TokenType.ACCESS_TOKEN.value: _issue_access_token,
        TokenType.JWT.value: _issue_access_token,
        TokenType.REFRESH_TOKEN.value: _issue_refresh_token,
        TokenType.ID_JAG.value: _issue_jwt_grant,
    }
)
