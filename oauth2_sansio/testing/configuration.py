"""What is set up before a test: clients, the server's settings, and the user at the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias

from oauth2_sansio.certificates import certificate_thumbprint
from oauth2_sansio.client_assertion import AssertionAudience
from oauth2_sansio.jwt_algorithms import find_algorithm
from oauth2_sansio.jwt_signing import SigningKey, read_private_key

from .verification_keys import PublicKey, VerificationKey, read_public_key

PrivateKey: TypeAlias = str | bytes | Mapping[str, Any]
"""The PEM text of a private key, or a JWK."""


class ClientAuthMethod(Enum):
    """How a client proves who it is (RFC 7591 section 2)."""

    NONE = "none"
    CLIENT_SECRET_BASIC = "client_secret_basic"
    CLIENT_SECRET_POST = "client_secret_post"
    CLIENT_SECRET_JWT = "client_secret_jwt"
    PRIVATE_KEY_JWT = "private_key_jwt"
    TLS_CLIENT_AUTH = "tls_client_auth"
    SELF_SIGNED_TLS_CLIENT_AUTH = "self_signed_tls_client_auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A client that the server knows (RFC 7591 section 2).

    client_secret: without one the client is public.
    redirect_uris: compared as they stand; for a loopback address any port will do (RFC 8252
        section 7.3).
    token_endpoint_auth_method: the only method that is accepted; where it is left out, any of
        those that the client can use.
    token_endpoint_auth_signing_alg: the only algorithm that is accepted in its assertions; any that
        is for its key if left out.
    keys: its public keys as PEM texts or JWKs, for `private_key_jwt` and for assertions of its own;
        of a private key the public half counts. They are read once, here, by the extra `jose`.
    backchannel_client_notification_endpoint: where it is told that a user has decided (CIBA, ping).
    backchannel_authentication_request_signing_alg: takes its requests to ask a user only where they
        are signed.
    authorization_signed_response_alg, introspection_signed_response_alg: what is signed for it with
        (JARM section 3, RFC 9701 section 6); what the server's key is for if left out. With the
        latter, introspection is answered with a JWT in any case.
    certificates: those by which it may authenticate, as PEM or DER. Who has signed them is for the
        socket to check (see `loopback.serve`); here they are compared.
    tls_client_certificate_bound_access_tokens: gives it tokens that count only over a connection with
        the certificate of the request for them (RFC 8705 section 3).
    dpop_bound_access_tokens: gives it tokens only where it proves that it holds a key (RFC 9449).
    scope: what it may ask for, separated by spaces; also what it gets if it asks for nothing.
    Raises `ValueError` for a key that cannot be read, `LocalProtocolError` where joserfc is missing.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
    token_endpoint_auth_method: ClientAuthMethod | None = None
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    scope: str = ""
    token_endpoint_auth_signing_alg: str | None = None
    backchannel_client_notification_endpoint: str | None = None
    backchannel_authentication_request_signing_alg: str | None = None
    authorization_signed_response_alg: str | None = None
    introspection_signed_response_alg: str | None = None
    dpop_bound_access_tokens: bool = False
    certificates: tuple[str | bytes, ...] = field(default=(), repr=False)
    tls_client_certificate_bound_access_tokens: bool = False
    keys: tuple[PublicKey, ...] = field(default=(), repr=False, hash=False)
    verification_keys: tuple[VerificationKey, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verification_keys", tuple(map(read_public_key, self.keys)))
        for algorithm in (
            self.authorization_signed_response_alg,
            self.introspection_signed_response_alg,
        ):
            if algorithm is not None:
                find_algorithm(algorithm)

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """The thumbprints of its certificates (RFC 8705 section 3.1)."""
        return tuple(map(certificate_thumbprint, self.certificates))

    @property
    def auth_methods(self) -> tuple[ClientAuthMethod, ...]:
        """The methods by which this client may prove who it is."""
        if self.token_endpoint_auth_method is not None:
            return (self.token_endpoint_auth_method,)
        by_secret = (
            ClientAuthMethod.CLIENT_SECRET_BASIC,
            ClientAuthMethod.CLIENT_SECRET_POST,
            ClientAuthMethod.CLIENT_SECRET_JWT,
        )
        possible: tuple[ClientAuthMethod, ...] = () if self.client_secret is None else by_secret
        if self.keys:
            possible += (ClientAuthMethod.PRIVATE_KEY_JWT,)
        return possible or (ClientAuthMethod.NONE,)


@dataclass(frozen=True, slots=True)
class AssertionIssuer:
    """Whose signed assertions the server takes for a token (RFC 7523 section 3).

    issuer: the claim `iss`.
    keys: PEM texts or JWKs; a secret that is shared is a JWK too, of the kind `oct`.
    Raises what `RegisteredClient` raises for keys.
    """

    issuer: str
    keys: tuple[PublicKey, ...] = field(repr=False, hash=False)
    verification_keys: tuple[VerificationKey, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verification_keys", tuple(map(read_public_key, self.keys)))


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


def _no_metadata() -> Mapping[str, object]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginDemand:
    """What kind of login a resource demands (RFC 9470).

    acr_values: the kinds of which one has to be it; any if there are none.
    max_age: how many seconds ago it may have been at most.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None


def _no_demands() -> Mapping[str, LoginDemand]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What an authorization server is like. All lifetimes are in seconds.

    rotate_refresh_tokens: each use of a refresh token gives a new one and ends the old one.
    rotation_grace: for so long a used refresh token still works; after that its use is taken for
        theft, and everything that came from the same approval is revoked (RFC 9700 section 4.14.2).
    decision_lifetime: for so long a user may think about what a device has asked for.
    polling_interval: how many seconds a client has to leave between two requests for a decision.
    require_pkce: refuse authorization requests without a `code_challenge`.
    require_pushed_authorization_requests: refuse all others, and say so in the metadata (RFC 9126).
    require_signed_request_object: refuse authorization requests that are not signed (RFC 9101).
    signing_key: signs callbacks (JARM) and introspection (RFC 9701), and is published at
        `jwks_uri`: the PEM text of a private key, or a JWK; without one, only a secret that client
        and server share can. Takes the extra `jose`.
    mtls_url: where clients with a certificate find all that is below the issuer (RFC 8705 section 5).
    require_dpop_nonce: refuse proofs without a nonce of this server (RFC 9449 section 8).
    dpop_nonce_lifetime: after so long there is a new one; the one before it counts still.
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
    resource_logins: the login that a path demands, in the same way (RFC 9470).
    resource_metadata: publish what the resource is, and name the document in its challenges
        (RFC 9728).
    acr_values_supported: the kinds of login that there are; who is asked for none logs in by the
        first.
    authorization_details_types: the types of `authorization_details` that are known (RFC 9396).
    assertion_issuers: whose JWTs are taken for a token; those of a client that signs with its own
        keys are taken in any case.
    assertion_audiences: whom an assertion may be meant for.
    longest_assertion_lifetime: an assertion that expires later than that is refused.
    clock_skew: by how much an assertion may be too late or too early.
    saml_issuers: whose unsigned SAML assertions are taken for a token; only a test does that.
    read_saml: checks the XML of a SAML assertion, in place of our own reader; returns the subject,
        or raises `ValueError` with the reason.
    """

    access_token_lifetime: int = 3600
    refresh_token_lifetime: int = 14 * 24 * 3600
    code_lifetime: int = 60
    rotate_refresh_tokens: bool = True
    rotation_grace: float = 0
    pushed_request_lifetime: int = 60
    decision_lifetime: int = 600
    polling_interval: float = 5.0
    require_pkce: bool = True
    require_pushed_authorization_requests: bool = False
    require_signed_request_object: bool = False
    signing_key: PrivateKey | None = field(default=None, repr=False, hash=False)
    mtls_url: str | None = None
    require_dpop_nonce: bool = False
    dpop_nonce_lifetime: float = 300
    send_issuer: bool = True
    allow_get_token_requests: bool = False
    raw_basic_credentials: bool = False
    revoke_family_with_access_token: bool = False
    oauth_metadata: bool = True
    openid_metadata: bool = True
    metadata: Mapping[str, object] = field(default_factory=_no_metadata)
    passwords: Mapping[str, str] = field(default_factory=_nothing, repr=False)
    resource_scopes: Mapping[str, str] = field(default_factory=_nothing)
    resource_logins: Mapping[str, LoginDemand] = field(default_factory=_no_demands)
    resource_metadata: bool = False
    acr_values_supported: tuple[str, ...] = ()
    authorization_details_types: tuple[str, ...] = ()
    assertion_issuers: tuple[AssertionIssuer, ...] = ()
    assertion_audiences: tuple[AssertionAudience, ...] = tuple(AssertionAudience)
    longest_assertion_lifetime: float = 3600
    clock_skew: float = 0
    saml_issuers: tuple[str, ...] = ()
    read_saml: Callable[[bytes], str] | None = None
    signer: SigningKey | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        signer = None if self.signing_key is None else read_private_key(self.signing_key)
        object.__setattr__(self, "signer", signer)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whoever sits at the browser, or decides on another device.

    approves: whether the client gets what it asks for.
    edit: changes the callback on its way: its URL, or the body of the posted form.
    scope: what is granted of the scope that was asked for, separated by spaces; all if left out.
    error: the code that a user who does not approve brings about.
    logged_in_at: when, in seconds since the epoch; whenever it is asked for if left out.
    decides_after: how many seconds a decision on another device takes; `None` for no end, unless
        `AuthorizationServer.decide` is called.
    user_code: the secret without which nobody may ask this user (CIBA).
    """

    subject: str = "alice"
    approves: bool = True
    edit: Callable[[str], str] | None = None
    scope: str | None = None
    error: str = "access_denied"
    logged_in_at: float | None = None
    decides_after: float | None = 0.0
    user_code: str | None = field(default=None, repr=False)
