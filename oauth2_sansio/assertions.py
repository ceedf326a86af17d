"""Grants by assertion: a signed statement becomes a token (RFC 7521, 7522 and 7523)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .client import Client
from .client_assertion import AssertionAudience
from .client_auth import HoldsSecrets
from .errors import LocalProtocolError
from .events import Endpoint, Pairs, RequestToSend, ResponseReceived
from .exchange import Signer, Unsigned
from .flow import Flow
from .jwt_algorithms import base64url
from .jwt_signing import JWTSigner, own_copy, read_key
from .parameters import Parameters, Scope, joined, repeated, scope_pair
from .server import Server
from .tokens import OAuth2Token

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SAML2_BEARER = "urn:ietf:params:oauth:grant-type:saml2-bearer"

GivenAssertion: TypeAlias = str | bytes | Callable[[], str | bytes]
"""An assertion that was made elsewhere, or what makes one: it is called for each attempt."""

_ENCODED = re.compile(r"[A-Za-z0-9_-]+")
_SIGNED = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JWTAssertion(HoldsSecrets):
    """What to say in a JWT, and the key to sign it with (RFC 7523 section 3).

    key: PEM, JWK, key of joserfc, shared secret, function or `RemoteKey`: see `read_key`. It is
        read once, here.
    issuer: who says it.
    subject: of whom it is said; left out for servers that want none.
    audience: to whom it is said: the server's token endpoint, its issuer, or any texts.
    alg: where it is left out, the key decides.
    key_id: the header `kid`.
    typ: the header `typ`.
    lifetime: in seconds; each attempt makes a new JWT.
    claims: further claims, or others instead of ours.
    headers: further members of the header.
    Raises what `read_key` raises.
    """

    key: object = field(repr=False)
    issuer: str
    subject: str | None = None
    audience: AssertionAudience | str | Sequence[str] = AssertionAudience.TOKEN_ENDPOINT
    alg: str | None = None
    key_id: str | None = None
    typ: str = "JWT"
    lifetime: int = 3600
    claims: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, Any] | None = field(default=None, repr=False)
    _signer: JWTSigner = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.lifetime <= 0:
            raise ValueError("lifetime is a number of seconds above 0")
        object.__setattr__(self, "claims", own_copy(self.claims))
        object.__setattr__(self, "headers", own_copy(self.headers))
        signer = JWTSigner(read_key(self.key, self.alg, self.key_id), self.typ, self.headers or {})
        object.__setattr__(self, "_signer", signer)

    def signer(
        self,
        server: Server,
        random_bytes: Callable[[int], bytes],
        times: Callable[[float], tuple[int, int]] | None = None,
    ) -> Signer:
        """Return what adds a new JWT to each request.

        random_bytes: makes `jti`.
        times: returns `iat` and `exp` for the time in seconds since the epoch, instead of `lifetime`.
        """
        return _JWTAsserter(self, self._signer, server, random_bytes, times or self._times)

    def _times(self, now: float) -> tuple[int, int]:
        return int(now), int(now) + self.lifetime


def assert_jwt(
    client: Client,
    assertion: JWTAssertion | GivenAssertion,
    *,
    scope: Scope = None,
    resource: Sequence[str] = (),
    parameters: Parameters = (),
) -> Flow[OAuth2Token]:
    """Trade a signed JWT for a token (RFC 7523 section 2.1).

    assertion: what to sign, anew for each attempt; or a JWT, or what makes one.
    """
    if isinstance(assertion, JWTAssertion):
        signer = assertion.signer(client.server, client.random_bytes)
    else:
        signer = _Giver(assertion, _plain)
    return by_assertion(
        client, JWT_BEARER, signer, scope=scope, resource=resource, parameters=parameters
    )


def assert_saml(
    client: Client,
    assertion: GivenAssertion,
    *,
    scope: Scope = None,
    resource: Sequence[str] = (),
    parameters: Parameters = (),
) -> Flow[OAuth2Token]:
    """Trade a SAML 2.0 assertion for a token (RFC 7522 section 2.1).

    assertion: the XML, or its base64url; or what makes one or the other.
    """
    signer = _Giver(assertion, _encoded_xml)
    return by_assertion(
        client, SAML2_BEARER, signer, scope=scope, resource=resource, parameters=parameters
    )


def by_assertion(
    client: Client,
    grant_type: str,
    signer: Signer,
    *,
    scope: Scope = None,
    resource: Sequence[str] = (),
    parameters: Parameters = (),
    headers: Pairs = (),
) -> Flow[OAuth2Token]:
    """Trade any assertion for a token (RFC 7521 section 4.1).

    signer: adds the parameter `assertion`, on each attempt.
    """
    given = (("grant_type", grant_type), *scope_pair(scope), *repeated("resource", resource))
    together = joined(given, parameters, Endpoint.TOKEN, in_url=False)
    return client.exchange(
        Endpoint.TOKEN, together, client.read_token, headers=headers, signers=(signer,)
    )


@dataclass(frozen=True, slots=True)
class _JWTAsserter(HoldsSecrets):
    assertion: JWTAssertion
    signer: JWTSigner
    server: Server
    random_bytes: Callable[[int], bytes] = field(repr=False)
    times: Callable[[float], tuple[int, int]] = field(repr=False)

    def sign(self, request: RequestToSend, now: float) -> RequestToSend | Unsigned:
        return self.signer.attach(
            self._claims(request, now),
            lambda jwt: request.with_parameters((("assertion", jwt),)),
        )

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        return False

    def _claims(self, request: RequestToSend, now: float) -> dict[str, Any]:
        told = self.assertion
        audience = told.audience
        if isinstance(audience, AssertionAudience):
            audience = audience.of(self.server, request.url)
        issued_at, expires_at = self.times(now)
        return {
            "iss": told.issuer,
            **({} if told.subject is None else {"sub": told.subject}),
            "aud": audience if isinstance(audience, str) else list(audience),
            "jti": base64url(self.random_bytes(16)),
            "iat": issued_at,
            "exp": expires_at,
            **(told.claims or {}),
        }


def is_signed_jwt(text: str) -> bool:
    """Say whether a text has the form of a signed JWT (RFC 7515 section 3.1)."""
    return _SIGNED.fullmatch(text) is not None


def given_assertion(assertion: GivenAssertion) -> Signer:
    """Return what adds an assertion that was made elsewhere, as it is."""
    return _Giver(assertion, lambda given: given if isinstance(given, str) else given.decode())


@dataclass(frozen=True, slots=True)
class _Giver(HoldsSecrets):
    assertion: GivenAssertion = field(repr=False)
    encode: Callable[[str | bytes], str] = field(repr=False)

    def sign(self, request: RequestToSend, now: float) -> RequestToSend:
        given = self.assertion() if callable(self.assertion) else self.assertion
        return request.with_parameters((("assertion", self.encode(given)),))

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        return False


def _plain(given: str | bytes) -> str:
    text = given.decode("ascii", "replace") if isinstance(given, bytes) else given
    if is_signed_jwt(text):
        return text
    raise _unfit("this assertion is no signed JWT", "give header, claims and signature with dots")


def _encoded_xml(given: str | bytes) -> str:
    raw = given.encode() if isinstance(given, str) else given
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return base64url(raw)
    text = raw.decode("ascii", "replace")
    if _ENCODED.fullmatch(text):
        return text
    raise _unfit("this assertion is neither XML nor its base64url", "give the XML itself")


def _unfit(description: str, advice: str) -> LocalProtocolError:
    return LocalProtocolError(description, endpoint=Endpoint.TOKEN, advice=advice)
