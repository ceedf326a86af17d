"""Where a redirect leads, and what goes along (RFC 9110 section 15.4)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urljoin

from .errors import LocalProtocolError, RedirectError
from .request import Request
from .response import Response
from .urls import read_url

MOST_REDIRECTS = 20
"""How many redirects one request follows."""


def redirected(request: Request, response: Response) -> Request | None:
    """Return the request that an answer leads to; None where it is no redirect.

    To another scheme, host or port go no credentials: neither `Authorization` nor `Cookie`. A proof
    (`DPoP`) is for one URL, and goes nowhere.
    Raises `RedirectError` for a redirect from https to http, to what is no URL of these, and for
    one that asks for a streamed body again.
    """
    location = response.headers.get("location")
    if response.status_code not in _REDIRECTS or location is None:
        return None
    url = _joined(request.url, location)
    target = read_url(url).origin
    origin = read_url(request.url).origin
    if origin.scheme == "https" and target.scheme == "http":
        raise RedirectError(
            "the answer redirects from https to http, where anyone could read along"
        )
    headers = request.headers if target == origin else request.headers.without(*_CREDENTIALS)
    headers = headers.without("host", "dpop")
    status, method = response.status_code, request.method
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        return replace(
            request, method="GET", url=url, headers=headers.without(*_OF_BODY), content=None
        )
    if not request.is_repeatable:
        raise RedirectError("the answer redirects a streamed body, which can be sent once only")
    return replace(request, url=url, headers=headers)


def _joined(url: str, location: str) -> str:
    try:
        joined = urljoin(url, location)
        read_url(joined)
    except (LocalProtocolError, ValueError):  # ValueError: for broken brackets
        pass
    else:
        return joined
    raise RedirectError("the answer redirects to what is no http or https URL")


_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS = ("authorization", "cookie", "proxy-authorization")
_OF_BODY = ("content-type", "content-length", "content-encoding", "content-language", "expect")
