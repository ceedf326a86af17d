"""The keyword arguments that the classes of all adapters have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypedDict

from ..server import Server

if TYPE_CHECKING:
    from ..coordinator_policy import RefreshPolicy
    from ..dpop import DPoP
    from ..request_object import RequestObject
    from ..server_keys import ServerKeys
    from .signing import Sign


class Settings(TypedDict, total=False):
    """What a client can be told beyond its class's own arguments, by keyword.

    server: a whole server; the other members given count before its own.
    allow_insecure_http: lets endpoints be plain http outside the loopback interface.
    url_allowed: is asked before each request to an endpoint; false refuses it.
    store: where the token is shared with other processes (`oauth2_sansio.stores`): an asynchronous
        one for an asynchronous client. What it holds counts, also for a client without `token=`.
    store_key: tells the tokens of one client apart, such as by their users.
    refresh_policy: how a token in a store is renewed, and how often the store is read: see
        `RefreshPolicy`. Of its `leeway` and that of the client the longer one counts.
    deadline: how many seconds a request to an endpoint may take as a whole; 30 by default.
    request_object: signs the authorization requests (RFC 9101).
    use_mtls_endpoint_aliases: turns to the `mtls_endpoint_aliases` of the metadata, for tokens that
        are bound to the certificate of the connection; a client that authenticates by that does so
        in any case (RFC 8705 section 5).
    dpop: the key that tokens are bound to (RFC 9449): see `DPoP`.
    server_keys: what a callback is verified with where it is asked for in a signed `response_mode`
        such as `jwt` (JARM); they may be set later too. Nothing fetches them by itself:
        `client.server_keys = client.run(ServerKeys.fetch(server))`.
    authorization_signed_response_alg: what the server signs callbacks with, as registered.
    sign: signs with a key elsewhere (`RemoteKey`): gets a `SignatureNeeded`, and returns the bytes of
        the signature, or in an asynchronous client what is to be awaited for them. A blocking client
        waits for it as long as it takes: give it a timeout of its own.
    token_client: another session or client of the HTTP library, for a proxy, a client certificate
        or a guarded transport: the requests to endpoints go through that one. You close it.

    All others are members of the server's metadata (RFC 8414 section 2) or parameters of the
    authorization request that are the same each time.
    """

    server: Server
    allow_insecure_http: bool
    url_allowed: Callable[[str], bool]
    deadline: float
    request_object: RequestObject
    dpop: DPoP
    use_mtls_endpoint_aliases: bool
    server_keys: ServerKeys
    authorization_signed_response_alg: str
    sign: Sign
    token_client: Any  # each library has its own
    store: Any  # a TokenStore, or an AsyncTokenStore: here is no I/O, and so no import of these
    store_key: str
    refresh_policy: RefreshPolicy
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    pushed_authorization_request_endpoint: str
    device_authorization_endpoint: str
    backchannel_authentication_endpoint: str
    registration_endpoint: str
    userinfo_endpoint: str
    end_session_endpoint: str
    jwks_uri: str
    server_metadata_url: str
    code_challenge_method: str | None
    grant_type: str
    response_type: str
    response_mode: str
    nonce: str
    prompt: str
    login_hint: str
    access_type: str
    acr_values_supported: Sequence[str]
    authorization_details_types_supported: Sequence[str]
    authorization_response_iss_parameter_supported: bool
    authorization_signing_alg_values_supported: Sequence[str]
    backchannel_authentication_request_signing_alg_values_supported: Sequence[str]
    backchannel_token_delivery_modes_supported: Sequence[str]
    backchannel_user_code_parameter_supported: bool
    claims_supported: Sequence[str]
    code_challenge_methods_supported: Sequence[str]
    dpop_signing_alg_values_supported: Sequence[str]
    grant_types_supported: Sequence[str]
    id_token_signing_alg_values_supported: Sequence[str]
    introspection_endpoint_auth_methods_supported: Sequence[str]
    introspection_endpoint_auth_signing_alg_values_supported: Sequence[str]
    introspection_signing_alg_values_supported: Sequence[str]
    mtls_endpoint_aliases: Mapping[str, str]
    op_policy_uri: str
    op_tos_uri: str
    require_pushed_authorization_requests: bool
    require_signed_request_object: bool
    response_modes_supported: Sequence[str]
    response_types_supported: Sequence[str]
    revocation_endpoint_auth_methods_supported: Sequence[str]
    revocation_endpoint_auth_signing_alg_values_supported: Sequence[str]
    scopes_supported: Sequence[str]
    service_documentation: str
    subject_types_supported: Sequence[str]
    tls_client_certificate_bound_access_tokens: bool
    token_endpoint_auth_methods_supported: Sequence[str]
    token_endpoint_auth_signing_alg_values_supported: Sequence[str]
    ui_locales_supported: Sequence[str]


_NOT_METADATA = frozenset(
    {
        "server",
        "allow_insecure_http",
        "url_allowed",
        "deadline",
        "store",
        "store_key",
        "refresh_policy",
        "token_client",
        "request_object",
        "dpop",
        "use_mtls_endpoint_aliases",
        "server_keys",
        "authorization_signed_response_alg",
        "sign",
        "code_challenge_method",
    }
)


def read_metadata(settings: Mapping[str, Any], class_name: str) -> dict[str, Any]:
    """Return the members of the server's metadata among the settings.

    Raises `TypeError` for a name that is not known, and `ValueError` for a PKCE method that is not
    safe.
    """
    unknown = sorted(settings.keys() - Settings.__annotations__.keys())
    if unknown:
        raise TypeError(f"{class_name} has no argument {', '.join(unknown)}")
    check_challenge_method(settings.get("code_challenge_method"))
    server = settings.get("server")
    metadata = {} if server is None else _members(server)
    metadata.update(
        (name, value)
        for name, value in settings.items()
        if name not in _NOT_METADATA and value is not None
    )
    return metadata


def check_challenge_method(method: object) -> None:
    """Raise `ValueError` for a PKCE method that is not safe."""
    if method not in (None, "S256"):
        raise ValueError('code_challenge_method can be "S256" alone: all others are unsafe')


def _members(server: Server) -> dict[str, Any]:
    named = {each.name: getattr(server, each.name) for each in fields(server)}
    del named["metadata"], named["allow_insecure_http"]
    return {**server.metadata, **{name: value for name, value in named.items() if value}}
