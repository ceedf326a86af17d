"""What is set up before a test: clients, the server's settings, and the user at the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class ClientAuthMethod(Enum):
    """How a client proves who it is (RFC 7591 section 2)."""

    NONE = "none"
    CLIENT_SECRET_BASIC = "client_secret_basic"
    CLIENT_SECRET_POST = "client_secret_post"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A client that the server knows (RFC 7591 section 2).

    client_secret: without one the client is public.
    redirect_uris: compared as they stand; for a loopback address any port will do (RFC 8252
        section 7.3).
    token_endpoint_auth_method: the only method that is accepted; where it is left out, either of
        those that the client can use.
    scope: what it may ask for, separated by spaces; also what it gets if it asks for nothing.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
    token_endpoint_auth_method: ClientAuthMethod | None = None
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    scope: str = ""

    @property
    def auth_methods(self) -> tuple[ClientAuthMethod, ...]:
        """The methods by which this client may prove who it is."""
        if self.token_endpoint_auth_method is not None:
            return (self.token_endpoint_auth_method,)
        if self.client_secret is None:
            return (ClientAuthMethod.NONE,)
        return (ClientAuthMethod.CLIENT_SECRET_BASIC, ClientAuthMethod.CLIENT_SECRET_POST)


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


def _no_metadata() -> Mapping[str, object]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What an authorization server is like. All lifetimes are in seconds.

    rotate_refresh_tokens: each use of a refresh token gives a new one and ends the old one.
    rotation_grace: for so long a used refresh token still works; after that its use is taken for
        theft, and everything that came from the same approval is revoked (RFC 9700 section 4.14.2).
    require_pkce: refuse authorization requests without a `code_challenge`.
    send_issuer: put `iss` into callbacks, and say so in the metadata (RFC 9207).
    allow_get_token_requests: take token requests from the query too, as a few old servers do.
    raw_basic_credentials: read Basic credentials as they stand, as many servers do, and not form
        encoded as RFC 6749 section 2.3.1 wants it.
    revoke_family_with_access_token: revoking an access token ends its refresh token as well.
    oauth_metadata, openid_metadata: which of the two documents exist.
    metadata: more members of both documents, or other values; `None` leaves a member out.
    passwords: names and passwords of the users of the password grant.
    resource_scopes: the scope that a path of the protected resource demands: for the path itself
        and for all below it; the longest path counts.
    """

    access_token_lifetime: int = 3600
    refresh_token_lifetime: int = 14 * 24 * 3600
    code_lifetime: int = 60
    rotate_refresh_tokens: bool = True
    rotation_grace: float = 0
    require_pkce: bool = True
    send_issuer: bool = True
    allow_get_token_requests: bool = False
    raw_basic_credentials: bool = False
    revoke_family_with_access_token: bool = False
    oauth_metadata: bool = True
    openid_metadata: bool = True
    metadata: Mapping[str, object] = field(default_factory=_no_metadata)
    passwords: Mapping[str, str] = field(default_factory=_nothing, repr=False)
    resource_scopes: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whoever sits at the browser.

    approves: whether the client gets what it asks for.
    edit: changes the callback on its way: its URL, or the body of the posted form.
    scope: what is granted of the scope that was asked for, separated by spaces; all if left out.
    error: the code that a user who does not approve brings about.
    """

    subject: str = "alice"
    approves: bool = True
    edit: Callable[[str], str] | None = None
    scope: str | None = None
    error: str = "access_denied"
