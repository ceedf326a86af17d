"""The pushed authorization request endpoint, and what a browser refers to (RFC 9126)."""

from __future__ import annotations

import re

from oauth2_sansio.events import ResponseReceived

from .authorization_details import check_details
from .client_authentication import authenticate_client
from .configuration import RegisteredClient
from .ledger import PushedRequest
from .messages import IncomingRequest, Parameters, Refusal, json_answer
from .proofs import parameters_with_key
from .request_objects import signed_parameters
from .state import ServerState
from .token_endpoint import posted_parameters

_OF_AUTHENTICATION = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


def answer_pushed_request(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Keep an authorization request for a browser, and return a reference to it."""
    parameters = posted_parameters(request)
    client = authenticate_client(state, request, parameters)
    if parameters.get("request_uri") is not None:
        raise Refusal("invalid_request", "A pushed request must not refer to another one.")
    asked = parameters_with_key(state, request, signed_parameters(state, client, parameters))
    registered_redirect_uri(client, asked.get("redirect_uri"))
    asked.require("response_type")
    check_details(state, asked)
    lifetime = state.settings.pushed_request_lifetime
    reference = state.random_text("urn:ietf:params:oauth:request_uri:")
    pushed = PushedRequest(
        client_id=client.client_id,
        parameters=tuple(pair for pair in asked.pairs if pair[0] not in _OF_AUTHENTICATION),
        expires_at=state.now() + lifetime,
    )
    state.ledger.add_pushed_request(reference, pushed)
    return json_answer({"request_uri": reference, "expires_in": lifetime}, status=201)


def parameters_of_browser(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> Parameters:
    """Return the parameters that a browser carries, or those that it refers to, once.

    Raises `Refusal` for a reference that does not count, and where the server requires one.
    """
    reference = parameters.get("request_uri")
    if reference is None:
        if state.settings.require_pushed_authorization_requests:
            raise Refusal("invalid_request", "The request has to be pushed.")
        return signed_parameters(state, client, parameters)
    pushed = state.ledger.take_pushed_request(reference)
    if pushed is None or pushed.client_id != client.client_id or pushed.expires_at <= state.now():
        raise Refusal("invalid_request_uri", "The request_uri is unknown, used or too old.")
    return Parameters(pushed.parameters)


def registered_redirect_uri(client: RegisteredClient, asked: str | None) -> str:
    """Return where to send the browser; raise `Refusal` where that is not known to be safe."""
    if asked is None:
        if len(client.redirect_uris) != 1:
            raise Refusal("invalid_request", "The parameter redirect_uri is missing.")
        return client.redirect_uris[0]
    if asked in client.redirect_uris or _without_port(asked) in client.redirect_uris:
        return asked
    raise Refusal("invalid_request", "The redirect_uri is not registered for this client.")


def _without_port(uri: str) -> str | None:
    """Return a loopback address without its port, which a native app cannot know beforehand."""
    found = re.fullmatch(r"(http://(?:127\.0\.0\.1|\[::1\])):[0-9]{1,5}(/.*)?", uri)
    return found and found[1] + (found[2] or "")
