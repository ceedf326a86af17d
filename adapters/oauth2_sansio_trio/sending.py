"""The driver: a request of the core over an `HTTPClient`, and what came back."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

import trio

from oauth2_sansio import errors as core_errors
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.driving import drive_async
from oauth2_sansio.events import (
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureNeeded,
    T,
)
from oauth2_sansio.flow import Flow
from oauth2_sansio.waiting.clock import now

from .errors import HTTPError, UnusableClientError
from .headers import Headers, Pairs
from .http_client import HTTPClient
from .request import Request
from .response import Response
from .settings import Timeout

DEADLINE = 30.0
"""Seconds that one request of a flow may take as a whole, if nothing else is said."""


async def run(
    flow: Flow[T],
    client: HTTPClient,
    *,
    deadline: float = DEADLINE,
    timeout: Timeout | float | None = None,  # noqa: ASYNC109 - of single steps: no scope does that
    sign: Callable[[SignatureNeeded], Awaitable[bytes]] | None = None,
) -> T:
    """Drive a flow over a client, and return its result.

    deadline: seconds that one of its requests may take as a whole.
    timeout: seconds that one step of a request may take; the client's where it is left out.
    sign: signs with a key outside this process.
    Raises the `OAuth2Error` that the flow ends in.
    """
    send_over = partial(send, client, deadline=deadline, timeout=timeout)
    return await drive_async(flow, send_over, trio.sleep, now, sign)


async def send(
    client: HTTPClient,
    request: RequestToSend,
    *,
    deadline: float = DEADLINE,
    timeout: Timeout | float | None = None,  # noqa: ASYNC109 - of single steps: no scope does that
) -> ResponseReceived | RequestFailed:
    """Send a request as it stands, and return what came of it.

    No redirect is followed, no content coding is undone, and of the body at most one byte more is
    read than the core takes. Cancellation passes through, and closes the connection.

    deadline: seconds for the whole of it: connecting, headers and body.
    timeout: seconds that one step may take; the client's where it is left out.
    Raises the core's `LocalProtocolError` for a client that is closed, or at work in another run.
    """
    try:
        response = await client.send(translated(client, request, deadline, timeout), stream=True)
        return await received(response)
    except UnusableClientError as error:
        text = str(error)
    except HTTPError as error:
        return RequestFailed(error, sent=error.sent)
    raise core_errors.LocalProtocolError(text, endpoint=request.endpoint)


async def received(response: Any) -> ResponseReceived:
    """Return an answer as the core takes it, and close it.

    response: a `Response`, or a test's double of one, with `status_code` and `json()`, and headers
    if it has any.
    """
    if type(response) is Response:
        try:
            body = await response.aread(limit=MAXIMUM_BODY, decode=False)
        finally:
            await response.aclose()
        return ResponseReceived(
            status=response.status_code, headers=response.headers.pairs, body=body
        )
    return ResponseReceived(
        status=response.status_code,
        headers=pairs_of(response),
        body=json.dumps(response.json()).encode("ascii"),
    )


def translated(
    client: HTTPClient,
    request: RequestToSend,
    deadline: float,
    timeout: Timeout | float | None,
) -> Request:
    """Return a request of the core as one that a client sends as it stands.

    deadline, timeout: see `send`.
    """
    # A compressed answer could be a bomb, and one with a secret in it tells its length.
    headers = Headers(request.headers).with_header("Accept-Encoding", "identity")
    agent = client.headers.get("user-agent")
    if agent is not None and "user-agent" not in headers:
        headers = headers.with_header("User-Agent", agent)
    return Request(
        method=request.method,
        url=request.url,
        headers=headers,
        content=request.body or None,
        timeout=None if timeout is None else Timeout.of(timeout),
        deadline=deadline,
    )


def pairs_of(response: Any) -> Pairs:
    """Return the headers of an answer, or of a test's double of one, if it has any."""
    headers = getattr(response, "headers", None)
    if not isinstance(headers, Mapping):
        return ()
    mapping = cast("Mapping[object, object]", headers)
    return tuple((str(name), str(value)) for name, value in mapping.items())
