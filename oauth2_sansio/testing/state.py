"""What all parts of the server share."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from oauth2_sansio.events import Endpoint, ResponseReceived

from .configuration import RegisteredClient, ServerSettings
from .ledger import IssuedToken, Ledger, TokenFamily, TokenKind
from .messages import IncomingRequest, Parameters, Refusal, origin_of
from .schedule import Schedule

PATHS: Mapping[Endpoint, str] = MappingProxyType(
    {
        Endpoint.AUTHORIZATION: "/authorize",
        Endpoint.TOKEN: "/token",
        Endpoint.REVOCATION: "/revoke",
        Endpoint.INTROSPECTION: "/introspect",
        Endpoint.PUSHED_AUTHORIZATION: "/par",
        Endpoint.DEVICE_AUTHORIZATION: "/device_authorization",
        Endpoint.BACKCHANNEL_AUTHENTICATION: "/backchannel",
        Endpoint.JWKS: "/jwks",
        Endpoint.RESOURCE: "/api",
    }
)
"""Where each endpoint is, below the issuer."""


@dataclass(slots=True, kw_only=True)
class ServerState:
    """Settings, and what was issued so far.

    now: returns the time in seconds since the epoch.
    random_bytes: returns so many bytes.
    grants: what the token endpoint does for each `grant_type`.
    """

    issuer: str
    settings: ServerSettings
    clients: Mapping[str, RegisteredClient]
    now: Callable[[], float]
    random_bytes: Callable[[int], bytes] = field(repr=False)
    grants: Mapping[str, GrantFunction] = field(repr=False)
    schedule: Schedule = field(default_factory=Schedule)
    ledger: Ledger = field(default_factory=Ledger, repr=False)

    @property
    def origins(self) -> tuple[str, ...]:
        """Scheme, host and port of the issuer, and of its URL for clients with a certificate."""
        return tuple(origin_of(url) for url in (self.issuer, self.settings.mtls_url) if url)

    @property
    def path(self) -> str:
        """The path of the issuer, without a slash at its end."""
        return urlsplit(self.issuer).path.rstrip("/")

    def url(self, endpoint: Endpoint, base: str | None = None) -> str:
        """Return the URL of an endpoint, below the issuer or another base."""
        return (base or self.issuer).rstrip("/") + PATHS[endpoint]

    def random_text(self, prefix: str) -> str:
        """Return a value that cannot be guessed, if `random_bytes` is random."""
        return f"{prefix}-{urlsafe_b64encode(self.random_bytes(24)).decode('ascii')}"

    def issue(
        self,
        kind: TokenKind,
        family: TokenFamily,
        *,
        scope: str | None = None,
        resources: tuple[str, ...] | None = None,
        audiences: tuple[str, ...] | None = None,
        authorization_details: tuple[dict[str, Any], ...] | None = None,
    ) -> IssuedToken:
        """Issue a token and note it. What is left out is as in the family."""
        now = self.now()
        lifetime = {
            TokenKind.ACCESS: self.settings.access_token_lifetime,
            TokenKind.REFRESH: self.settings.refresh_token_lifetime,
        }[kind]
        token = IssuedToken(
            value=self.random_text(kind.value.partition("_")[0]),
            kind=kind,
            family=family,
            scope=family.scope if scope is None else scope,
            resources=family.resources if resources is None else resources,
            audiences=family.audiences if audiences is None else audiences,
            authorization_details=(
                family.authorization_details
                if authorization_details is None
                else authorization_details
            ),
            issued_at=now,
            expires_at=now + lifetime,
        )
        self.ledger.add_token(token)
        return token


Handler: TypeAlias = Callable[[ServerState, IncomingRequest], ResponseReceived]
"""What an endpoint does. May raise `Refusal`."""

GrantFunction: TypeAlias = Callable[[ServerState, RegisteredClient, Parameters], ResponseReceived]
"""What the token endpoint does for a `grant_type`, for a client that has proved who it is."""


def granted_scope(asked: str | None, allowed: str) -> str:
    """Return the scope to grant: what was asked for, or all that is allowed.

    Raises `Refusal` if more is asked for than is allowed.
    """
    if asked is None:
        return allowed
    if not set(asked.split(" ")) <= set(allowed.split(" ")):
        raise Refusal("invalid_scope", "The scope asked for exceeds what may be granted.")
    return asked
