"""The token in a request: what `OAuth2Auth` does, under blocking and asynchronous clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any, NoReturn, Protocol

from ..challenges import is_token_rejected
from ..dropin.amending import read_amended
from ..dropin.hooks import HookType
from ..errors import InvalidTokenError, LocalProtocolError
from ..events import Endpoint
from ..keeper import TokenKeeper, UseToken
from ..resource import TokenPlacement, authorization_header, place_in_body, place_in_url
from ..tokens import OAuth2Token
from ..waiting.clock import now
from ..waiting.tasks import TaskFlight
from ..waiting.threads import ThreadFlight
from .library import Library, foreign_auth

_SCHEME = len("Bearer ")


class RenewingClient(Protocol):
    """A client that renews tokens: one of the classes of the adapters."""

    def keeper_and_flight(self) -> tuple[TokenKeeper, ThreadFlight | TaskFlight]:
        """Return what decides about the client's token."""
        ...

    def keeper_and_flight_of(
        self, token: Mapping[str, Any], auth: TokenAuth
    ) -> tuple[TokenKeeper, ThreadFlight | TaskFlight]:
        """Return the same for a token of somebody's own, which the client renews and saves."""
        ...

    def protected_request_hooks(self) -> tuple[Any, ...]:
        """Return the hooks that see each request with the token in it."""
        ...


class TokenAuth:
    """Authorize requests with a token: the base of each adapter's `OAuth2Auth`.

    token: a dict; None for whatever token the client has at the time.
    token_placement: `header`, `body` or `uri`.
    client: a client that renews the token when it has expired, and saves it.
    """

    library: Library
    _keeper: TokenKeeper | None = None
    _flight: ThreadFlight | TaskFlight | None = None

    def __init__(
        self,
        token: Mapping[str, Any] | None,
        token_placement: str = "header",
        client: Any = None,
    ) -> None:
        self.token_placement = TokenPlacement(token_placement).value
        self.client: RenewingClient | None = client
        if client is None:
            self._keeper = TokenKeeper(OAuth2Token.from_dict(token), _no_renewal)
        elif token is not None:
            self._keeper, self._flight = client.keeper_and_flight_of(token, self)

    @property
    def token(self) -> OAuth2Token | None:
        """The current token."""
        return self._decides().token

    def set_token(self, token: Mapping[str, Any]) -> None:
        """Take another token."""
        if self.client is not None:
            self._keeper, self._flight = self.client.keeper_and_flight_of(token, self)
        else:
            self._decides().token = OAuth2Token(token)

    @property
    def flight(self) -> ThreadFlight | TaskFlight | None:
        """What renews the token; None where nothing does."""
        if self._keeper is None and self.client is not None:
            return self.client.keeper_and_flight()[1]
        return self._flight

    def _decides(self) -> TokenKeeper:
        if self._keeper is None and self.client is not None:
            return self.client.keeper_and_flight()[0]
        assert self._keeper is not None  # without a client there is one from the start
        return self._keeper

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Authorize a request of a blocking client; repeat it once with a renewed token."""
        header = self._ready_header()
        if header is not None:
            request.headers["Authorization"] = header
            rejected = header[_SCHEME:]
            response = yield request
        else:
            token = self._blocking_token(None)
            rejected = token["access_token"]
            response = yield self._place(request, token)
        if response.status_code == 401 and self._may_repeat(request, response):
            try:
                renewed = self._blocking_token(rejected)
            except LocalProtocolError:  # there is no way to renew it: the caller sees the refusal
                return
            yield self._place(request, renewed)

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Authorize a request of an asynchronous client; repeat it once with a renewed token."""
        header = self._ready_header()
        if header is not None:
            request.headers["Authorization"] = header
            rejected = header[_SCHEME:]
            response = yield request
        else:
            token = await self._awaited_token(None)
            rejected = token["access_token"]
            response = yield self._place(request, token)
        if response.status_code == 401 and self._may_repeat(request, response):
            try:
                renewed = await self._awaited_token(rejected)
            except LocalProtocolError:  # there is no way to renew it: the caller sees the refusal
                return
            yield self._place(request, renewed)

    def __call__(self, request: object) -> NoReturn:
        """Refuse a client of another library: that would call this object with its request."""
        raise foreign_auth(type(request).__module__.partition(".")[0])

    def _ready_header(self) -> str | None:
        # The common case: a fresh token in the header, and nobody who wants to see the request.
        client = self.client
        if self.token_placement == "header" and (
            client is None or not client.protected_request_hooks()
        ):
            return (self._keeper or self._decides()).header(now())
        return None

    def _blocking_token(self, rejected: str | None) -> OAuth2Token:
        match self.flight:
            case ThreadFlight() as flight:
                return flight.token(rejected=rejected)
            case TaskFlight():
                raise _wrong_colour("an asynchronous", "a blocking")
            case None:
                return self._unrenewable_token(rejected)

    async def _awaited_token(self, rejected: str | None) -> OAuth2Token:
        match self.flight:
            case TaskFlight() as flight:
                return await flight.token(rejected=rejected)
            case ThreadFlight():
                raise _wrong_colour("a blocking", "an asynchronous")
            case None:
                return self._unrenewable_token(rejected)

    def _unrenewable_token(self, rejected: str | None) -> OAuth2Token:
        # The keeper says what is wrong with the token, since nothing can be done about it.
        decision = self._decides().acquire(now(), rejected=rejected)
        assert isinstance(decision, UseToken)  # `_no_renewal` has raised otherwise
        return decision.token

    def _may_repeat(self, request: Any, response: Any) -> bool:
        values = response.headers.get_list("WWW-Authenticate")
        return is_token_rejected(401, values) and self._body_of(request) is not None

    def _body_of(self, request: Any) -> bytes | None:
        try:
            body: bytes = request.content
        except self.library.RequestNotRead:  # a stream, which goes out once
            return None
        return body

    def _place(self, request: Any, token: OAuth2Token) -> Any:
        hooks = () if self.client is None else self.client.protected_request_hooks()
        match TokenPlacement(self.token_placement):
            case TokenPlacement.HEADER:
                # The hooks get a copy: where the request is repeated, they begin anew.
                placed = self._changed(request) if hooks else request
                placed.headers["Authorization"] = authorization_header(token)
            case TokenPlacement.URI:
                placed = self._changed(request, url=place_in_url(str(request.url), token))
            case TokenPlacement.BODY:
                placed = self._place_in_body(request, token)
        for hook in hooks:
            before = self._body_of(placed)
            body = None if before is None else before.decode("utf-8", "surrogateescape")
            name = f"a hook of {HookType.PROTECTED_REQUEST.value}"
            returned = hook(str(placed.url), placed.headers, body)
            url, headers, after = read_amended(returned, name)
            content = None if after is None or after == body else after
            placed = self._changed(placed, url=url, headers=headers, content=content)
        return placed

    def _place_in_body(self, request: Any, token: OAuth2Token) -> Any:
        body = self._body_of(request)
        if body is None:
            raise LocalProtocolError(
                "the token cannot be placed into a streamed body",
                endpoint=Endpoint.RESOURCE,
                advice='use token_placement="header"',
            )
        content = place_in_body(
            body.decode("utf-8", "surrogateescape"), request.headers.get("Content-Type"), token
        )
        changed = self._changed(request, content=content)
        if request.method not in ("GET", "HEAD"):
            changed.headers["Content-Type"] = "application/x-www-form-urlencoded"
        return changed

    def _changed(
        self, request: Any, *, url: str | None = None, headers: Any = None, content: Any = None
    ) -> Any:
        given = self.library.Headers(request.headers if headers is None else headers)
        body: dict[str, Any] = {"content": content}
        if content is not None:
            given.pop("Content-Length", None)
        elif (own := self._body_of(request)) is not None:
            body = {"content": own}
        else:
            body = {"stream": request.stream}
        return self.library.Request(
            request.method,
            request.url if url is None else url,
            headers=given,
            extensions=request.extensions,
            **body,
        )


def _no_renewal(_token: object) -> NoReturn:
    raise InvalidTokenError(
        "the token has expired or was refused, and there is no client to renew it",
        endpoint=Endpoint.RESOURCE,
        advice="pass client= to OAuth2Auth, or a new token",
    )


def _wrong_colour(renewing: str, asking: str) -> LocalProtocolError:
    return LocalProtocolError(
        f"{renewing} client cannot renew a token for {asking} one",
        endpoint=Endpoint.RESOURCE,
        advice="pass an OAuth2Auth of a client of the same kind",
    )
