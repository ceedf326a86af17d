"""The token in a request (RFC 6750 section 2), and whether a refusal concerns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

from oauth2_sansio.dropin.amending import header_pairs, read_amended
from oauth2_sansio.dropin.hooks import HookType
from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.resource import (
    TokenPlacement,
    authorization_header,
    place_in_body,
    place_in_url,
)
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio.waiting.clock import now

from .errors import HTTPError
from .headers import Headers
from .request import Request
from .response import Response

if TYPE_CHECKING:
    from oauth2_sansio.dropin.binding import BoundToken
    from oauth2_sansio.refusals import Repair, RepairBudget

_NO_FORM_TYPE = ("GET", "HEAD")
_FRAMING = frozenset({"content-length", "transfer-encoding"})


def placed(
    request: Request,
    token: OAuth2Token,
    placement: TokenPlacement,
    hooks: tuple[Callable[..., Any], ...],
    bound: BoundToken | None = None,
) -> Request:
    """Return a request with the token in it.

    hooks: the users' functions that see it then.
    bound: where the token is bound to a key: what goes along with it.
    Raises `LocalProtocolError` for a token in a streamed body.
    """
    match placement:
        case TokenPlacement.HEADER:
            header = bound.authorization if bound is not None else authorization_header(token)
            request = request.with_header("Authorization", header)
        case TokenPlacement.URI:
            request = replace(request, url=place_in_url(request.url, token))
        case TokenPlacement.BODY:
            request = _with_token_in_body(request, token)
        case _:
            assert_never(placement)
    for hook in hooks:
        request = _amended(request, hook)
    return request


async def proved(request: Request, bound: BoundToken | None) -> Request:
    """Return a request with a new proof that its sender holds the key (RFC 9449 section 4)."""
    if bound is None:
        return request
    return request.with_header("DPoP", await bound.prove_async(request.method, request.url, now()))


def chosen_repair(
    response: Response, sent: Request, budget: RepairBudget, bound: BoundToken | None
) -> Repair | None:
    """Return what is to be done silently about a response, which is then being tried, if anything.

    sent: the request with the token in it, as it went out, before all redirects.
    """
    try:
        answered = response.request
    except HTTPError:  # a test's answer, which belongs to no request
        return None
    wants_proof = bound is not None and bound.learn(
        answered.method, answered.url, response.status_code, response.headers.get_list
    )
    if response.status_code != 401:
        return None
    from oauth2_sansio.refusals import refusal_of

    repair = budget.choose(
        refusal_of(401, response.headers.get_list("WWW-Authenticate")),
        url=answered.url,
        carries_token=_is_in(answered, sent),
        is_repeatable=sent.is_repeatable and answered.is_repeatable,
        wants_proof=wants_proof,
    )
    if not repair.is_silent:
        return None
    budget.spend(repair, answered.url)
    return repair


def _is_in(answered: Request, sent: Request) -> bool:
    # Whether the token is in the request still, also after redirects.
    header = sent.headers.get("authorization")
    if header is not None:
        return answered.headers.get("authorization") == header
    return answered.url == sent.url


def _with_token_in_body(request: Request, token: OAuth2Token) -> Request:
    content = place_in_body(_body_of(request), request.headers.get("content-type"), token)
    changed = replace(request, content=content.encode("utf-8", "surrogateescape"))
    if request.method in _NO_FORM_TYPE:
        return changed
    return changed.with_header("Content-Type", "application/x-www-form-urlencoded")


def _body_of(request: Request) -> str:
    if request.content is None:
        return ""
    if isinstance(request.content, bytes):
        return request.content.decode("utf-8", "surrogateescape")
    raise LocalProtocolError(
        "the token cannot be placed into a streamed body",
        endpoint=Endpoint.RESOURCE,
        advice='use token_placement="header"',
    )


def _amended(request: Request, hook: Callable[..., Any]) -> Request:
    body = _body_of(request) if request.is_repeatable else None
    name = f"a hook of {HookType.PROTECTED_REQUEST.value}"
    returned = hook(request.url, dict(request.headers.pairs), body)
    url, headers, after = read_amended(returned, name)
    changed = replace(request, url=url, headers=Headers(header_pairs(headers, without=_FRAMING)))
    if after == body:
        return changed
    if isinstance(after, str):
        after = after.encode("utf-8", "surrogateescape")
    return replace(changed, content=after or None)
