"""The shared halves of the blocking and the asynchronous client."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn, Unpack

from ..answers import MAXIMUM_BODY
from ..driving import drive, drive_async
from ..dropin.calls import Call
from ..dropin.hooks import HookType
from ..dropin.settings import Settings
from ..dropin.vocabulary import Vocabulary
from ..errors import LocalProtocolError, OAuth2Error
from ..events import RequestFailed, RequestToSend, ResponseReceived, T
from ..flow import Flow
from ..keeper import TokenKeeper
from ..tokens import OAuth2Token
from ..waiting.awaiting import AwaitingVocabulary
from ..waiting.blocking import BlockingVocabulary
from ..waiting.clock import now, sleep
from ..waiting.tasks import EventLoop, TaskFlight, current_loop
from ..waiting.threads import ThreadFlight, call_within
from .library import Library, RequestOptions

# A client of this shape keeps what is left of a connection for the next request, also bytes that
# a hostile server has sent ahead: so a connection that has carried credentials is not kept.
_HEADERS = (("Accept-Encoding", "identity"), ("Connection", "close"))


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


class FamilyVocabulary(Vocabulary):
    """What the blocking and the asynchronous client have in common."""

    REQUEST_OPTIONS: ClassVar[frozenset[str]] = frozenset({"cookies", "extensions", "timeout"})
    CLIENT_ARGUMENTS: ClassVar[frozenset[str]] = frozenset(
        ClientSettings.__annotations__.keys() - Settings.__annotations__.keys()
    )

    library: ClassVar[Library]
    auth_class: ClassVar[Callable[..., Any]]
    _token_auth: Any

    def _set_up(self, build: Callable[..., None], settings: dict[str, Any], **own: Any) -> None:
        # What concerns the library's own client is handed to it; all else is ours.
        arguments = {name: settings.pop(name) for name in self.CLIENT_ARGUMENTS & settings.keys()}
        build(self, **arguments)
        self._configure(**own, settings=settings)
        self._prepare_flight()
        self._token_auth = self.auth_class({}, self.token_placement, self)
        self._token_auth.share(*self.keeper_and_flight())

    @abstractmethod
    def _prepare_flight(self) -> None: ...

    @abstractmethod
    def keeper_and_flight(self) -> tuple[TokenKeeper, Any]:
        """Return what decides about this client's token, for an `auth=` object that shares it."""

    @property
    def token_auth(self) -> Any:
        """The token of this client as `auth=` for any other client of the library."""
        return self.auth_class(self.token or {}, self.token_placement, self)

    def protected_request_hooks(self) -> tuple[Callable[..., Any], ...]:
        """Return the hooks that see each request with the token in it."""
        if not self.compliance_hook:
            return ()
        return self.compliance_hook.of(HookType.PROTECTED_REQUEST)

    def _authorization(self, options: dict[str, Any]) -> Any:
        # The `auth` of a request: ours, unless the token is withheld or there is one already.
        withheld = options.pop("withhold_token", False)
        auth = options.get("auth", self.library.USE_CLIENT_DEFAULT)
        if withheld or auth is not self.library.USE_CLIENT_DEFAULT:
            self.library.refuse_foreign_auth(auth)
            return auth
        ready = self._token_auth
        ready.token_placement = self.token_placement
        return ready

    def _is_http_auth(self, auth: Any) -> bool:
        self.library.refuse_foreign_auth(auth)
        return isinstance(auth, self.library.Auth)

    def _built(self, request: RequestToSend, options: Mapping[str, Any]) -> Any:
        headers = [*_HEADERS, *request.headers]
        built: Any = self.build_request(  # type: ignore[attr-defined]  # the library's client's
            request.method, request.url, content=request.body or None, headers=headers, **options
        )
        return built

    def _options_of(self, flow: Flow[Any]) -> tuple[dict[str, Any], Any, tuple[Any, ...], float]:
        call = flow if isinstance(flow, Call) else None
        options = {} if call is None else dict(call.options)
        timeout = options.get("timeout")
        deadline = self.deadline
        if isinstance(timeout, (int, float)):
            deadline = max(deadline, timeout)
        hooks = () if call is None else call.amend_response
        return options, None if call is None else call.http_auth, hooks, deadline

    def _taken(
        self, response: Any, body: bytes | None, hooks: tuple[Any, ...], last: list[Any]
    ) -> ResponseReceived:
        # `body` is None for a test double, which has little more than a status and `json()`.
        coding = None if body is None else response.headers.get("Content-Encoding")
        if body is not None and coding not in (None, "identity"):
            # Nobody asked for that, and what it expands to has no bound: the core refuses it.
            last.append(response)
            return self._received(response, body)
        taken = response if body is None else self._whole(response, body)
        for hook in hooks:
            taken = hook(taken)
        last.append(taken)
        return self._received(taken, None if body is None else taken.content)

    def _late(self) -> Exception:
        late: Exception = self.library.ReadTimeout("the whole exchange has taken too long")
        return late

    def _received(self, response: Any, body: bytes | None) -> ResponseReceived:
        headers = getattr(response, "headers", None)
        pairs = headers.multi_items() if hasattr(headers, "multi_items") else ()
        if body is None or "json" in vars(response):
            # A test double, or a response whose `json` a hook has replaced.
            body = json.dumps(response.json()).encode("ascii")
        return ResponseReceived(status=response.status_code, headers=tuple(pairs), body=body)

    def _whole(self, response: Any, body: bytes) -> Any:
        # The response with the bytes that were read, for the users' hooks and hands.
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name.lower() not in ("content-encoding", "transfer-encoding", "content-length")
        ]
        whole = self.library.Response(
            response.status_code,
            headers=headers,
            content=body,
            request=response.request,
            extensions=response.extensions,
            history=response.history,
        )
        whole.default_encoding = response.default_encoding
        return whole

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} holds secrets and cannot be pickled or copied: store its "
            "token, and build a new one"
        )


class BlockingClient(BlockingVocabulary[Any], FamilyVocabulary):
    """The blocking half: inherited before the library's own `Client`."""

    def request(self, method: str, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a request with the token in it, renewed before if it has expired.

        The options are those of the library's client, and `withhold_token`. Where the server
        refuses the token as invalid, it is renewed and the request repeated, once, if it can be
        repeated.
        Raises `OAuthError` before anything is sent where there is no usable token.
        """
        given: dict[str, Any] = dict(options)
        given["auth"] = self._authorization(given)
        return super().request(method, url, **given)  # type: ignore[misc]  # the library's

    def stream(self, method: str, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a request as `request` does, and return a context manager of its response."""
        given: dict[str, Any] = dict(options)
        given["auth"] = self._authorization(given)
        return super().stream(method, url, **given)  # type: ignore[misc]  # the library's

    def get(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a GET; see `request`."""
        return self.request("GET", url, **options)

    def options(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send an OPTIONS; see `request`."""
        return self.request("OPTIONS", url, **options)

    def head(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a HEAD; see `request`."""
        return self.request("HEAD", url, **options)

    def post(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a POST; see `request`."""
        return self.request("POST", url, **options)

    def put(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a PUT; see `request`."""
        return self.request("PUT", url, **options)

    def patch(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a PATCH; see `request`."""
        return self.request("PATCH", url, **options)

    def delete(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a DELETE; see `request`."""
        return self.request("DELETE", url, **options)

    def close(self) -> None:
        """Save a token that could not be saved before, and close the connections.

        Raises `UnsavedTokenError` if it still cannot be saved.
        """
        try:
            self._flight.save_now()
        finally:
            super().close()  # type: ignore[misc]  # the library's

    def keeper_and_flight(self) -> tuple[TokenKeeper, ThreadFlight]:
        """Return what decides about this client's token, for an `auth=` object that shares it."""
        return self._keeper, self._flight

    def new_keeper_and_flight(self, token: OAuth2Token) -> tuple[TokenKeeper, ThreadFlight]:
        """Return the same for another token, which this client renews and saves."""
        keeper = TokenKeeper(token, self._renewal, leeway=self.leeway)
        return keeper, ThreadFlight(keeper, self.run, self._save, deadline=self.deadline)

    def _perform(self, flow: Flow[T]) -> tuple[T, Any]:
        options, http_auth, hooks, deadline = self._options_of(flow)
        last: list[Any] = []

        def exchange(request: RequestToSend) -> ResponseReceived:
            response: Any = self.send(  # type: ignore[attr-defined]  # the library's
                self._built(request, options), auth=http_auth, follow_redirects=False, stream=True
            )
            body: bytes | None = None
            if type(response) is self.library.Response:
                received = bytearray()
                try:
                    for chunk in response.iter_raw():
                        received += chunk
                        if len(received) > MAXIMUM_BODY:
                            break
                finally:
                    response.close()
                body = bytes(received)
            return self._taken(response, body, hooks, last)

        def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
            try:
                return call_within(deadline, lambda: exchange(request), self._late)
            except (self.library.HTTPError, self.library.InvalidURL) as error:
                return self.library.failed(error)
            except OSError as error:
                return RequestFailed(error)

        try:
            return drive(flow, send, sleep, now), last[-1] if last else None
        except OAuth2Error as error:
            raise self.library.as_library_error(error, last[-1] if last else None) from None


class AwaitingClient(AwaitingVocabulary[Any], FamilyVocabulary):
    """The asynchronous half: inherited before the library's own `AsyncClient`."""

    _home: EventLoop | None = None

    async def request(self, method: str, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a request with the token in it, renewed before if it has expired.

        The options are those of the library's client, and `withhold_token`. Where the server
        refuses the token as invalid, it is renewed and the request repeated, once, if it can be
        repeated.
        Raises `OAuthError` before anything is sent where there is no usable token.
        """
        self._check_usable()
        given: dict[str, Any] = dict(options)
        given["auth"] = self._authorization(given)
        return await super().request(method, url, **given)  # type: ignore[misc]  # the library's

    def stream(self, method: str, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a request as `request` does, and return a context manager of its response."""
        self._check_usable()
        given: dict[str, Any] = dict(options)
        given["auth"] = self._authorization(given)
        return super().stream(method, url, **given)  # type: ignore[misc]  # the library's

    async def get(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a GET; see `request`."""
        return await self.request("GET", url, **options)

    async def options(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send an OPTIONS; see `request`."""
        return await self.request("OPTIONS", url, **options)

    async def head(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a HEAD; see `request`."""
        return await self.request("HEAD", url, **options)

    async def post(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a POST; see `request`."""
        return await self.request("POST", url, **options)

    async def put(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a PUT; see `request`."""
        return await self.request("PUT", url, **options)

    async def patch(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a PATCH; see `request`."""
        return await self.request("PATCH", url, **options)

    async def delete(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a DELETE; see `request`."""
        return await self.request("DELETE", url, **options)

    async def aclose(self) -> None:
        """Save a token that could not be saved before, and close the connections.

        Raises `UnsavedTokenError` if it still cannot be saved.
        """
        try:
            await self._flight.save_now()
        finally:
            await super().aclose()  # type: ignore[misc]  # the library's

    def keeper_and_flight(self) -> tuple[TokenKeeper, TaskFlight]:
        """Return what decides about this client's token, for an `auth=` object that shares it."""
        return self._keeper, self._flight

    def new_keeper_and_flight(self, token: OAuth2Token) -> tuple[TokenKeeper, TaskFlight]:
        """Return the same for another token, which this client renews and saves."""
        keeper = TokenKeeper(token, self._renewal, leeway=self.leeway)
        return keeper, TaskFlight(keeper, self.run, self._save, deadline=self.deadline)

    async def _perform(self, flow: Flow[T]) -> tuple[T, Any]:
        loop = self._check_usable()
        options, http_auth, hooks, deadline = self._options_of(flow)
        last: list[Any] = []

        async def exchange(request: RequestToSend) -> ResponseReceived:
            response: Any = await self.send(  # type: ignore[attr-defined]  # the library's
                self._built(request, options), auth=http_auth, follow_redirects=False, stream=True
            )
            body: bytes | None = None
            if type(response) is self.library.Response:
                received = bytearray()
                try:
                    async for chunk in response.aiter_raw():
                        received += chunk
                        if len(received) > MAXIMUM_BODY:
                            break
                finally:
                    await response.aclose()
                body = bytes(received)
            return self._taken(response, body, hooks, last)

        async def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
            try:
                return await loop.within(deadline, lambda: exchange(request), self._late)
            except (self.library.HTTPError, self.library.InvalidURL) as error:
                return self.library.failed(error)
            except OSError as error:
                return RequestFailed(error)

        try:
            result = await drive_async(flow, send, loop.sleep, now)
            return result, last[-1] if last else None
        except OAuth2Error as error:
            raise self.library.as_library_error(error, last[-1] if last else None) from None

    def _check_usable(self) -> EventLoop:
        if self.is_closed:  # type: ignore[attr-defined]  # the library's
            raise LocalProtocolError("this client was closed", advice="build a new one")
        home = self._home
        if home is None or not home.is_current():
            if home is not None and not home.has_ended():
                raise LocalProtocolError(
                    "this client is in use in another event loop",
                    advice="use one client in one event loop at a time",
                )
            home = self._home = current_loop()
        return home
