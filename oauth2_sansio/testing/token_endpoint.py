"""The token endpoint: who asks, and which grant is meant."""

from __future__ import annotations

from oauth2_sansio.events import ResponseReceived

from .authorization_details import check_details
from .client_authentication import authenticate_client
from .messages import FORM, IncomingRequest, Parameters, Refusal, require_method
from .proofs import grant_bound
from .state import ServerState

_NEVER_IN_A_URL = frozenset(
    {
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "password",
        "refresh_token",
        "token",
    }
)


def answer_token_request(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Answer a token request (RFC 6749 section 3.2)."""
    if request.method == "GET" and state.settings.allow_get_token_requests:
        parameters = Parameters(request.query)
    else:
        parameters = posted_parameters(request)
    client = authenticate_client(state, request, parameters)
    grant_type = parameters.require("grant_type")
    grant = state.grants.get(grant_type)
    if grant is None:
        raise Refusal("unsupported_grant_type", "The grant_type is not supported.")
    if grant_type not in client.grant_types:
        raise Refusal("unauthorized_client", "The client may not use this grant_type.")
    check_details(state, parameters)
    return grant_bound(state, request, client, parameters, grant)


def posted_parameters(request: IncomingRequest) -> Parameters:
    """Return the parameters of a posted form.

    Raises `Refusal` for another method, another type of body, and secrets in the URL.
    """
    require_method(request, "POST")
    if request.body and not request.form:
        raise Refusal("invalid_request", f"The body must be of the type {FORM}.")
    if any(name in _NEVER_IN_A_URL for name, _ in request.query):
        raise Refusal("invalid_request", "Secrets belong into the body, not into the URL.")
    return Parameters(request.form)
