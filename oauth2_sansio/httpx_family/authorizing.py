"""The token in a request: what `OAuth2Auth` does, under blocking and asynchronous clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, assert_never

from ..dropin.amending import read_amended
from ..dropin.hooks import HookType
from ..errors import LocalProtocolError, RemoteProtocolError
from ..events import Endpoint
from ..resource import TokenPlacement, authorization_header, place_in_body, place_in_url
from ..tokens import OAuth2Token
from ..waiting.clock import now
from ..waiting.lending import LentToken
from .library import Library

if TYPE_CHECKING:
    from ..dropin.binding import BoundToken
    from ..refusals import RepairBudget

_SCHEME = len("Bearer ")


class TokenAuth(LentToken):
    """Authorize requests with a token: the base of each adapter's `OAuth2Auth`.

    The arguments are those of `LentToken`.
    """

    library: Library

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Authorize a request of a blocking client; repeat it where a refusal calls for it."""
        header, token = self._ready()
        if header is not None:
            request.headers["Authorization"] = header
            response = yield request
            if response.status_code != 401:
                return
            exchange = _Exchange(self, request, header)
        else:
            exchange = _Exchange(self, request)
            exchange.place(token or self._blocking_token(None))
            exchange.prove()
            response = yield exchange.outgoing
        while exchange.goes_on_after(response):
            if exchange.wants_token:
                try:
                    renewed = self._blocking_token(exchange.access_token)
                except LocalProtocolError:  # nothing renews it: the caller sees the refusal
                    return
                exchange.place(renewed)
            exchange.prove()
            response = yield exchange.outgoing

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Authorize a request of an asynchronous client; repeat it where a refusal calls for it."""
        header, token = self._ready()
        if header is not None:
            request.headers["Authorization"] = header
            response = yield request
            if response.status_code != 401:
                return
            exchange = _Exchange(self, request, header)
        else:
            exchange = _Exchange(self, request)
            exchange.place(token or await self._awaited_token(None))
            await exchange.prove_async()
            response = yield exchange.outgoing
        while exchange.goes_on_after(response):
            if exchange.wants_token:
                try:
                    renewed = await self._awaited_token(exchange.access_token)
                except LocalProtocolError:  # nothing renews it: the caller sees the refusal
                    return
                exchange.place(renewed)
            await exchange.prove_async()
            response = yield exchange.outgoing

    def authorized(self, request: Any, token: OAuth2Token) -> tuple[Any, BoundToken | None]:
        """Return a request with a token in it, and what the token is bound to."""
        bound = self._bound(token)
        return self._place(request, token, bound), bound

    def copied(self, request: Any) -> Any:
        """Return a request with headers of its own."""
        # All else is the same: to make it anew takes as long as a twentieth of what sends it.
        copied: Any = object.__new__(request.__class__)
        copied.__dict__.update(request.__dict__)
        copied.headers = self.library.module.Headers(request.headers)
        copied.extensions = dict(request.extensions)
        return copied

    def is_repeatable(self, request: Any) -> bool:
        """Say whether the body of a request can be sent once more."""
        return self._body_of(request) is not None

    def _body_of(self, request: Any) -> bytes | None:
        try:
            body: bytes = request.content
        except self.library.RequestNotRead:
            if not isinstance(request.stream, self.library.ByteStream):
                return None  # a stream, which goes out once
            body = request.read()  # that of a redirect
        return body

    def _place(self, request: Any, token: OAuth2Token, bound: BoundToken | None) -> Any:
        hooks = () if self.client is None else self.client.protected_request_hooks()
        # A bound one goes into the header: `bound` has refused any other place.
        placement = TokenPlacement(self.token_placement) if bound is None else TokenPlacement.HEADER
        match placement:
            case TokenPlacement.HEADER:
                # The hooks get a copy: where the request is repeated, they begin anew. And what is
                # the caller's keeps no proof, which is for one request.
                placed = self.copied(request) if hooks or bound else request
                header = bound.authorization if bound else authorization_header(token)
                placed.headers["Authorization"] = header
            case TokenPlacement.URI:
                placed = self._changed(request, url=place_in_url(str(request.url), token))
            case TokenPlacement.BODY:
                placed = self._place_in_body(request, token)
            case _:
                assert_never(placement)
        for hook in hooks:
            before = self._body_of(placed)
            body = None if before is None else before.decode("utf-8", "surrogateescape")
            name = f"a hook of {HookType.PROTECTED_REQUEST.value}"
            returned = hook(str(placed.url), placed.headers, body)
            url, headers, after = read_amended(returned, name)
            content = None if after is None or after == body else after
            placed = self._changed(placed, url=url, headers=headers, content=content)
        if placement is TokenPlacement.BODY:
            placed.stream = self.library.sent_once(self._body_of(placed), _redirected)
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


def _redirected() -> RemoteProtocolError:
    # The library would take the body along, and nothing here sees where to.
    return RemoteProtocolError(
        "the resource redirects a request with the token in its body",
        endpoint=Endpoint.RESOURCE,
        advice='use token_placement="header", or leave out follow_redirects',
    )


class _Exchange:
    """A request with a token in it, sent as often as its refusals call for it.

    outgoing: what to send.
    access_token: the one in it.
    wants_token: whether it is to be placed anew, with another token, before it is sent.
    """

    __slots__ = (
        "_auth",
        "_bound",
        "_budget",
        "_request",
        "access_token",
        "outgoing",
        "wants_token",
    )

    def __init__(self, auth: TokenAuth, request: Any, header: str = "") -> None:
        # header: what stands in the request already, where that is made up.
        self._auth = auth
        self._request = request
        self._bound: BoundToken | None = None
        self._budget: RepairBudget | None = None
        self.outgoing = request
        self.access_token: str = header[_SCHEME:]
        self.wants_token = False

    def place(self, token: OAuth2Token) -> None:
        """Put a token into the request."""
        self.wants_token = False
        self.access_token = token["access_token"]
        self.outgoing, self._bound = self._auth.authorized(self._request, token)

    def prove(self) -> None:
        """Put a new proof into what is to be sent, where the token is bound."""
        request = self.outgoing
        if self._bound is not None:
            proof = self._bound.prove(request.method, str(request.url), now())
            request.headers["DPoP"] = proof

    async def prove_async(self) -> None:
        """Do the same, and await the signature where it has to be."""
        request = self.outgoing
        if self._bound is not None:
            proof = await self._bound.prove_async(request.method, str(request.url), now())
            request.headers["DPoP"] = proof

    def goes_on_after(self, response: Any) -> bool:
        """Take in a response, and say whether there is more to send."""
        bound, answered = self._bound, response.request
        wants_proof = bound is not None and bound.learn(
            answered.method, answered.url, response.status_code, response.headers.get_list
        )
        if response.status_code != 401:
            return False
        from ..refusals import Repair, RepairBudget, refusal_of

        budget = self._budget = self._budget or RepairBudget()
        auth, url = self._auth, str(answered.url)
        repair = budget.choose(
            refusal_of(401, response.headers.get_list("WWW-Authenticate")),
            url=url,
            carries_token=self._is_in(answered),
            is_repeatable=auth.is_repeatable(self._request) and auth.is_repeatable(answered),
            wants_proof=wants_proof,
        )
        if not repair.is_silent:
            return False
        budget.spend(repair, url)
        if repair is Repair.NEW_PROOF:
            self.outgoing = auth.copied(answered)
        self.wants_token = repair is Repair.NEW_TOKEN
        return True

    def _is_in(self, answered: Any) -> bool:
        # Whether the token is in the request still, also after redirects.
        header = self.outgoing.headers.get("Authorization")
        if header is not None:
            return bool(answered.headers.get("Authorization") == header)
        return bool(answered.url == self.outgoing.url)
