"""A driver: the standard library's `urllib`, in the lines that it takes."""

from __future__ import annotations

import time
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from oauth2_sansio import Flow, RequestFailed, RequestToSend, ResponseReceived, drive
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.events import T


class _FollowNone(HTTPRedirectHandler):
    def redirect_request(self, *_unused: Any) -> None:
        return None


_OPENER = build_opener(ProxyHandler({}), _FollowNone)


def run(flow: Flow[T]) -> T:
    """Drive a flow to its end."""
    return drive(flow, send, time.sleep, time.time)


def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
    """Send a request as it stands, and return what came of it."""
    body = request.body if request.method == "POST" else None
    message = Request(request.url, body, dict(request.headers), method=request.method)
    try:
        response = _OPENER.open(message, timeout=30)
    except HTTPError as error:  # a response all the same
        response = error
    except URLError as error:
        return RequestFailed(error, sent=not isinstance(error.reason, ConnectionRefusedError))
    with response:
        body = response.read(MAXIMUM_BODY + 1)
        return ResponseReceived(
            status=response.status, headers=tuple(response.headers.items()), body=body
        )
