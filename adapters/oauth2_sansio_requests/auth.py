"""The token in a request of requests: as `auth=` of any session, and inside ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never
from urllib.parse import urljoin

import requests
from requests.auth import AuthBase
from requests.sessions import SessionRedirectMixin
from requests.structures import CaseInsensitiveDict

from oauth2_sansio.dropin.amending import read_amended
from oauth2_sansio.errors import LocalProtocolError, RemoteProtocolError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.resource import (
    TokenPlacement,
    authorization_header,
    place_in_body,
    place_in_url,
)
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio.waiting.clock import now
from oauth2_sansio.waiting.lending import LentToken, foreign_auth

if TYPE_CHECKING:
    from oauth2_sansio.dropin.binding import BoundToken
    from oauth2_sansio.refusals import RepairBudget

_NO_FORM_TYPE = frozenset({"GET", "HEAD"})
_KEEP_BODY = frozenset({307, 308})  # the redirects with which a body goes along

ProtectedHooks: TypeAlias = tuple[Callable[..., Any], ...]


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

    @property
    def budget(self) -> RepairBudget:
        """What may be done about refusals: all of it, since nothing of this kind repeats itself."""
        return _new_budget()

    def is_in(self, request: requests.PreparedRequest) -> bool:
        """Say whether a request carries the header still, also after redirects."""
        return request.headers.get("Authorization") == self.header

    def undo(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return a copy of a request of this one as it was before."""
        return request


class PlacedToken:
    """Put a token where it is wanted, and let the users' hooks have a look; for one request.

    bound: where the token is bound to a key: what goes along with it.
    budget: what may still be done about refusals, where the request has gone out before.
    """

    __slots__ = (
        "_after",
        "_before",
        "_bound",
        "_budget",
        "_header",
        "_hooks",
        "_placement",
        "token",
    )

    def __init__(
        self,
        token: OAuth2Token,
        placement: str,
        hooks: ProtectedHooks = (),
        bound: BoundToken | None = None,
        budget: RepairBudget | None = None,
    ) -> None:
        self.token = token
        self._bound = bound
        self._budget = budget
        self._placement = TokenPlacement(placement)
        self._hooks = hooks
        self._header: str | None = None  # where nothing else of the request was changed
        self._before: tuple[Any, Any] = (None, None)
        self._after: tuple[Any, Any] = (None, None)

    @property
    def access_token(self) -> str:
        """The token that is placed."""
        return self.token.access_token or ""

    @property
    def budget(self) -> RepairBudget:
        """What may still be done about refusals of the request."""
        budget = self._budget = self._budget or _new_budget()
        return budget

    def is_in(self, request: requests.PreparedRequest) -> bool:
        """Say whether a request carries the token still, also after redirects."""
        if self._header is not None:
            return request.headers.get("Authorization") == self._header
        return (request.url, request.body) == self._after

    def undo(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return a copy of the request as it was before, but for its headers."""
        if self._header is None:
            request.url, request.body = self._before
        if self._bound is not None:
            request.hooks["response"].remove(self.heed)
        return request

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._before = (request.url, request.body)
        match self._placement:
            case TokenPlacement.HEADER:
                bound = self._bound
                header = bound.authorization if bound else authorization_header(self.token)
                request.headers["Authorization"] = header
                self._header = None if self._hooks else header
            case TokenPlacement.URI:
                request.url = place_in_url(request.url or "", self.token)
            case TokenPlacement.BODY:
                self._place_in_body(request)
            case _:
                assert_never(self._placement)
        for hook in self._hooks:
            _amend(request, hook)
        self._after = (request.url, request.body)
        if self._bound is not None:
            self._prove(request, self._bound)
            on_response(request, self.heed)
        return request

    def _prove(self, request: requests.PreparedRequest, bound: BoundToken) -> None:
        request.headers["DPoP"] = bound.prove(request.method or "", request.url or "", now())

    def heed(self, response: requests.Response, **options: Any) -> requests.Response:
        """Learn from a response, also from one that redirects; repeat its request with a new proof
        where the server asks for that. Returns the last response.
        """
        bound, sent = self._bound, response.request
        if bound is None or type(response) is not requests.Response:
            return response
        method, url = sent.method or "", sent.url or ""
        wanted = bound.learn(
            method, url, response.status_code, partial(_values_of, response.headers)
        )
        again = wanted and _is_worth_it(
            response,
            self.budget,
            carries_token=sent.headers.get("Authorization") == bound.authorization,
            by_proof=True,
        )
        if again or response.is_redirect:
            sent.headers.pop("DPoP", None)  # a proof is for one request: it goes no further
        if not again:
            return response
        response.close()
        request = sent.copy()
        self._prove(request, bound)
        return self.heed(_resent(response, request, options), **options)

    def _place_in_body(self, request: requests.PreparedRequest) -> None:
        body = _as_text(request.body)
        if body is not None and not isinstance(body, str):
            raise LocalProtocolError(
                "the token cannot be placed into a streamed or binary body",
                endpoint=Endpoint.RESOURCE,
                advice='use token_placement="header"',
            )
        content_type: Any = request.headers.get("Content-Type")
        request.body = place_in_body(body, content_type, self.token)
        if request.method not in _NO_FORM_TYPE:
            request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        on_response(request, _keep_body_here)


class OAuth2Auth(LentToken, AuthBase):
    """Authorize the requests of any `requests.Session` with a token (RFC 6750).

    token: a dict; None for whatever token the session has at the time.
    token_placement: `header`, `body` or `uri`.
    dpop: the key that the token is bound to; the client's where it is left out.
    sign: signs with that key where it is elsewhere; the client's where it is left out.
    client: an `OAuth2Session` that renews the token when it has expired, and saves it. Where the
        token is the session's own, the two share it until the session gets another user's.

    Any number of threads and sessions may share it.
    """

    def active_token(self, *, rejected: str | None = None) -> OAuth2Token:
        """Return a token to use, after a renewal where it takes one.

        rejected: the access token that a resource server has just refused.
        """
        return self._blocking_token(rejected)

    def placed(
        self, token: OAuth2Token, budget: RepairBudget | None = None
    ) -> HeaderAuth | PlacedToken:
        """Return what puts a token into one request.

        budget: see `PlacedToken`.
        """
        hooks = () if self.client is None else self.client.protected_request_hooks()
        bound = self._bound(token)
        if self.token_placement == "header" and not hooks and bound is None:
            return HeaderAuth(authorization_header(token))
        return PlacedToken(token, self.token_placement, hooks, bound, budget)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if not hasattr(request, "register_hook"):  # it is another library's
            raise foreign_auth(type(request).__module__.partition(".")[0])
        placed = self.placed(self.active_token())
        request = placed(request)
        if self.client is not None:
            on_response(request, _Retry(self, placed))
        return request


class _Retry:
    """Repeat a request once with a renewed token where the server has refused the token."""

    def __init__(self, auth: OAuth2Auth, placed: HeaderAuth | PlacedToken) -> None:
        self._auth = auth
        self._placed = placed

    def __call__(self, response: requests.Response, **options: Any) -> requests.Response:
        budget = budget_for_new_token(response, self._placed)
        if budget is None:
            return response
        try:
            token = self._auth.active_token(rejected=self._placed.access_token)
        except LocalProtocolError:  # there is no way to renew it: the caller sees the refusal
            return response
        response.close()
        again = self._auth.placed(token, budget)
        request = repetition(response, self._placed, again)
        request.hooks["response"].remove(self)
        repeated = _resent(response, request, options)
        return again.heed(repeated, **options) if isinstance(again, PlacedToken) else repeated


def on_response(request: Any, hook: Callable[..., Any]) -> None:
    """Let a function have a look at the response, before requests follows a redirect."""
    request.register_hook("response", hook)


def budget_for_new_token(response: Any, placed: HeaderAuth | PlacedToken) -> RepairBudget | None:
    """Return what is left to be done about refusals once the request was repeated with a new token;
    None where that would not help.
    """
    if type(response) is not requests.Response or response.status_code != 401:
        return None
    sent: Any = response.request  # None where a test has made the response
    budget = placed.budget
    is_worth_it = sent is not None and _is_worth_it(
        response, budget, carries_token=placed.is_in(sent), by_proof=False
    )
    return budget if is_worth_it else None


def repetition(
    response: requests.Response,
    before: HeaderAuth | PlacedToken,
    after: HeaderAuth | PlacedToken,
) -> requests.PreparedRequest:
    """Return the request of a response with another token in it."""
    copied = response.request.copy()
    # The copy has the very hooks of the first request, which is being answered at this moment.
    copied.hooks = {name: list(hooks) for name, hooks in copied.hooks.items()}
    request = after(before.undo(copied))
    request.prepare_content_length(request.body)
    return request


def _resent(
    response: requests.Response, request: requests.PreparedRequest, options: dict[str, Any]
) -> requests.Response:
    # Once more, by the way that the response came.
    repeated: requests.Response = response.connection.send(request, **options)
    repeated.history.append(response)
    repeated.request = request
    return repeated


def _is_worth_it(
    response: requests.Response, budget: RepairBudget, *, carries_token: bool, by_proof: bool
) -> bool:
    # Whether a new proof, or else a new token, is what to try next: then it is being tried.
    from oauth2_sansio.refusals import Repair, refusal_of

    sent = response.request
    url = sent.url or ""
    repair = budget.choose(
        refusal_of(response.status_code, _values_of(response.headers, "WWW-Authenticate")),
        url=url,
        carries_token=carries_token,
        is_repeatable=_has_whole_body(sent),
        wants_proof=by_proof,
    )
    if repair is not (Repair.NEW_PROOF if by_proof else Repair.NEW_TOKEN):
        return False
    budget.spend(repair, url)
    return True


def _new_budget() -> RepairBudget:
    # Few requests are refused: the module is loaded for those alone.
    from oauth2_sansio.refusals import RepairBudget

    return RepairBudget()


def _values_of(headers: CaseInsensitiveDict[str], name: str) -> tuple[str, ...]:
    # requests has joined all fields of one name, as HTTP allows.
    return (headers[name],) if name in headers else ()


def _has_whole_body(request: requests.PreparedRequest) -> bool:
    body: Any = request.body  # requests puts a file or an iterator here too
    return body is None or isinstance(body, (str, bytes))


def _amend(request: requests.PreparedRequest, hook: Callable[..., Any]) -> None:
    had_no_body = request.body is None
    body = "" if request.body is None else _as_text(request.body)
    request.url, headers, body = read_amended(
        hook(request.url, request.headers, body), "a hook of protected_request"
    )
    request.headers = (
        headers if isinstance(headers, CaseInsensitiveDict) else CaseInsensitiveDict(headers)
    )
    request.body = body
    if not body and isinstance(body, (str, bytes, type(None))):
        request.body = None
        if not had_no_body:
            request.headers.pop("Content-Length", None)  # requests writes it anew


def _keep_body_here(response: requests.Response, **_options: Any) -> None:
    # A redirect to another origin would take the body along, and the token in it.
    location = response.headers.get("Location")
    if response.status_code not in _KEEP_BODY or location is None:
        return
    before = response.request.url or ""
    redirects: Any = SessionRedirectMixin()
    if redirects.should_strip_auth(before, urljoin(before, location)):
        raise RemoteProtocolError(
            "the resource redirects a request with the token in its body to another origin",
            status=response.status_code,
            endpoint=Endpoint.RESOURCE,
            advice='use token_placement="header", or send the request there yourself',
        )


def _as_text(body: Any) -> Any:
    if not isinstance(body, bytes):
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body
