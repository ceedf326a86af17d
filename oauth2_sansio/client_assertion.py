"""Client authentication by a signed JWT (RFC 7523 section 2.2): with a secret, or a private key."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import Any

from .client_auth import ClientIdentity, HoldsSecrets, has_parameter
from .errors import LocalProtocolError
from .events import Endpoint, Pairs, RequestToSend, ResponseReceived, without_query
from .exchange import Signer, Unsigned
from .jwt_algorithms import base64url
from .jwt_signing import (
    JWTSigner,
    RemoteKey,
    SigningKey,
    own_copy,
    read_private_key,
    read_secret,
)
from .server import Server
from .tokens import system_time

CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_KEYS = 16
"""How many keys one object remembers that serves several sessions."""


class AssertionAudience(Enum):
    """Whom a JWT for an authorization server is meant for: its claim `aud`.

    ISSUER is what the revision of RFC 7523 asks for, and the safer one: a hostile server cannot
    get a JWT for another one by naming that one's endpoint as its own. TOKEN_ENDPOINT is what
    RFC 7523 itself names, and what most servers take.
    """

    ISSUER = "issuer"
    TOKEN_ENDPOINT = "token_endpoint"

    def of(self, server: Server, url: str) -> str:
        """Return the audience, never with a query.

        url: where the request goes, for a server whose token endpoint is not known.
        Raises `LocalProtocolError` where the issuer is wanted and not known.
        """
        if self is AssertionAudience.TOKEN_ENDPOINT:
            return without_query(server.token_endpoint or url)
        if server.issuer is None:
            raise LocalProtocolError(
                "the audience is to be the issuer, and this server has none",
                advice="give Server(issuer=...), or read the server's metadata",
            )
        return server.issuer


@dataclass(frozen=True, slots=True)
class _ByAssertion(HoldsSecrets):
    # What the two ways have in common. The order of the first four is that of the drop-in API.
    token_endpoint: str | None = None
    claims: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, Any] | None = field(default=None, repr=False)
    alg: str | None = None
    _: KW_ONLY
    audience: AssertionAudience | str = AssertionAudience.TOKEN_ENDPOINT
    typ: str | None = None
    lifetime: int = 60
    key_id: str | None = None
    _own: JWTSigner | None = field(default=None, init=False, repr=False, compare=False)
    # Of the sessions that this object serves: each secret, and the key that was read from it.
    _read: dict[int, tuple[object, JWTSigner]] = field(
        default_factory=dict[int, tuple[object, JWTSigner]], init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if self.token_endpoint is not None:
            if "://" not in self.token_endpoint:
                raise ValueError("token_endpoint is no URL; a key is given by its own keyword")
            if self.audience is not AssertionAudience.TOKEN_ENDPOINT:
                raise TypeError("give token_endpoint or audience, not both")
            object.__setattr__(self, "audience", self.token_endpoint)
        if self.lifetime <= 0:
            raise ValueError("lifetime is a number of seconds above 0")
        object.__setattr__(self, "claims", own_copy(self.claims))
        object.__setattr__(self, "headers", own_copy(self.headers))
        given = self._given()
        if given is not None:
            object.__setattr__(self, "_own", self._signer_of(given))

    @abstractmethod
    def _given(self) -> object: ...

    @abstractmethod
    def _key(self, given: object) -> SigningKey | RemoteKey: ...

    @property
    @abstractmethod
    def method(self) -> str:
        """The name of this way in the server's metadata."""

    @property
    def name(self) -> str:
        """The same name, for `register_client_auth_method`."""
        return self.method

    @property
    def has_key(self) -> bool:
        """Whether it was given a key; else it takes the `client_secret` of who calls it."""
        return self._own is not None

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what adds a new JWT to each request; raise `TypeError` where there is no key."""
        if self._own is None:
            raise TypeError(f"this {type(self).__name__} was given no key: give it by its keyword")
        return _Signer(self, self._own, identity)

    def __call__(
        self, client: Any, method: str, uri: str, headers: Any, body: str
    ) -> tuple[str, Any, str]:
        """Authenticate a request of a session: what `register_client_auth_method` takes.

        client: has `client_id`, and `client_secret`, which is the key where none was given.
        Returns URL, headers and body.
        """
        metadata: Mapping[str, Any] = getattr(client, "metadata", None) or {}
        server = Server(
            issuer=metadata.get("issuer"),
            token_endpoint=metadata.get("token_endpoint"),
            allow_insecure_http=True,  # whether the request may go out is not decided here
        )
        identity = ClientIdentity(
            client_id=client.client_id, server=server, random_bytes=os.urandom
        )
        ready = self._own or self._signer_of(client.client_secret)
        request = RequestToSend(
            endpoint=Endpoint.TOKEN, method=method, url=uri, content=(body or "").encode()
        )
        signed = _Signer(self, ready, identity).sign(request, system_time())
        if isinstance(signed, Unsigned):
            raise LocalProtocolError(
                "a function that authenticates requests cannot wait for a remote key",
                advice="give the object with its key as token_endpoint_auth_method=",
            )
        return uri, headers, signed.body.decode()

    def _signer_of(self, given: object) -> JWTSigner:
        # Read once, and never again for a request, which has the very same object as its key.
        known = self._read.get(id(given))
        if known is not None:
            return known[1]
        typ = self.typ
        if typ is None:
            for_issuer = self.audience is AssertionAudience.ISSUER
            typ = "client-authentication+jwt" if for_issuer else "JWT"
        signer = JWTSigner(self._key(given), typ, self.headers or {})
        if len(self._read) >= MOST_KEYS:
            self._read.clear()
        self._read[id(given)] = (given, signer)  # while it is held here, its id is no other's
        return signer


@dataclass(frozen=True, slots=True)
class ClientSecretJWT(_ByAssertion):
    """Sign a JWT with the secret, which is never sent (`client_secret_jwt`).

    Give it to a `Client` with its secret: `auth=ClientSecretJWT(client_secret="...")`. In the
    drop-in vocabulary it needs none: `session.register_client_auth_method(ClientSecretJWT())`
    takes the secret of the session.

    token_endpoint: an audience, as a URL.
    claims: further claims, or others instead of ours.
    headers: further members of the header.
    alg: HS256, HS384 or HS512.
    audience: the server's issuer, its token endpoint, or any text.
    typ: the header `typ`; left out, `client-authentication+jwt` where the audience is the issuer,
        as the revision of RFC 7523 has it, and else `JWT`.
    lifetime: of a JWT, in seconds; each request gets a new one.
    key_id: the header `kid`.
    client_secret: a text, bytes, or whatever `read_secret` takes.
    Raises `ValueError` for an unsafe algorithm, and what else `read_secret` raises.
    """

    alg: str | None = "HS256"
    _: KW_ONLY
    client_secret: object = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """`client_secret_jwt`."""
        return "client_secret_jwt"

    def _given(self) -> object:
        return self.client_secret

    def _key(self, given: object) -> SigningKey | RemoteKey:
        return read_secret(given, self.alg or "HS256", self.key_id)


@dataclass(frozen=True, slots=True)
class PrivateKeyJWT(_ByAssertion):
    """Sign a JWT with a private key, of which the server knows the public half (`private_key_jwt`).

    Give it to a `Client` with its key: `auth=PrivateKeyJWT(private_key=pem)`. In the drop-in
    vocabulary it needs none: `session.register_client_auth_method(PrivateKeyJWT())` takes the
    `client_secret` of the session as its key.

    alg: RS256 and so on; where it is left out, the key decides.
    private_key: PEM text or bytes, a JWK, a key of joserfc, a function that signs, a `RemoteKey`:
        see `read_key`.
    All else is as in `ClientSecretJWT`.
    Raises `ValueError` for an unsafe algorithm or key, and what else `read_private_key` raises.
    """

    _: KW_ONLY
    private_key: object = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """`private_key_jwt`."""
        return "private_key_jwt"

    def _given(self) -> object:
        return self.private_key

    def _key(self, given: object) -> SigningKey | RemoteKey:
        return read_private_key(given, self.alg, self.key_id)


@dataclass(frozen=True, slots=True)
class _Signer(HoldsSecrets):
    way: _ByAssertion
    signer: JWTSigner
    identity: ClientIdentity

    def sign(self, request: RequestToSend, now: float) -> RequestToSend | Unsigned:
        if request.method == "GET":
            raise LocalProtocolError(
                f"{self.way.method} never goes into a URL",
                endpoint=request.endpoint,
                advice="use POST",
            )
        if has_parameter(request, "client_assertion"):
            return request  # what the caller has put in counts
        return self.signer.attach(
            self._claims(request, now),
            lambda assertion: request.with_parameters(
                (
                    *self._client_id(request),
                    ("client_assertion_type", CLIENT_ASSERTION_TYPE),
                    ("client_assertion", assertion),
                )
            ),
        )

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        return False

    def _claims(self, request: RequestToSend, now: float) -> dict[str, Any]:
        way, client_id = self.way, self.identity.client_id
        audience = way.audience
        if isinstance(audience, AssertionAudience):
            audience = audience.of(self.identity.server, request.url)
        issued_at = int(now)
        return {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": base64url(self.identity.random_bytes(16)),
            "iat": issued_at,
            "exp": issued_at + way.lifetime,
            **(way.claims or {}),
        }

    def _client_id(self, request: RequestToSend) -> Pairs:
        # RFC 7521 section 4.2 lets it go along, and some servers look for it.
        if has_parameter(request, "client_id"):
            return ()
        return (("client_id", self.identity.client_id),)
