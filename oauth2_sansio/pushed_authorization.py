"""Authorization requests that the server gets directly (RFC 9126)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .answers import Answer
from .authorization import PendingAuthorization, authorization_url
from .errors import LocalProtocolError, RemoteProtocolError
from .events import Endpoint
from .flow import Flow
from .parameters import Parameters, joined
from .tokens import is_visible_text, read_seconds

if TYPE_CHECKING:
    from .client import Client

_LONGEST_REFERENCE = 2_048  # characters: it goes into a URL


def push_authorization(
    client: Client,
    given: Iterable[tuple[str, str]],
    parameters: Parameters,
    pending: Callable[[str, float, float | None], PendingAuthorization],
) -> Flow[PendingAuthorization]:
    """Send an authorization request to the server, and get a URL that refers to it.

    given: the parameters of the request, in front of the caller's own.
    pending: makes the result of that URL, the time, and the time when the URL is over.
    Raises `RemoteProtocolError` where the server requires this and names no endpoint for it.
    """
    server = client.server
    if server.require_pushed_authorization_requests and (
        server.pushed_authorization_request_endpoint is None
    ):
        raise RemoteProtocolError(
            "the server's metadata require pushed authorization requests, and name no endpoint",
            endpoint=Endpoint.PUSHED_AUTHORIZATION,
            advice="ask the server's operator for pushed_authorization_request_endpoint",
        )
    form = joined(given, parameters, Endpoint.PUSHED_AUTHORIZATION, in_url=False)
    if any(name == "request_uri" for name, _ in form):
        raise LocalProtocolError(
            "a request that is pushed refers to no other one (RFC 9126 section 2.1)",
            endpoint=Endpoint.PUSHED_AUTHORIZATION,
            advice="leave out request_uri",
        )

    def read(answer: Answer) -> PendingAuthorization:
        reference, expires_at = _read_reference(answer)
        pairs = (("client_id", client.client_id), ("request_uri", reference))
        url = authorization_url(server.url(Endpoint.AUTHORIZATION), pairs)
        return pending(url, answer.now, expires_at)

    return client.exchange(Endpoint.PUSHED_AUTHORIZATION, form, read)


def _read_reference(answer: Answer) -> tuple[str, float]:
    document = answer.read()
    reference = document.get("request_uri")
    if (
        not isinstance(reference, str)
        or not is_visible_text(reference)
        or len(reference) > _LONGEST_REFERENCE
    ):
        raise answer.broken("the answer has no usable request_uri")
    lifetime = read_seconds(document.get("expires_in"))
    if lifetime is None or lifetime <= 0:
        raise answer.broken("the answer does not say when it expires (expires_in)")
    return reference, answer.now + lifetime
