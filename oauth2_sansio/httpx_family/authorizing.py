"""The token in a request: what `OAuth2Auth` does, under blocking and asynchronous clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any, Protocol

from ..challenges import is_token_rejected
from ..errors import InvalidTokenError, LocalProtocolError
from ..events import Endpoint
from ..keeper import TokenKeeper
from ..resource import TokenPlacement, authorization_header, place_in_body, place_in_url
from ..tokens import OAuth2Token
from ..waiting.clock import now
from ..waiting.tasks import TaskFlight
from ..waiting.threads import ThreadFlight
from .library import Library


class RenewingClient(Protocol):
    """A client that renews tokens: one of the classes of the adapters."""

    @property
    def token(self) -> OAuth2Token | None:
        """The client's token."""
        ...

    def keeper_and_flight(self) -> tuple[TokenKeeper, Any]:
        """Return what decides about the client's token."""
        ...

    def new_keeper_and_flight(self, token: OAuth2Token) -> tuple[TokenKeeper, Any]:
        """Return the same for another token, which the client renews and saves."""
        ...

    def protected_request_hooks(self) -> tuple[Any, ...]:
        """Return the hooks that see each request with the token in it."""
        ...


class TokenAuth:
    """Authorize requests with a token: the base of each adapter's `OAuth2Auth`.

    token: a dict.
    token_placement: `header`, `body` or `uri`.
    client: a client that renews the token when it has expired, and saves it.
    """

    library: Library

    def __init__(
        self,
        token: Mapping[str, Any],
        token_placement: str = "header",
        client: Any = None,
    ) -> None:
        self.token_placement = TokenPlacement(token_placement).value
        self.client: RenewingClient | None = client
        self._flight: ThreadFlight | TaskFlight | None
        if client is not None and token is client.token:
            self._keeper, self._flight = client.keeper_and_flight()
        elif client is not None:
            self._keeper, self._flight = client.new_keeper_and_flight(OAuth2Token(token))
        else:
            self._keeper, self._flight = TokenKeeper(OAuth2Token(token), _no_renewal), None

    def share(self, keeper: TokenKeeper, flight: ThreadFlight | TaskFlight) -> None:
        """Take part in what decides about a client's token, whatever that token is."""
        self._keeper, self._flight = keeper, flight

    @property
    def token(self) -> OAuth2Token | None:
        """The current token."""
        return self._keeper.token

    def set_token(self, token: Mapping[str, Any]) -> None:
        """Take another token."""
        self._keeper.token = OAuth2Token(token)

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Authorize a request of a blocking client; repeat it once with a renewed token."""
        header = self._ready_header()
        if header is not None:
            request.headers["Authorization"] = header
            token = None
            response = yield request
        else:
            token = self._blocking_token(None)
            response = yield self._place(request, token)
        if response.status_code == 401 and self._may_repeat(request, response):
            rejected = (token or self._keeper.token or {}).get("access_token")
            try:
                renewed = self._blocking_token(rejected if header is None else header[7:])
            except LocalProtocolError:  # there is no way to renew it: the caller sees the refusal
                return
            yield self._place(request, renewed)

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Authorize a request of an asynchronous client; repeat it once with a renewed token."""
        header = self._ready_header()
        if header is not None:
            request.headers["Authorization"] = header
            token = None
            response = yield request
        else:
            token = await self._awaited_token(None)
            response = yield self._place(request, token)
        if response.status_code == 401 and self._may_repeat(request, response):
            rejected = (token or self._keeper.token or {}).get("access_token")
            try:
                renewed = await self._awaited_token(rejected if header is None else header[7:])
            except LocalProtocolError:  # there is no way to renew it: the caller sees the refusal
                return
            yield self._place(request, renewed)

    def _ready_header(self) -> str | None:
        # The common case: a fresh token in the header, and nobody who wants to see the request.
        client = self.client
        if self.token_placement == "header" and (
            client is None or not client.protected_request_hooks()
        ):
            return self._keeper.header(now())
        return None

    def _blocking_token(self, rejected: str | None) -> OAuth2Token:
        if self._flight is None:
            return self._unrenewable_token(rejected)
        if not isinstance(self._flight, ThreadFlight):
            raise _wrong_colour("an asynchronous", "a blocking")
        return self._flight.token(rejected=rejected)

    async def _awaited_token(self, rejected: str | None) -> OAuth2Token:
        if self._flight is None:
            return self._unrenewable_token(rejected)
        if not isinstance(self._flight, TaskFlight):
            raise _wrong_colour("a blocking", "an asynchronous")
        return await self._flight.token(rejected=rejected)

    def _unrenewable_token(self, rejected: str | None) -> OAuth2Token:
        token = self._keeper.token
        if token is None or rejected is not None or token.is_expired(self._keeper.leeway, now()):
            return _no_renewal(token)
        return token

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
            url, headers, after = hook(str(placed.url), placed.headers, body)
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


def _no_renewal(_token: object) -> Any:
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
