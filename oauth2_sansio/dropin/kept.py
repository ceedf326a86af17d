"""What a client of the drop-in vocabulary keeps besides its attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..client_auth import ClientAuthentication
from ..events import Pairs
from ..server import Server
from ..tokens import OAuth2Token
from .amending import RequestHook
from .calls import Call
from .hooks import HookType, amend_by
from .methods import AuthFunction, Chosen

if TYPE_CHECKING:
    from ..coordinator_policy import RefreshPolicy
    from ..dpop import DPoP
    from ..request_object import RequestObject
    from ..server_keys import ServerKeys
    from .signing import Sign


def _no_methods() -> dict[str, AuthFunction]:
    return {}


@dataclass(slots=True)
class Kept:
    """One object, since each attribute of a client costs: a class whose instances have 30 of them or
    more is slower, in every call of the HTTP library too. Users may want some for themselves.

    allow_insecure_http, url_allowed: from the constructor.
    auth_methods: the ways to authenticate that were registered.
    code_verifier, asked_type, asked_mode: of the last authorization URL that was made.
    warned: whether the warning of a callback without an expected state is out.
    store, store_key, refresh_policy: where the token is shared with other processes, and how.
    token_client: what requests to endpoints go through; None for the client itself.
    request_object: signs the authorization requests.
    dpop: the key that tokens are bound to.
    server_keys, authorization_signed_response_alg: what a signed callback is verified with.
    use_mtls_endpoint_aliases: whether clients with a certificate are served elsewhere.
    sign: signs with keys that are elsewhere.
    token_url, client_credentials: of the last calls that fetched a token, for renewals.
    chosen, client: what was made last for a call, and of which settings: while these are the same,
        it serves each call. Each is one value, which threads may share.
    arguments: what the HTTP library's own client was built with, where it has to be built anew.
    own_auth: what authorizes each request of the client, as an object of the HTTP library.
    home: the event loop that an asynchronous client is in use in.
    asked: URL and headers of the last request to an endpoint, each as it came and as the HTTP
        library has read it; one value too.
    """

    allow_insecure_http: bool
    url_allowed: Callable[[str], bool] | None
    store: Any = None
    store_key: str | None = None
    refresh_policy: RefreshPolicy | None = None
    token_client: Any = None
    request_object: RequestObject | None = None
    dpop: DPoP | None = None
    sign: Sign | None = None
    server_keys: ServerKeys | None = None
    authorization_signed_response_alg: str | None = None
    use_mtls_endpoint_aliases: bool = False
    auth_methods: dict[str, AuthFunction] = field(default_factory=_no_methods)
    code_verifier: str | None = None
    asked_type: str | None = None
    asked_mode: str | None = None
    warned: bool = False
    token_url: str | None = None
    client_credentials: Callable[[], Call[OAuth2Token]] | None = None
    chosen: tuple[tuple[object, ...], Chosen] | None = None
    client: tuple[tuple[object, ...], Client] | None = None
    arguments: Any = None
    own_auth: Any = None
    home: Any = None
    asked: tuple[str, Any, Pairs | None, Any] = ("", None, None, None)

    def new_client(
        self,
        server: Server,
        client_id: str | None,
        auth: ClientAuthentication,
        functions: tuple[RequestHook, ...],
        hooks: HookType | None,
        omit_pkce: bool,
    ) -> Client:
        """Return a client of these settings, and of those that are kept here.

        functions, hooks: the users' hooks for requests, and their type where there are some.
        """
        return Client(
            server=server,
            client_id=client_id or "",
            auth=auth,
            omit_pkce=omit_pkce,
            amend_request=amend_by(functions, hooks) if hooks else (),
            url_allowed=self.url_allowed,
            request_object=self.request_object,
            dpop=self.dpop,
            use_mtls_endpoint_aliases=self.use_mtls_endpoint_aliases,
            authorization_signed_response_alg=self.authorization_signed_response_alg,
        )

    def __repr__(self) -> str:
        return "<Kept>"  # it holds secrets


def copied(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata that stay as they are, also where somebody changes a list in them in place."""
    return {
        name: value.copy() if isinstance(value, (list, dict)) else value
        for name, value in metadata.items()
    }
