"""What a client of the drop-in vocabulary keeps besides its attributes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..server import Server
from ..tokens import OAuth2Token
from .amending import RequestHook
from .calls import Call
from .hooks import HookType, amend_by
from .methods import AuthFunction

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
    _made: tuple[tuple[object, ...], Client] | None = None  # one value, which threads may share

    def client_of(
        self,
        of_server: dict[str, Any],
        of_client: dict[str, Any],
        functions: tuple[RequestHook, ...],
        hooks: HookType | None,
    ) -> Client:
        """Return the client of these settings: the last one, where they are the same again.

        of_server, of_client: the arguments of both, but for what is kept here and stays the same.
        functions: the users' hooks of a type, for requests.
        """
        made_of = (of_server, of_client, functions, hooks)
        made = self._made
        if made is None or made[0] != made_of:
            amend = amend_by(functions, hooks) if hooks else ()
            client = Client(
                server=Server(**of_server, allow_insecure_http=self.allow_insecure_http),
                amend_request=amend,
                url_allowed=self.url_allowed,
                request_object=self.request_object,
                dpop=self.dpop,
                use_mtls_endpoint_aliases=self.use_mtls_endpoint_aliases,
                authorization_signed_response_alg=self.authorization_signed_response_alg,
                **of_client,
            )
            made = self._made = (made_of, client)
        return made[1]

    def __repr__(self) -> str:
        return "<Kept>"  # it holds secrets
