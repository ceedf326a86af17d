"""How a client proves to the server who it is (RFC 6749 section 2.3)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, Self
from urllib.parse import parse_qsl, quote

from .errors import LocalProtocolError, listed
from .events import Endpoint, RequestToSend, ResponseReceived
from .exchange import Signer, Unsigned
from .parameters import check_encodable, secret_in_url
from .server import Server

MTLS_METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
"""The ways to authenticate by the certificate of the connection (RFC 8705 section 2)."""


class HoldsSecrets:
    """A value that is never pickled, so that no cache or queue gets its secrets by accident.

    Its copy is the value itself, since it never changes.
    """

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} may hold secrets, and is not pickled: build it anew"
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientIdentity:
    """What client authentication knows of the client.

    random_bytes: makes so many random bytes.
    """

    client_id: str
    server: Server
    random_bytes: Callable[[int], bytes] = field(repr=False)


class ClientAuthentication(Protocol):
    """A way to authenticate; one's own is any object with these two."""

    @property
    def method(self) -> str:
        """The name of this way in the server's metadata, such as `client_secret_basic`."""
        ...

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what authenticates each request of this client."""
        ...


@dataclass(frozen=True, slots=True)
class NoAuthentication:
    """Name the client, and prove nothing: for public clients (`none`)."""

    @property
    def method(self) -> str:
        """`none`."""
        return "none"

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what adds `client_id` to each request."""
        return _Parameters(identity.client_id, None)


@dataclass(frozen=True, slots=True)
class TLSClientAuth:
    """Let a certificate of an authority that the server trusts prove it (`tls_client_auth`).

    Each request names the client, and no more. The certificate is the driver's: it goes into the
    settings of the HTTP library.
    """

    @property
    def method(self) -> str:
        """`tls_client_auth`."""
        return "tls_client_auth"

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what adds `client_id` to each request (RFC 8705 section 2)."""
        return _Parameters(identity.client_id, None)


@dataclass(frozen=True, slots=True)
class SelfSignedTLSClientAuth:
    """Let a certificate that the server knows itself prove it (`self_signed_tls_client_auth`).

    All else is as in `TLSClientAuth`.
    """

    @property
    def method(self) -> str:
        """`self_signed_tls_client_auth`."""
        return "self_signed_tls_client_auth"

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what adds `client_id` to each request (RFC 8705 section 2)."""
        return _Parameters(identity.client_id, None)


@dataclass(frozen=True, slots=True)
class ClientSecretPost(HoldsSecrets):
    """Send the secret in the body (`client_secret_post`)."""

    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        _check_secret(self.client_secret)

    @property
    def method(self) -> str:
        """`client_secret_post`."""
        return "client_secret_post"

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what adds `client_id` and `client_secret` to each body."""
        return _Parameters(identity.client_id, self.client_secret)


@dataclass(frozen=True, slots=True)
class ClientSecretBasic(HoldsSecrets):
    """Send the secret in the header `Authorization` (`client_secret_basic`).

    raw: sends id and secret as they are, for servers that do not decode them, against
        RFC 6749 section 2.3.1, which wants both form encoded first.
    """

    client_secret: str = field(repr=False)
    raw: bool = False

    def __post_init__(self) -> None:
        _check_secret(self.client_secret)

    @property
    def method(self) -> str:
        """`client_secret_basic`."""
        return "client_secret_basic"

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what adds the header to each request."""
        return _Header(encode_basic(identity.client_id, self.client_secret, raw=self.raw))


def encode_basic(client_id: str, client_secret: str, *, raw: bool = False) -> str:
    """Return the value of the header `Authorization` (RFC 6749 section 2.3.1).

    A space is written as %20, which more servers understand than `+`.
    """
    if raw and ":" in client_id:
        raise LocalProtocolError(
            "a client_id with a colon cannot be sent raw in a Basic header",
            advice="leave out raw, or use client_secret_post",
        )
    parts = (client_id, client_secret)
    for part in parts:
        check_encodable(part, "client_id or client_secret")
    joined = ":".join(parts if raw else (quote(part, safe="") for part in parts))
    return f"Basic {base64.b64encode(joined.encode()).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class _Header(HoldsSecrets):
    value: str = field(repr=False)

    def sign(self, request: RequestToSend, now: float) -> RequestToSend:
        return request.with_header("Authorization", self.value)

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _Parameters(HoldsSecrets):
    client_id: str
    client_secret: str | None = field(repr=False)

    def __post_init__(self) -> None:
        check_encodable(self.client_id, "client_id")
        check_encodable(self.client_secret or "", "client_secret")

    def sign(self, request: RequestToSend, now: float) -> RequestToSend:
        # What the caller has put into the request counts, and nothing is sent twice.
        own = (("client_id", self.client_id), ("client_secret", self.client_secret))
        added = tuple(
            (name, value)
            for name, value in own
            if value is not None and not has_parameter(request, name)
        )
        if request.method == "GET" and self.client_secret is not None:
            raise secret_in_url(request.endpoint)
        return request.with_parameters(added) if added else request

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        return False


def has_parameter(request: RequestToSend, name: str) -> bool:
    """Say whether a request has a parameter of this name, in its body or its query."""
    query = parse_qsl(request.url.partition("?")[2], keep_blank_values=True)
    if request.content is None:
        body = request.form
    else:
        content = request.content.decode("utf-8", "replace")
        body = tuple(parse_qsl(content, keep_blank_values=True))
    return any(key == name for key, _ in (*query, *body))


def choose_authentication(server: Server, client_secret: str | None) -> ClientAuthentication:
    """Return the way that the server's metadata leaves for a secret, or for none.

    Servers that say nothing take `client_secret_basic` (RFC 8414 section 2). Revocation and
    introspection are done in the same way, unless the metadata name another one for them.
    """
    if client_secret is None:
        return NoAuthentication()
    known = server.token_endpoint_auth_methods_supported
    usual = ClientSecretBasic(client_secret) if not known else _by_secret(known, client_secret)
    if usual is None:
        raise LocalProtocolError(
            "the server takes neither client_secret_basic nor client_secret_post",
            advice=f"give auth= for one of: {listed(known or ())}",
        )
    named = {
        Endpoint.REVOCATION: server.revocation_endpoint_auth_methods_supported,
        Endpoint.INTROSPECTION: server.introspection_endpoint_auth_methods_supported,
    }
    others = {
        endpoint: way
        for endpoint, methods in named.items()
        if methods
        and usual.method not in methods
        and (way := _by_secret(methods, client_secret)) is not None
    }
    return _ByEndpoint(usual, others) if others else usual


@dataclass(frozen=True, slots=True)
class _ByEndpoint(HoldsSecrets):
    """The usual way, and others at some endpoints."""

    usual: ClientAuthentication
    others: Mapping[Endpoint, ClientAuthentication]

    @property
    def method(self) -> str:
        """That of the token endpoint."""
        return self.usual.method

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what authenticates each request in the way of its endpoint."""
        others = {endpoint: way.signer(identity) for endpoint, way in self.others.items()}
        return _SignerByEndpoint(self.usual.signer(identity), others)


@dataclass(frozen=True, slots=True)
class _SignerByEndpoint(HoldsSecrets):
    usual: Signer
    others: Mapping[Endpoint, Signer]

    def sign(self, request: RequestToSend, now: float) -> RequestToSend | Unsigned:
        return self.others.get(request.endpoint, self.usual).sign(request, now)

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        return False


def _by_secret(
    methods: Sequence[str], client_secret: str
) -> ClientSecretBasic | ClientSecretPost | None:
    if "client_secret_basic" in methods:
        return ClientSecretBasic(client_secret)
    if "client_secret_post" in methods:
        return ClientSecretPost(client_secret)
    return None


def _check_secret(client_secret: object) -> None:
    # None would else go out as the text "None", or as no secret at all.
    if not isinstance(client_secret, str):
        raise TypeError(f"client_secret has to be a text, not a {type(client_secret).__name__}")
