"""The shared halves of the blocking and the asynchronous client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, ClassVar, NoReturn, cast

from ..dropin.calls import Call
from ..dropin.hooks import amend_response
from ..dropin.kinds import is_mapping
from ..dropin.parameters import OPTIONS_OF_HTTP
from ..dropin.responses import header_texts, read_double
from ..dropin.settings import Settings
from ..errors import LocalProtocolError
from ..events import Endpoint, Pairs, RequestToSend, ResponseReceived
from ..flow import Flow
from ..waiting.forks import leave, remember
from ..waiting.lending import Lending
from .authorizing import TokenAuth
from .library import Library

# A client of this shape keeps what is left of a connection for the next request, also bytes that
# a hostile server has sent ahead: so a connection that has carried credentials is not kept.
_HEADERS = (("Accept-Encoding", "identity"), ("Connection", "close"))

_OURS = "oauth2_sansio"
"""Marks a request to an endpoint, among its extensions."""

_at_endpoint: ContextVar[bool] = ContextVar("oauth2_sansio_at_endpoint", default=False)


class ClientSettings(Settings, total=False):
    """The keyword arguments of the clients: `Settings`, and those of the library's own client."""

    auth: Any
    base_url: Any
    cert: Any
    cookies: Any
    default_encoding: Any
    event_hooks: Any
    follow_redirects: bool
    headers: Any
    http1: bool
    http2: bool
    limits: Any
    max_redirects: int
    mounts: Any
    params: Any
    proxy: Any
    timeout: Any
    transport: Any
    trust_env: bool
    verify: Any


_OF_THE_CLIENT = frozenset(ClientSettings.__annotations__.keys() - Settings.__annotations__.keys())


class FamilyVocabulary(Lending):
    """What the blocking and the asynchronous client have in common."""

    REQUEST_OPTIONS: ClassVar[frozenset[str]] = frozenset({"cookies", "extensions", "timeout"})
    NOT_OF_A_CALL: ClassVar[frozenset[str]] = OPTIONS_OF_HTTP - REQUEST_OPTIONS

    library: ClassVar[Library]
    auth_class: ClassVar[Callable[..., TokenAuth]]
    _is_forked = False  # whether the connections are those of a parent process

    def _set_up(self, build: Callable[..., None], settings: dict[str, Any], **own: Any) -> None:
        # What concerns the library's own client is handed to it; all else is ours.
        arguments = {name: settings.pop(name) for name in _OF_THE_CLIENT & settings.keys()}
        self._configure(**own, settings=settings)
        build(self, **arguments)
        self._prepare_flight()
        self._kept.arguments = arguments
        self._kept.own_auth = self.token_auth
        remember(self)

    def after_fork(self) -> None:
        """Leave the connections to the parent of a fork."""
        self._is_forked = True  # what it takes to make new ones is done where they are needed

    def _leave_connections(self) -> None:
        before = self.library.renew_transports(self, self._kept.arguments)
        if self._is_forked:
            leave(before)
        self._is_forked = False

    @property
    def token_auth(self) -> Any:
        """The token of this client, whatever it is at the time, as `auth=` for any other client."""
        return self.auth_class(None, self.token_placement, self)

    def _authorize(self, options: dict[str, Any]) -> None:
        # Set the `auth` of a request: ours, unless the token is withheld or there is one already.
        if "auth" in options or "withhold_token" in options:
            withheld = options.pop("withhold_token", False)
            default = self.library.USE_CLIENT_DEFAULT
            auth = options.setdefault("auth", default)
            self.library.refuse_foreign_auth(auth)
            if withheld or auth is not default:
                return
        own = self._kept.own_auth
        own.token_placement = self.token_placement
        options["auth"] = own

    def _url_of(self, endpoint: Endpoint, url: str | None) -> str | None:
        found = super()._url_of(endpoint, url)
        if (
            isinstance(found, str)
            and found.startswith("/")
            and endpoint is not Endpoint.AUTHORIZATION
        ):
            # As with every request of this client, a path is one below its `base_url`.
            found = str(cast("Any", self).build_request("POST", found).url)
        return found

    def _is_http_auth(self, auth: Any) -> bool:
        self.library.refuse_foreign_auth(auth)
        return isinstance(auth, self.library.Auth) or super()._is_http_auth(auth)

    @property
    def cookies(self) -> Any:
        """The cookies of the library's own client. What an endpoint sets is not kept."""
        if _at_endpoint.get():
            return self.library.unkept_cookies()
        return super().cookies  # type: ignore[misc]  # the library's

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        self.library.Client.cookies.fset(self, cookies)  # the same for both kinds of clients

    def _build_redirect_request(self, request: Any, response: Any) -> Any:
        # Also where it is to follow no redirect, the library makes the next request, and raises for
        # a target that it cannot read. It hands on what is returned here, and sends it nowhere.
        if _OURS in request.extensions:
            return request
        return cast("Any", super())._build_redirect_request(request, response)  # noqa: SLF001 - see above

    def _built(self, client: Any, request: RequestToSend, options: Mapping[str, Any]) -> Any:
        # client: through which it will go.
        # To read URL and headers takes the library a tenth of a request.
        url, url_read, pairs, headers = self._kept.asked
        if url != request.url:
            url_read = self.library.URL(request.url)
        if pairs != request.headers:
            headers = self.library.Headers([*_HEADERS, *request.headers])
        self._kept.asked = (request.url, url_read, request.headers, headers)
        built = client.build_request(
            request.method,
            url_read,
            content=request.body or None,
            headers=headers,
            **options,
        )
        built.extensions[_OURS] = True
        return built

    def _options_of(self, flow: Flow[Any]) -> tuple[dict[str, Any], Any, tuple[Any, ...], float]:
        if not isinstance(flow, Call):
            return {}, None, (), self.deadline
        options = dict(flow.options)
        timeout = options.get("timeout")
        deadline = self.deadline
        if isinstance(timeout, (int, float)):
            deadline = max(deadline, timeout)
        return options, flow.http_auth, flow.amend_response, deadline

    def _received(
        self, response: Any, hooks: tuple[Any, ...], responses: list[Any]
    ) -> ResponseReceived:
        # What the core gets to read: after the users' hooks, which get it whole.
        compressed = self.library.is_compressed(response)
        if hooks and not compressed:
            response = amend_response(response, hooks)
        responses.append(response)
        if type(response) is not self.library.module.Response or "json" in vars(response):
            # A test double, or a response whose `json` a hook has replaced.
            return read_double(response, _pairs_of(response))
        return ResponseReceived(
            status=response.status_code,
            headers=_pairs_of(response),
            # Nobody asked for a compressed body, and what it expands to has no bound: the core
            # refuses it as it stands.
            body=self.library.raw_body(response) if compressed else response.content,
        )

    def _late(self) -> Exception:
        late: Exception = self.library.ReadTimeout("the whole exchange has taken too long")
        return late

    def _check_open(self) -> Any:
        # Return what requests to endpoints go through.
        own: Any = self  # the library's own `is_closed`
        client = self._endpoint_client
        if own.is_closed or client.is_closed:
            which = "this client" if own.is_closed else "the token_client"
            raise LocalProtocolError(f"{which} was closed", advice="build a new one")
        return client

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} holds secrets and cannot be pickled or copied: store its "
            "token, and build a new one"
        )


class AtEndpoint:
    """Keep the cookies of the answers that come meanwhile out of the client."""

    __slots__ = ("_mark",)

    def __enter__(self) -> None:
        self._mark = _at_endpoint.set(True)

    def __exit__(self, *_: object) -> None:
        _at_endpoint.reset(self._mark)


def _pairs_of(response: Any) -> Pairs:
    headers: Any = getattr(response, "headers", None)
    if hasattr(headers, "multi_items"):
        return tuple(headers.multi_items())
    return header_texts(headers.items()) if is_mapping(headers) else ()
