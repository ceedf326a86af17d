"""The token in a request of requests: as `auth=` of any session, and inside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import requests
from requests.auth import AuthBase

from oauth2_sansio.challenges import is_token_rejected
from oauth2_sansio.errors import InvalidTokenError, LocalProtocolError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.keeper import TokenKeeper
from oauth2_sansio.resource import (
    TokenPlacement,
    authorization_header,
    place_in_body,
    place_in_url,
)
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio.waiting.threads import ThreadFlight

if TYPE_CHECKING:
    from .session import OAuth2Session

_NO_FORM_TYPE = frozenset({"GET", "HEAD"})


class HeaderAuth:
    """Put a header that is made already into each request."""

    __slots__ = ("header",)

    def __init__(self, header: str) -> None:
        self.header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self.header
        return request

    @property
    def access_token(self) -> str:
        """The token in the header."""
        return self.header.partition(" ")[2]

    def undo(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return a copy of a request of this one as it was before."""
        return request


class PlacedToken:
    """Put a token where it is wanted, and let the users' hooks have a look; for one request."""

    __slots__ = ("_before", "_hooks", "_placement", "token")

    def __init__(self, token: OAuth2Token, placement: str, hooks: tuple[Any, ...] = ()) -> None:
        self.token = token
        self._placement = TokenPlacement(placement)
        self._hooks = hooks
        self._before: tuple[Any, Any] = (None, None)

    @property
    def access_token(self) -> str:
        """The token that is placed."""
        return self.token.access_token or ""

    def undo(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return a copy of the request as it was before, but for its headers."""
        request.url, request.body = self._before
        return request

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._before = (request.url, request.body)
        match self._placement:
            case TokenPlacement.HEADER:
                request.headers["Authorization"] = authorization_header(self.token)
            case TokenPlacement.URI:
                request.url = place_in_url(request.url or "", self.token)
            case TokenPlacement.BODY:
                self._place_in_body(request)
        for hook in self._hooks:
            request.url, request.headers, request.body = hook(
                request.url, request.headers, _as_text(request.body)
            )
        return request

    def _place_in_body(self, request: requests.PreparedRequest) -> None:
        body = _as_text(request.body)
        if body is not None and not isinstance(body, str):
            raise LocalProtocolError(
                "the token cannot be placed into a streamed body",
                endpoint=Endpoint.RESOURCE,
                advice='use token_placement="header"',
            )
        request.body = place_in_body(body, request.headers.get("Content-Type"), self.token)
        if request.method not in _NO_FORM_TYPE:
            request.headers["Content-Type"] = "application/x-www-form-urlencoded"


class OAuth2Auth(AuthBase):
    """Authorize the requests of any `requests.Session` with a token (RFC 6750).

    token: a dict.
    token_placement: `header`, `body` or `uri`.
    client: an `OAuth2Session` that renews the token when it has expired, and saves it.
    """

    def __init__(
        self,
        token: Mapping[str, Any],
        token_placement: str = "header",
        client: OAuth2Session | None = None,
    ) -> None:
        self.token_placement = TokenPlacement(token_placement).value
        self.client = client
        if client is not None and token is client.token:
            self._keeper, self._flight = client.keeper_and_flight()
        else:
            self._keeper, self._flight = _own_flight(OAuth2Token(token), client)

    @property
    def token(self) -> OAuth2Token | None:
        """The current token."""
        return self._keeper.token

    def set_token(self, token: Mapping[str, Any]) -> None:
        """Take another token."""
        self._keeper.token = OAuth2Token(token)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token = self._flight.token()
        hooks = () if self.client is None else self.client.protected_request_hooks()
        repeatable = request.body is None or isinstance(request.body, (str, bytes))
        placed = PlacedToken(token, self.token_placement, hooks)(request)
        if self.client is not None and repeatable and self.token_placement == "header":
            placed.register_hook("response", _Retry(self, token))
        return placed


class _Retry:
    """Repeat a request once with a renewed token where the server has refused the token."""

    def __init__(self, auth: OAuth2Auth, token: OAuth2Token) -> None:
        self._auth = auth
        self._token = token

    def __call__(self, response: requests.Response, **options: Any) -> requests.Response:
        if not refuses_token(response):
            return response
        try:
            token = self._auth._flight.token(rejected=self._token.access_token)
        except LocalProtocolError:  # there is no way to renew it: the caller sees the refusal
            return response
        response.close()
        request = response.request.copy()
        request.deregister_hook("response", self)
        request.headers["Authorization"] = authorization_header(token)
        repeated: requests.Response = response.connection.send(request, **options)
        repeated.history.append(response)
        repeated.request = request
        return repeated


def refuses_token(response: requests.Response) -> bool:
    """Say whether a resource server has refused the token as such (RFC 6750 section 3.1)."""
    if response.status_code != 401:
        return False
    return is_token_rejected(401, [response.headers.get("WWW-Authenticate", "")])


def _own_flight(
    token: OAuth2Token, client: OAuth2Session | None
) -> tuple[TokenKeeper, ThreadFlight]:
    if client is not None:
        return client.new_keeper_and_flight(token)
    keeper = TokenKeeper(token, _refuse_renewal)
    return keeper, ThreadFlight(keeper, _refuse_renewal, lambda _token, _previous: None)


def _refuse_renewal(_unused: object) -> Any:
    raise InvalidTokenError(
        "the token has expired, and there is no client to renew it",
        endpoint=Endpoint.RESOURCE,
        advice="pass client= to OAuth2Auth, or a new token",
    )


def _as_text(body: Any) -> Any:
    if not isinstance(body, bytes):
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body
