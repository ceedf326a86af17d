"""How an authorization request gets to the server: in a URL, signed there, or directly (RFC 9126)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from .answers import Answer
from .authorization import (
    PendingAuthorization,
    authorization_url,
    check_challenge_method,
    check_verifier,
    code_challenge,
    random_text,
)
from .callback import ResponseMode, check_signed_mode, default_mode
from .errors import LocalProtocolError, RemoteProtocolError
from .events import Endpoint, Pairs
from .flow import Flow, finished
from .parameters import Parameters, Scope, joined, json_pair, scope_pair, spaced
from .tokens import is_visible_text, read_seconds

if TYPE_CHECKING:
    from .client import Client

_LONGEST_REFERENCE = 2_048  # characters: it goes into a URL


Pending: TypeAlias = Callable[[str, float, float | None], PendingAuthorization]
"""Makes a result of the URL, the time, and the time when the URL is over."""


def request_authorization(
    client: Client,
    *,
    redirect_uri: str | None,
    scope: Scope,
    state: str | None,
    nonce: str | None,
    response_type: str,
    response_mode: ResponseMode | None,
    code_verifier: str | None,
    further: Pairs,
    parameters: Parameters,
    push: bool,
) -> Flow[PendingAuthorization]:
    """Return a flow that brings an authorization request on its way, as the server requires it.

    further: more parameters of the request, in front of the caller's own; for the rest, and for
        the errors, see `Client.authorize`.
    Raises `LocalProtocolError` where it has to be signed and nothing signs it.
    """
    server = client.server
    state = state or random_text(client.random_bytes)
    given = [("response_type", response_type), ("client_id", client.client_id)]
    if redirect_uri is not None:
        given.append(("redirect_uri", redirect_uri))
    given += (*scope_pair(scope), ("state", state))
    if "code" not in response_type.split() or client.omit_pkce:
        code_verifier = None
    else:
        check_challenge_method(server)
        code_verifier = check_verifier(code_verifier or random_text(client.random_bytes))
        given.append(("code_challenge", code_challenge(code_verifier)))
        given.append(("code_challenge_method", "S256"))
    if client.dpop is not None:
        if "token" in response_type.split():
            raise LocalProtocolError(
                "a token that comes with the callback is bound to no key",
                endpoint=Endpoint.AUTHORIZATION,
                advice="use the response type code, or a client without dpop=",
            )
        given.append(("dpop_jkt", client.dpop.thumbprint))
    if nonce is not None:
        given.append(("nonce", nonce))
    if response_mode is not None:
        check_signed_mode(response_mode, server.issuer)
        given.append(("response_mode", response_mode.value))
    else:
        response_mode = default_mode(response_type)
    given += further

    def pending(url: str, now: float, url_expires_at: float | None) -> PendingAuthorization:
        return PendingAuthorization(
            url=url,
            url_expires_at=url_expires_at,
            state=state,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            nonce=nonce,
            response_type=response_type,
            response_mode=response_mode,
            issuer=server.issuer,
            issuer_required=server.authorization_response_iss_parameter_supported,
            expires_at=now + client.authorization_lifetime,
        )

    return _on_its_way(client, given, parameters, pending, push=push)


def login_pairs(acr_values: Scope, max_age: int | None, claims: Mapping[str, Any] | None) -> Pairs:
    """Return the parameters that say how the user has to have logged in (RFC 9470 section 4).

    Raises `ValueError` for a `max_age` that is no number of seconds.
    """
    found = spaced("acr_values", acr_values)
    if max_age is not None:
        if max_age < 0:
            raise ValueError("max_age is a number of seconds, from 0 on")
        found += (("max_age", str(int(max_age))),)
    if claims:
        found += (json_pair("claims", dict(claims)),)
    return found


def _on_its_way(
    client: Client,
    given: Iterable[tuple[str, str]],
    parameters: Parameters,
    pending: Pending,
    *,
    push: bool,
) -> Flow[PendingAuthorization]:
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
