"""`OAuth2Session`: a `requests.Session` that fetches, keeps, renews and sends a token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Unpack

import requests
from requests.auth import AuthBase

from oauth2_sansio.driving import drive
from oauth2_sansio.dropin.calls import Call
from oauth2_sansio.dropin.settings import Settings
from oauth2_sansio.errors import LocalProtocolError, OAuth2Error
from oauth2_sansio.events import T
from oauth2_sansio.flow import Flow
from oauth2_sansio.tokens import DEFAULT_LEEWAY, OAuth2Token
from oauth2_sansio.waiting.blocking import BlockingVocabulary
from oauth2_sansio.waiting.clock import now, sleep
from oauth2_sansio.waiting.forks import remember
from oauth2_sansio.waiting.lending import Lending, bound

from .auth import HeaderAuth, OAuth2Auth, PlacedToken, budget_for_new_token, repetition
from .errors import as_requests_error
from .sending import Sender, leave_alone, leave_connections

if TYPE_CHECKING:
    from oauth2_sansio.refusals import RepairBudget

_SESSION_ATTRIBUTES = frozenset(
    {
        "auth",
        "cert",
        "cookies",
        "headers",
        "hooks",
        "max_redirects",
        "params",
        "proxies",
        "stream",
        "trust_env",
        "verify",
    }
)


_ADDED_TO = frozenset({"cookies", "headers"})
_REFUSED_OPTIONS = {
    "allow_redirects": "credentials never follow a redirect",
    "files": "it is form encoded",
    "json": "it is form encoded",
}


class SessionSettings(Settings, total=False):
    """The keyword arguments of `OAuth2Session`: `Settings`, and attributes of the session."""

    auth: Any
    cert: Any
    cookies: Any
    headers: Any
    hooks: Any
    max_redirects: int
    params: Any
    proxies: Any
    stream: bool
    trust_env: bool
    verify: Any


class OAuth2Session(requests.Session, BlockingVocabulary[requests.Response], Lending):
    """A `requests.Session` for one client at one server, and one token.

    client_id, client_secret: from the registration of the client.
    token_endpoint_auth_method: `none`, `client_secret_basic` (the default where there is a
        secret), `client_secret_basic_raw`, `client_secret_post`, `tls_client_auth`,
        `self_signed_tls_client_auth`, a registered name, or a function.
    revocation_endpoint_auth_method: the same for revocation.
    scope: a text with spaces, or a list.
    state: what a callback has to carry.
    token: a dict.
    token_placement: `header`, `body` or `uri`.
    update_token: is called with a renewed token, and with `refresh_token=` or `access_token=` of
        the one before it, before anybody uses the new one.
    leeway: how many seconds before its end a token is renewed.
    default_timeout: of requests, for each request that has none of its own.
    kwargs: endpoints and other members of the server's metadata, and attributes of the session.

    Threads may share a session as far as they may share a `requests.Session`; of any number of
    threads that find the token expired, one renews it.
    """

    default_timeout: Any = None
    REQUEST_OPTIONS: ClassVar[frozenset[str]] = frozenset(
        {"cert", "cookies", "hooks", "proxies", "timeout", "verify"}
    )

    # Whose `request` comes after ours. To ask `super()` takes a sixth of all that ours adds.
    _beneath: ClassVar[type[requests.Session]] = requests.Session

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        behind = cls.__mro__[cls.__mro__.index(OAuth2Session) + 1 :]
        cls._beneath = next(each for each in behind if "request" in vars(each))

    def __init__(
        self,
        client_id: str | None = None,
        client_secret: Any = None,
        token_endpoint_auth_method: Any = None,
        revocation_endpoint_auth_method: Any = None,
        scope: Any = None,
        state: str | None = None,
        redirect_uri: str | None = None,
        token: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        update_token: Callable[..., Any] | None = None,
        leeway: float = DEFAULT_LEEWAY,
        default_timeout: Any = None,
        **kwargs: Unpack[SessionSettings],
    ) -> None:
        settings: dict[str, Any] = dict(kwargs)
        attributes = {name: settings.pop(name) for name in _SESSION_ATTRIBUTES & settings.keys()}
        requests.Session.__init__(self)
        self._configure(
            client_id=client_id,
            client_secret=client_secret,
            token_endpoint_auth_method=token_endpoint_auth_method,
            revocation_endpoint_auth_method=revocation_endpoint_auth_method,
            scope=scope,
            state=state,
            redirect_uri=redirect_uri,
            token=token,
            token_placement=token_placement,
            update_token=update_token,
            leeway=leeway,
            settings=settings,
        )
        for name, value in attributes.items():
            if name in _ADDED_TO:
                getattr(self, name).update(value)
            else:
                setattr(self, name, value)
        if default_timeout is not None:
            self.default_timeout = default_timeout
        self._header_auth = HeaderAuth("")
        self._prepare_flight()
        remember(self)

    @property
    def token_auth(self) -> OAuth2Auth:
        """The token of this session, whatever it is at the time, as `auth=` for any other."""
        return OAuth2Auth(None, self.token_placement, self)

    def request(
        self,
        method: str | bytes,
        url: str | bytes,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        cookies: Any = None,
        files: Any = None,
        auth: Any = None,
        timeout: Any = None,
        allow_redirects: bool = True,
        proxies: Any = None,
        hooks: Any = None,
        stream: bool | None = None,
        verify: Any = None,
        cert: Any = None,
        json: Any = None,
        withhold_token: bool = False,
    ) -> requests.Response:
        """Send a request with the token in it, renewed before if it has expired.

        withhold_token: leaves the token out, and so does an `auth` of one's own.
        All else is as in `requests.Session.request`. Where the server refuses the token as
        invalid, it is renewed and the request repeated, once, if it can be repeated.
        Raises `OAuthError` before anything is sent where there is no usable token.
        """
        if timeout is None:
            timeout = self.default_timeout
        placed: HeaderAuth | PlacedToken | None = None
        if auth is None:
            if not withhold_token:
                # The common case first: a fresh token in the header, made already.
                header = None
                if self.token_placement == "header" and not self.compliance_hook:
                    header = self._keeper.header(now())
                placed = self._header_auth
                if header is not placed.header:
                    placed = self._place(header)
                auth = placed
            elif self.auth is None:
                auth = leave_alone
        response = self._beneath.request(
            self,
            method,  # pyright: ignore[reportArgumentType]  # bytes are taken as well
            url,
            params,
            data,
            headers,
            cookies,
            files,
            auth,
            timeout,
            allow_redirects,
            proxies,
            hooks,
            stream,
            verify,
            cert,
            json,
        )
        if placed is None or response.status_code != 401:
            return response
        options = {"timeout": timeout, "allow_redirects": allow_redirects}
        return self._repeat(response, placed, options, (proxies or {}, stream, verify, cert))

    if TYPE_CHECKING:  # requests' own verbs hand `withhold_token` on; its annotations do not know

        def get(self, url: str | bytes, params: Any = None, **kwargs: Any) -> requests.Response: ...
        def options(self, url: str | bytes, **kwargs: Any) -> requests.Response: ...
        def head(self, url: str | bytes, **kwargs: Any) -> requests.Response: ...
        def delete(self, url: str | bytes, **kwargs: Any) -> requests.Response: ...
        def post(
            self, url: str | bytes, data: Any = None, json: Any = None, **kwargs: Any
        ) -> requests.Response: ...
        def put(self, url: str | bytes, data: Any = None, **kwargs: Any) -> requests.Response: ...
        def patch(self, url: str | bytes, data: Any = None, **kwargs: Any) -> requests.Response: ...

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Keep the token from following a redirect to another origin, and `.netrc` out of it."""
        own: Any = self
        if own.should_strip_auth(response.request.url or "", prepared_request.url or ""):
            prepared_request.headers.pop("Authorization", None)

    def close(self) -> None:
        """Save a token that could not be saved before, and close the connections.

        Raises `UnsavedTokenError` if it still cannot be saved.
        """
        try:
            self._save_all(self._flights())
        finally:
            super().close()

    def after_fork(self) -> None:
        """Leave the connections to the parent of a fork."""
        for session in {self, self._endpoint_client}:
            leave_connections(session)

    def _place(self, header: str | None) -> HeaderAuth | PlacedToken:
        if header is not None:
            self._header_auth = HeaderAuth(header)
            return self._header_auth
        return self._placed(self._keeper.fresh(now()) or self._flight.token())

    def _placed(self, token: OAuth2Token, budget: RepairBudget | None = None) -> PlacedToken:
        found = bound(token, self.token_placement, self.dpop, self.sign)
        hooks = self.protected_request_hooks()
        return PlacedToken(token, self.token_placement, hooks, found, budget)

    def _repeat(
        self,
        response: requests.Response,
        placed: HeaderAuth | PlacedToken,
        options: dict[str, Any],
        environment: tuple[Any, Any, Any, Any],
    ) -> requests.Response:
        budget = budget_for_new_token(response, placed)
        if budget is None:
            return response
        try:
            token = self._flight.token(rejected=placed.access_token)
        except LocalProtocolError:  # there is no way to renew it: the caller sees the refusal
            return response
        response.close()
        request = repetition(response, placed, self._placed(token, budget))
        options |= self.merge_environment_settings(request.url or "", *environment)
        repeated = self.send(request, **options)
        if type(repeated) is requests.Response:
            repeated.history.insert(0, response)
        return repeated

    def _token_client_class(self) -> type[Any]:
        return requests.Session

    def _perform(self, flow: Flow[T]) -> tuple[T, requests.Response | None]:
        call: Call[T] | None = flow if isinstance(flow, Call) else None
        options: Mapping[str, Any] = {} if call is None else call.options
        if self.default_timeout is not None:
            options = {"timeout": self.default_timeout, **options}
        sender = Sender(
            self._endpoint_client,
            options,
            None if call is None else call.http_auth,
            () if call is None else call.amend_response,
            self.deadline,
        )
        try:
            return drive(flow, sender.send, sleep, now, self._signs), sender.response
        except OAuth2Error as error:
            raise as_requests_error(error, sender.response) from None

    def _is_http_auth(self, auth: Any) -> bool:
        return isinstance(auth, AuthBase) or super()._is_http_auth(auth)

    def _take_options(self, parameters: dict[str, Any]) -> dict[str, Any]:
        for name, reason in _REFUSED_OPTIONS.items():
            if parameters.pop(name, None):
                raise TypeError(f"{name} is no option of a request to an endpoint: {reason}")
        parameters.pop("stream", None)  # the answer is read in any case, within its limit
        return super()._take_options(parameters)

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            "an OAuth2Session holds secrets and cannot be pickled or copied: store its token, "
            "and build a new one"
        )
