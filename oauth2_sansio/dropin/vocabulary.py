"""The drop-in vocabulary without the sending: arguments become flows of the strict one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn, TypeVar

from ..authorization import PendingAuthorization
from ..client import Client
from ..client_auth import ClientAuthentication
from ..errors import InvalidTokenError, LocalProtocolError, MissingTokenError
from ..events import Endpoint, Finished, Pairs
from ..flow import Flow
from ..keeper import Renewal, TokenKeeper
from ..resource import TokenPlacement
from ..server import Server
from ..tokens import OAuth2Token
from .calls import Call
from .callbacks import Callback, read_callback
from .hooks import ComplianceHooks, HookType, amend_by
from .methods import KNOWN_METHODS, FunctionAuthentication, Unauthenticated, by_name
from .parameters import read_body, read_parameters, read_scope
from .settings import read_metadata

R = TypeVar("R")

_AUTHORIZATION_DEFAULTS = ("response_mode", "nonce", "prompt", "login_hint", "access_type")
_NEVER_IN_A_URL = frozenset({"client_secret", "password"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """How one call authenticates, and as whom.

    http_auth: an object of the HTTP library that does it instead.
    """

    client_id: str | None
    way: ClientAuthentication
    http_auth: object = None


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """A token that was revoked or introspected, and the status of the answer."""

    token: str = field(repr=False)
    status: int


class Vocabulary:
    """What the classes of all adapters know and decide without I/O.

    The attributes may be changed between calls, as users do.
    """

    # What the HTTP library calls its request options.
    REQUEST_OPTIONS: ClassVar[frozenset[str]] = frozenset()

    client_id: str | None
    client_secret: Any
    token_endpoint_auth_method: Any
    revocation_endpoint_auth_method: Any
    scope: Any
    state: str | None
    redirect_uri: str | None
    token_placement: str
    update_token: Callable[..., Any] | None
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
        if token_endpoint_auth_method is None:
            token_endpoint_auth_method = "client_secret_basic" if client_secret else "none"
        self._auth_methods: dict[str, Any] = {}
        self.token_endpoint_auth_method = self._known_method(token_endpoint_auth_method)
        self.revocation_endpoint_auth_method = self._known_method(
            revocation_endpoint_auth_method or token_endpoint_auth_method
        )
        self.scope = scope
        self.state = state
        self.redirect_uri = redirect_uri
        self.token_placement = TokenPlacement(token_placement).value
        self.update_token = update_token
        self.compliance_hook = ComplianceHooks()
        server = settings.get("server")
        self._allow_insecure_http: bool = settings.get(
            "allow_insecure_http", server is not None and server.allow_insecure_http
        )
        self._url_allowed: Callable[[str], bool] | None = settings.get("url_allowed")
        self.deadline: float = settings.get("deadline", 30.0)
        self._code_verifier: str | None = None
        self._warned = False
        self._last_token_url: str | None = None
        self._client_credentials: Callable[[], Call[OAuth2Token]] | None = None
        self._keeper = TokenKeeper(OAuth2Token.from_dict(token), self._renewal, leeway=leeway)

    @property
    def token(self) -> OAuth2Token | None:
        """The current token, or None. It may be set to any dict."""
        return self._keeper.token

    @token.setter
    def token(self, token: Mapping[str, Any] | None) -> None:
        self._keeper.token = OAuth2Token.from_dict(token)

    @property
    def leeway(self) -> float:
        """How many seconds before its end a token is renewed."""
        return self._keeper.leeway

    @leeway.setter
    def leeway(self, leeway: float) -> None:
        self._keeper.leeway = leeway

    def create_authorization_url(
        self,
        url: str | None = None,
        state: str | None = None,
        code_verifier: str | None = None,
        **kwargs: Any,
    ) -> tuple[str, str]:
        """Return the URL to send the user to, and the state, which is kept for `fetch_token`.

        url: the authorization endpoint; its own query is kept as it is.
        state: made at random where it is left out.
        code_verifier: for PKCE (RFC 7636); made at random and kept where the client was built with
            `code_challenge_method="S256"`.
        kwargs: further parameters; a list repeats its name, a dict becomes JSON.
        """
        response_type = kwargs.pop("response_type", None) or self._response_type()
        defaults = {
            name: self.metadata[name] for name in _AUTHORIZATION_DEFAULTS if name in self.metadata
        }
        challenged = code_verifier is not None or bool(self.metadata.get("code_challenge_method"))
        client = self._client(
            Endpoint.AUTHORIZATION,
            url,
            Chosen(self.client_id, Unauthenticated()),
            omit_pkce=not challenged or "code_challenge" in kwargs,
        )
        action = client.authorize(
            redirect_uri=kwargs.pop("redirect_uri", self.redirect_uri),
            scope=read_scope(kwargs.pop("scope", self.scope)),
            state=state,
            response_type=response_type,
            code_verifier=code_verifier,
            parameters=read_parameters({**defaults, **kwargs}),
        ).start(0.0)
        assert isinstance(action, Finished)  # without PAR nothing has to be sent
        pending: PendingAuthorization = action.result
        self.state = pending.state
        self._code_verifier = code_verifier or pending.code_verifier
        return pending.url, pending.state

    def register_client_auth_method(self, auth: Any) -> None:
        """Make a way to authenticate known.

        auth: a name and a function, or an object that has a `name` and can be called; either is
            called as `function(client, method, uri, headers, body)` and returns the last three.
        """
        name, function = auth if isinstance(auth, tuple) else (auth.name, auth)
        self._auth_methods[name] = function

    def register_compliance_hook(self, hook_type: str, hook: Callable[..., Any]) -> None:
        """Add a function that changes requests or responses; ValueError for an unknown type.

        Types: `access_token_request`, `access_token_response`, `refresh_token_request`,
        `refresh_token_response`, `revoke_token_request`, `introspect_token_request`,
        `protected_request`. Functions of one type run in the order of their registration.
        """
        self.compliance_hook.register(hook_type, hook)

    # Calls: each becomes a flow, together with what concerns the HTTP library alone.

    def _fetching(
        self,
        url: str | None,
        body: Any,
        method: str,
        headers: Mapping[str, str] | None,
        auth: Any,
        grant_type: str | None,
        state: str | None,
        parameters: dict[str, Any],
        now: float,
    ) -> Call[OAuth2Token] | OAuth2Token:
        options = self._take_options(parameters)
        response = parameters.pop("authorization_response", None)
        if response is not None:
            callback = self._read_callback(response, url, state, now)
            if callback.token is not None:
                return callback.token
            parameters["code"] = callback.code
            grant_type = grant_type or "authorization_code"
        grant_type = grant_type or self.metadata.get("grant_type") or _guess_grant(parameters)
        if grant_type == "authorization_code":
            parameters.setdefault("redirect_uri", self.redirect_uri)
            if self._code_verifier is not None:
                parameters.setdefault("code_verifier", self._code_verifier)
        else:
            parameters.setdefault("scope", self.scope)
        if method == "GET" and not _NEVER_IN_A_URL.isdisjoint(parameters):
            raise LocalProtocolError(
                "a secret never goes into a URL", endpoint=Endpoint.TOKEN, advice="use POST"
            )
        given = (*read_body(body), *read_parameters(parameters))
        chosen = self._chosen(auth, self.token_endpoint_auth_method)
        self._last_token_url = url or self._last_token_url

        def call() -> Call[OAuth2Token]:
            client = self._client(Endpoint.TOKEN, url, chosen, hooks=HookType.ACCESS_TOKEN_REQUEST)
            flow = client.request_token(
                grant_type, parameters=given, method=method, headers=_header_pairs(headers)
            )
            return self._call(flow, options, chosen, HookType.ACCESS_TOKEN_RESPONSE)

        if grant_type == "client_credentials":
            self._client_credentials = call  # renewed with all that was asked for here
        return call()

    def _implicit_token(self, response: str, state: str | None, now: float) -> OAuth2Token:
        callback = self._read_callback(response, None, state, now, token_is_welcome=True)
        if callback.token is None:
            raise LocalProtocolError(
                "there is no token in the fragment of this callback",
                endpoint=Endpoint.AUTHORIZATION,
                advice="pass it to fetch_token",
            )
        return callback.token

    def _refreshing(
        self,
        url: str | None,
        refresh_token: str | None,
        body: Any,
        auth: Any,
        headers: Mapping[str, str] | None,
        parameters: dict[str, Any],
    ) -> Renewal:
        options = self._take_options(parameters)
        parameters.setdefault("scope", self.scope)
        given = (*read_body(body), *read_parameters(parameters))
        chosen = self._chosen(auth, self.token_endpoint_auth_method)

        def renew(token: OAuth2Token) -> Call[OAuth2Token]:
            if refresh_token is not None and refresh_token != token.refresh_token:
                token = OAuth2Token({**token, "refresh_token": refresh_token})
            client = self._client(
                Endpoint.TOKEN,
                url or self.metadata.get("token_endpoint") or self._last_token_url,
                chosen,
                hooks=HookType.REFRESH_TOKEN_REQUEST,
            )
            flow = client.refresh(token, parameters=given, headers=_header_pairs(headers))
            return self._call(flow, options, chosen, HookType.REFRESH_TOKEN_RESPONSE)

        return renew

    def _asking_about_token(
        self,
        endpoint: Endpoint,
        hooks: HookType,
        url: str | None,
        token: str | None,
        token_type_hint: str | None,
        body: Any,
        auth: Any,
        headers: Mapping[str, str] | None,
        parameters: dict[str, Any],
    ) -> Call[AskedAbout]:
        options = self._take_options(parameters)
        token = token or self._own_token()
        if token_type_hint:
            parameters = {"token_type_hint": token_type_hint, **parameters}
        given = (("token", token), *read_body(body), *read_parameters(parameters))
        chosen = self._chosen(auth, self.revocation_endpoint_auth_method)
        client = self._client(endpoint, url, chosen, hooks=hooks)
        # The caller gets the HTTP library's response as it is, so nothing of it is read here.
        flow = client.exchange(
            endpoint,
            given,
            lambda answer: AskedAbout(token, answer.response.status),
            headers=_header_pairs(headers),
        )
        return self._call(flow, options, chosen, None)

    def _forget_revoked(self, token: str, status: int) -> None:
        held = self._keeper.token
        if status in (200, 204) and held is not None:
            if token in (held.get("access_token"), held.get("refresh_token")):
                self._keeper.token = None

    def _renewal(self, token: OAuth2Token) -> Flow[OAuth2Token]:
        known = self.metadata.get("token_endpoint") or self._last_token_url
        if token.refresh_token and known:
            return self._refreshing(None, None, "", None, None, {})(token)
        if self._client_credentials is not None:
            return self._client_credentials()
        if self.metadata.get("grant_type") == "client_credentials" and known:
            call = self._fetching(None, "", "POST", None, None, "client_credentials", None, {}, 0.0)
            assert isinstance(call, Call)  # only a callback can hold a token already
            return call
        _raise_not_renewable(has_refresh_token=bool(token.refresh_token))

    def _saved_as(self, previous: OAuth2Token) -> dict[str, Any]:
        # The keyword argument by which `update_token` learns which token has been replaced.
        if previous.refresh_token:
            return {"refresh_token": previous.refresh_token}
        return {"access_token": previous.get("access_token")}

    # How they are made.

    def _read_callback(
        self,
        response: str,
        url: str | None,
        state: str | None,
        now: float,
        *,
        token_is_welcome: bool = False,
    ) -> Callback:
        expected = state or self.state
        if expected is None and not self._warned:
            self._warned = True
            warnings.warn(
                "this callback is accepted although no state is expected: anybody can forge it. "
                "Pass state= to fetch_token or to the constructor",
                UserWarning,
                stacklevel=4,
            )
        no_endpoint = not (url or self.metadata.get("token_endpoint"))
        return read_callback(
            response,
            state=expected,
            response_type=self._response_type(),
            response_mode=self.metadata.get("response_mode"),
            token_is_welcome=token_is_welcome or no_endpoint or self._response_type() == "token",
            issuer=self.metadata.get("issuer"),
            issuer_required=bool(
                self.metadata.get("authorization_response_iss_parameter_supported")
            ),
            now=now,
        )

    def _response_type(self) -> str:
        return str(self.metadata.get("response_type") or "code")

    def _client(
        self,
        endpoint: Endpoint,
        url: str | None,
        chosen: Chosen,
        *,
        hooks: HookType | None = None,
        omit_pkce: bool = True,
    ) -> Client:
        methods = self.metadata.get("code_challenge_methods_supported")
        target: dict[str, Any] = {endpoint.value: url or self.metadata.get(endpoint.value)}
        server = Server(
            issuer=self.metadata.get("issuer"),
            code_challenge_methods_supported=None if methods is None else tuple(methods),
            allow_insecure_http=self._allow_insecure_http,
            **target,
        )
        return Client(
            server=server,
            client_id=chosen.client_id or "",
            auth=chosen.way,
            omit_pkce=omit_pkce,
            amend_request=amend_by(self.compliance_hook.of(hooks)) if hooks else (),
            url_allowed=self._url_allowed,
        )

    def _call(
        self, flow: Flow[R], options: Mapping[str, Any], chosen: Chosen, hooks: HookType | None
    ) -> Call[R]:
        return Call(
            flow,
            options=options,
            http_auth=chosen.http_auth,
            amend_response=self.compliance_hook.of(hooks) if hooks else (),
        )

    def _chosen(self, auth: Any, method: Any) -> Chosen:
        match auth:
            case None:
                return Chosen(self.client_id, self._by_method(method))
            case (client_id, client_secret):
                way = by_name("client_secret_basic", client_id, client_secret)
                return Chosen(client_id, way)
            case _ if self._is_http_auth(auth):
                return Chosen(self.client_id, Unauthenticated(), http_auth=auth)
            case _:
                return Chosen(self.client_id, self._by_method(auth))

    def _by_method(self, method: Any) -> ClientAuthentication:
        if hasattr(method, "signer"):
            way: ClientAuthentication = method
            return way
        if not isinstance(method, str):
            return FunctionAuthentication(getattr(method, "name", "own"), method, self)
        if method in self._auth_methods:
            return FunctionAuthentication(method, self._auth_methods[method], self)
        if method not in KNOWN_METHODS:
            raise ValueError(_unknown_method(method))
        return by_name(method, self.client_id, self.client_secret)

    def _known_method(self, method: Any) -> Any:
        # A name may still be registered, unless it is a misspelt one of those that are known.
        if isinstance(method, str) and method not in KNOWN_METHODS and "client_secret" in method:
            raise ValueError(_unknown_method(method))
        return method

    def _is_http_auth(self, auth: Any) -> bool:
        return False

    def _own_token(self) -> str:
        token = self._keeper.token
        own = None if token is None else token.refresh_token or token.access_token
        if not own:
            raise MissingTokenError("there is no token to name", advice="pass token=")
        return own

    def _take_options(self, parameters: dict[str, Any]) -> dict[str, Any]:
        names = self.REQUEST_OPTIONS & parameters.keys()
        return {name: parameters.pop(name) for name in names}


def _guess_grant(parameters: Mapping[str, Any]) -> str:
    if "code" in parameters:
        return "authorization_code"
    if "username" in parameters and "password" in parameters:
        return "password"
    return "client_credentials"


def _header_pairs(headers: Mapping[str, str] | None) -> Pairs:
    return tuple((headers or {}).items())


def _unknown_method(method: str) -> str:
    return (
        f"no way to authenticate is called {method!r}; there are: {', '.join(KNOWN_METHODS)}, "
        "and those registered by register_client_auth_method"
    )


def _raise_not_renewable(*, has_refresh_token: bool) -> NoReturn:
    raise InvalidTokenError(
        "the token has expired"
        + (", and no token endpoint is known" if has_refresh_token else " and cannot be renewed"),
        endpoint=Endpoint.RESOURCE,
        advice="give token_endpoint=" if has_refresh_token else "fetch a new token",
    )
