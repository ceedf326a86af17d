"""Statuses: a token in each, and redirects of every kind to another origin."""

from __future__ import annotations

from .credentials import CLIENT_SECRET, CODE
from .operations import Operation
from .row import (
    OVER_HTTPX,
    TOKEN_BODY,
    Prints,
    Row,
    answering,
    broken,
    issued,
)
from .scripts import ELSEWHERE

_REDIRECTS = (300, 301, 302, 303, 305, 306, 307, 308, 310, 399)
_OTHERS = (
    *(202, 203, 206, 207, 208, 226, 299),
    *(401, 403, 404, 405, 406, 407, 409, 410, 411, 412, 415, 416, 417, 422, 423, 428),
    *(429, 444, 494, 495, 498, 501, 503, 505, 507, 520, 598, 600, 666, 700),
)

_TARGETS: dict[str, bytes] = {
    "without a scheme": ELSEWHERE.removeprefix(b"http:") + b"/token",
    "with a user": ELSEWHERE.replace(b"//", b"//user:password@") + b"/token",
    "with backslashes": ELSEWHERE.replace(b"//", b"\\\\") + b"/token",
    "with a tab": ELSEWHERE.replace(b"http", b"ht\ttp") + b"/token",
    "in capitals": ELSEWHERE.replace(b"http", b"HTTP") + b"/token",
    "with a fragment": ELSEWHERE + b"/token#a",
    "with a query": ELSEWHERE + b"/token?a=b",
    "of JavaScript": b"javascript:alert(1)",
    "of a file": b"file:///etc/passwd",
    "of data": b"data:application/json,{}",
    "that is empty": b"",
    "that is a port out of range": b"http://127.0.0.1:99999/",
    "that is 60,000 characters long": ELSEWHERE + b"/" + b"a" * 60_000,
    "that is no ASCII": ELSEWHERE + b"/\xff\xfe",
    "that is the same place": b"/token",
}

_LOGS_HEADERS = Prints(
    OVER_HTTPX, "httpcore logs the headers of a response at DEBUG, whatever a server puts there"
)


def _to(location: bytes) -> bytes:
    return b"Location: %b\r\n" % location


REDIRECTS = (
    *(
        answering(
            f"a redirect with {status} to another origin, {operation.name.lower()}",
            b"",
            broken(status=status),
            status=status,
            kind=None,
            headers=_to(ELSEWHERE + b"/token"),
            operation=operation,
        )
        for status in _REDIRECTS
        for operation in (Operation.REDEEM, Operation.REFRESH)
    ),
    *(
        answering(
            f"a redirect with {status}, and a token",
            TOKEN_BODY,
            broken(status=status),
            status=status,
            headers=_to(ELSEWHERE + b"/token"),
        )
        for status in _REDIRECTS
    ),
    *(
        answering(
            f"a redirect with {status} to a place {name}",
            b"",
            broken(status=status),
            status=status,
            kind=None,
            headers=_to(target),
        )
        for status in (302, 307)
        for name, target in _TARGETS.items()
    ),
    answering(
        "a redirect with our secrets in it",
        b"",
        broken(status=302),
        status=302,
        headers=_to(ELSEWHERE + f"/?code={CODE}&client_secret={CLIENT_SECRET}".encode()),
        prints=(_LOGS_HEADERS,),
    ),
    answering(
        "two redirects",
        b"",
        broken(status=302),
        status=302,
        headers=_to(b"/token") + _to(ELSEWHERE + b"/token"),
    ),
    answering("a redirect without a place", b"", broken(status=302), status=302, kind=None),
)

# What some clients take for a redirect too.
_POINTERS: dict[str, bytes] = {
    "Refresh": b"Refresh: 0; url=%b/token\r\n" % ELSEWHERE,
    "Location": _to(ELSEWHERE + b"/token"),
    "Content-Location": b"Content-Location: %b/token\r\n" % ELSEWHERE,
    "Link": b'Link: <%b/token>; rel="canonical"\r\n' % ELSEWHERE,
    "Alt-Svc": b'Alt-Svc: h2="%b"; ma=86400\r\n' % ELSEWHERE.removeprefix(b"http://"),
    "URI": b"URI: <%b/token>\r\n" % ELSEWHERE,
}

POINTERS = tuple(
    answering(f"{name} to another origin", TOKEN_BODY, issued(), headers=headers)
    for name, headers in _POINTERS.items()
)

TOKENS_IN_OTHERS = tuple(
    answering(f"status {status} with a token", TOKEN_BODY, broken(status=status), status=status)
    for status in _OTHERS
)


ODD_STATUSES: tuple[Row, ...] = (*REDIRECTS, *POINTERS, *TOKENS_IN_OTHERS)
