"""What a client of the drop-in vocabulary is told, and what it makes of that for each call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..client import Client
from ..client_auth import MTLS_METHODS
from ..events import Endpoint
from ..flow import Flow
from ..parameters import details_pair
from ..resource import TokenPlacement
from ..server import Server
from .calls import Call
from .hooks import ComplianceHooks, HookType
from .kept import Kept, copied
from .methods import (
    METHODS_BY_SECRET,
    Chosen,
    Credentials,
    check_method,
    is_auth_function,
    method_by_secret,
    read_registration,
)
from .settings import read_metadata

if TYPE_CHECKING:
    from ..dpop import DPoP
    from ..server_keys import ServerKeys
    from .signing import Sign

R = TypeVar("R")

_SELDOM_GIVEN = frozenset({"code_challenge_method", "deadline"})  # of the class, else: see `Kept`


class Configured:
    """The settings of a client, its hooks, and its ways to authenticate.

    The attributes may be changed between calls, as users do.
    """

    # What the HTTP library calls its request options.
    REQUEST_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    # What it takes for another kind of request, or for a whole client.
    NOT_OF_A_CALL: ClassVar[frozenset[str]] = frozenset()

    client_id: str | None
    client_secret: Any
    token_endpoint_auth_method: Any
    revocation_endpoint_auth_method: Any
    scope: Any
    state: str | None
    redirect_uri: str | None
    token_placement: str
    update_token: Callable[..., Any] | None
    code_challenge_method: str | None = None
    deadline: float = 30.0
    metadata: dict[str, Any]
    compliance_hook: ComplianceHooks

    def _configure(
        self,
        *,
        client_id: str | None,
        client_secret: Any,
        token_endpoint_auth_method: Any,
        revocation_endpoint_auth_method: Any,
        scope: Any,
        state: str | None,
        redirect_uri: str | None,
        token: Mapping[str, Any] | None,
        token_placement: str,
        update_token: Callable[..., Any] | None,
        leeway: float,
        settings: Mapping[str, Any],
    ) -> None:
        self.metadata = read_metadata(settings, type(self).__name__)
        self.client_id = client_id
        self.client_secret = client_secret
        own = self.token_endpoint_auth_method = check_method(
            token_endpoint_auth_method or self._method_by_secret(Endpoint.TOKEN)
        )
        # There is one certificate for all endpoints.
        by_certificate = own if getattr(own, "method", own) in MTLS_METHODS else None
        self.revocation_endpoint_auth_method = check_method(
            revocation_endpoint_auth_method
            or by_certificate
            or self._method_by_secret(Endpoint.REVOCATION)
        )
        self.scope = scope
        self.state = state
        self.redirect_uri = redirect_uri
        self.token_placement = TokenPlacement(token_placement).value
        self.update_token = update_token
        for name in _SELDOM_GIVEN & settings.keys():
            if settings[name] is not None:
                setattr(self, name, settings[name])
        self.compliance_hook = ComplianceHooks()
        server = settings.get("server")
        self._kept = Kept(
            allow_insecure_http=settings.get(
                "allow_insecure_http", server is not None and server.allow_insecure_http
            ),
            url_allowed=settings.get("url_allowed"),
            store=settings.get("store"),
            store_key=settings.get("store_key"),
            refresh_policy=settings.get("refresh_policy"),
            token_client=self._checked_token_client(settings.get("token_client")),
            request_object=settings.get("request_object"),
            dpop=settings.get("dpop"),
            sign=settings.get("sign"),
            server_keys=settings.get("server_keys"),
            authorization_signed_response_alg=settings.get("authorization_signed_response_alg"),
            use_mtls_endpoint_aliases=bool(settings.get("use_mtls_endpoint_aliases")),
        )
        self._hold_token(token, leeway)

    @abstractmethod
    def _hold_token(self, token: Mapping[str, Any] | None, leeway: float) -> None:
        """Begin with this token."""

    @abstractmethod
    def _token_client_class(self) -> type[Any]:
        """Return the class that a `token_client` has to be of."""

    def _checked_token_client(self, client: object) -> object:
        wanted = self._token_client_class()
        if client is not None and not isinstance(client, wanted):
            library = wanted.__module__.partition(".")[0]
            raise TypeError(f"token_client is no {library}.{wanted.__name__}")
        return client

    @property
    def _endpoint_client(self) -> Any:
        # Through which requests to endpoints go.
        return self if self._kept.token_client is None else self._kept.token_client

    @property
    def dpop(self) -> DPoP | None:
        """The key that tokens are bound to (RFC 9449), if any."""
        return self._kept.dpop

    @property
    def sign(self) -> Sign | None:
        """The function that signs with keys that are elsewhere, if any."""
        return self._kept.sign

    @property
    def server_keys(self) -> ServerKeys | None:
        """The keys of the server, which signed callbacks are verified with (JARM), if any."""
        return self._kept.server_keys

    @server_keys.setter
    def server_keys(self, keys: ServerKeys | None) -> None:
        self._kept.server_keys = keys

    def register_client_auth_method(self, auth: Any) -> None:
        """Make a way to authenticate known.

        auth: a name and a function, or an object that has a `name` and can be called; either is
            called as `function(client, method, uri, headers, body)` and returns the last three.
        """
        name, function = read_registration(auth)
        self._kept.auth_methods = {**self._kept.auth_methods, name: function}

    def register_compliance_hook(self, hook_type: str, hook: Callable[..., Any]) -> None:
        """Add a function that changes requests or responses; ValueError for an unknown type.

        Types: `access_token_request`, `access_token_response`, `refresh_token_request`,
        `refresh_token_response`, `revoke_token_request`, `introspect_token_request`,
        `protected_request`. Functions of one type run in the order of their registration.
        """
        self.compliance_hook.register(hook_type, hook)

    def _client(
        self,
        endpoint: Endpoint,
        url: str | None,
        chosen: Chosen,
        *,
        hooks: HookType | None = None,
        omit_pkce: bool = True,
        beside: tuple[tuple[Endpoint, str | None], ...] = (),
    ) -> Client:
        # beside: other endpoints that are needed too, with their URLs where the call names them.
        named = ((endpoint, url), *beside)
        urls = tuple([(each, self._url_of(each, at)) for each, at in named])
        if endpoint not in (Endpoint.TOKEN, Endpoint.AUTHORIZATION):
            # Wherever the client authenticates by an assertion, that is for the token endpoint.
            urls += ((Endpoint.TOKEN, self._url_of(Endpoint.TOKEN, self._remembered_url())),)
        functions = self.compliance_hook.of(hooks) if hooks else ()
        of_client = (
            chosen.client_id,
            chosen.way,
            functions,
            hooks if functions else None,
            omit_pkce,
        )
        kept = self._kept
        made, made_of = kept.client, (self.metadata, named, urls, of_client)
        if made is None or made[0] != made_of:
            then = (copied(self.metadata), named, urls, of_client)
            made = kept.client = then, kept.new_client(self._server(named, urls), *of_client)
        return made[1]

    def _server(
        self,
        named: tuple[tuple[Endpoint, str | None], ...],
        urls: tuple[tuple[Endpoint, str | None], ...],
    ) -> Server:
        metadata = self.metadata
        aliases: Mapping[str, str] = metadata.get("mtls_endpoint_aliases") or {}
        counting = {each.value for each, at in named if at}  # whatever the metadata say of these
        found: dict[str, Any] = {each.value: at for each, at in urls}
        return Server(
            issuer=metadata.get("issuer"),
            code_challenge_methods_supported=self._listed("code_challenge_methods_supported"),
            dpop_signing_alg_values_supported=self._listed("dpop_signing_alg_values_supported"),
            authorization_signing_alg_values_supported=self._listed(
                "authorization_signing_alg_values_supported"
            ),
            require_signed_request_object=bool(metadata.get("require_signed_request_object")),
            mtls_endpoint_aliases={
                name: alias for name, alias in aliases.items() if name not in counting
            },
            allow_insecure_http=self._kept.allow_insecure_http,
            **found,
        )

    def _url_of(self, endpoint: Endpoint, url: str | None) -> str | None:
        # url: of this very call, if it names one.
        return url or self.metadata.get(endpoint.value)

    def _listed(self, name: str) -> tuple[str, ...] | None:
        # What of the metadata is a list; None where it is not known.
        values = self.metadata.get(name)
        return None if values is None else tuple(values)

    def _check_details(self, parameters: Mapping[str, Any]) -> None:
        details = parameters.get("authorization_details")
        if details is not None and not isinstance(details, str):
            details_pair(details, self._listed("authorization_details_types_supported"))

    def _call(
        self,
        flow: Flow[R],
        options: Mapping[str, Any],
        chosen: Chosen,
        hooks: HookType | None,
        on_success: Callable[[], None] | None = None,
    ) -> Call[R]:
        return Call(
            flow,
            options=options,
            http_auth=chosen.http_auth,
            amend_response=self.compliance_hook.of(hooks) if hooks else (),
            on_success=on_success,
        )

    def _chosen(self, auth: Any, method: Any) -> Chosen:
        kept = self._kept
        credentials = (self.client_id, self.client_secret, kept.auth_methods)
        made, made_of = kept.chosen, (method, *credentials)
        if auth is None and made is not None and made[0] == made_of:
            return made[1]
        chosen = Credentials(self, *credentials).choose(auth, method, self._is_http_auth)
        if auth is None:
            kept.chosen = made_of, chosen
        return chosen

    def _remembered_url(self) -> str | None:
        # Of the call that fetched the token; what the metadata say counts before.
        return None if self.metadata.get("token_endpoint") else self._kept.token_url

    def _method_by_secret(self, endpoint: Endpoint) -> str:
        # Where the user names none.
        supported = self._listed(f"{endpoint.value}_auth_methods_supported")
        return method_by_secret(supported) if self.client_secret else "none"

    def _method_at(self, endpoint: Endpoint) -> Any:
        # Introspection has no argument of its own: it is done in the way of the token endpoint, if
        # the server takes that there.
        if endpoint is Endpoint.REVOCATION:
            return self.revocation_endpoint_auth_method
        named = self.token_endpoint_auth_method
        supported = self._listed(f"{endpoint.value}_auth_methods_supported")
        is_by_secret = isinstance(named, str) and named in METHODS_BY_SECRET
        if is_by_secret and supported and named not in supported:
            return method_by_secret(supported)
        return named

    def _is_http_auth(self, auth: Any) -> bool:
        # Whatever else can be called gets the HTTP library's request, as that library has it.
        return not hasattr(auth, "signer") and not is_auth_function(auth)

    def _take_options(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if not self.NOT_OF_A_CALL.isdisjoint(parameters):
            unknown = min(self.NOT_OF_A_CALL & parameters.keys())
            raise TypeError(
                f"a {type(self).__name__} takes no {unknown} with a single call of this kind: "
                "build a client of its own with it, or leave it out"
            )
        return {name: parameters.pop(name) for name in self.REQUEST_OPTIONS & parameters.keys()}
