"""How an authorization request gets to the server: in a URL, signed there, or directly (RFC 9126)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from .answers import Answer
from .authorization import PendingAuthorization, authorization_url
from .errors import LocalProtocolError, RemoteProtocolError
from .events import Endpoint
from .flow import Flow, finished
from .parameters import Parameters, joined
from .tokens import is_visible_text, read_seconds

if TYPE_CHECKING:
    from .client import Client

_LONGEST_REFERENCE = 2_048  # characters: it goes into a URL


Pending: TypeAlias = Callable[[str, float, float | None], PendingAuthorization]
"""Makes a result of the URL, the time, and the time when the URL is over."""


def request_authorization(
    client: Client,
    given: Iterable[tuple[str, str]],
    parameters: Parameters,
    pending: Pending,
    *,
    push: bool,
) -> Flow[PendingAuthorization]:
    """Return a flow that brings an authorization request on its way, as the server requires it.

    given: the parameters of the request, in front of the caller's own.
    push: sends it to the server itself, also where that is not required.
    Raises `LocalProtocolError` where it has to be signed and nothing signs it.
    """
    server, request_object = client.server, client.request_object
    endpoint = server.url(Endpoint.AUTHORIZATION)
    if server.require_signed_request_object and request_object is None:
        raise LocalProtocolError(
            "the server takes authorization requests only where they are signed",
            endpoint=Endpoint.AUTHORIZATION,
            advice="give the client request_object=RequestObject(private_key)",
        )
    if push or server.require_pushed_authorization_requests:
        return _push(client, endpoint, given, parameters, pending)
    form = joined(given, parameters, Endpoint.AUTHORIZATION, in_url=True)
    if request_object is not None:
        return request_object.sign_into_url(
            client.identity, endpoint, form, lambda url, now: pending(url, now, None)
        )
    url = authorization_url(endpoint, form)
    return finished(lambda now: pending(url, now, None))


def _push(
    client: Client,
    endpoint: str,
    given: Iterable[tuple[str, str]],
    parameters: Parameters,
    pending: Pending,
) -> Flow[PendingAuthorization]:
    server, request_object = client.server, client.request_object
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
        url = authorization_url(endpoint, pairs)
        return pending(url, answer.now, expires_at)

    signers = () if request_object is None else (request_object.signer(client.identity),)
    return client.exchange(Endpoint.PUSHED_AUTHORIZATION, form, read, signers=signers)


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
