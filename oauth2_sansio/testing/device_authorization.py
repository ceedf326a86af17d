"""Login on a device without a browser (RFC 8628)."""

from __future__ import annotations

from oauth2_sansio.device import DEVICE_CODE
from oauth2_sansio.events import ResponseReceived

from .authorization_details import check_details
from .client_authentication import authenticate_client
from .configuration import RegisteredClient
from .decisions import answer_poll, new_decision
from .issuing import new_family
from .messages import IncomingRequest, Parameters, Refusal, json_answer
from .state import ServerState
from .token_endpoint import posted_parameters

_LETTERS = b"BCDFGHJKLMNPQRSTVWXZ"  # no vowels: no words come about (RFC 8628 section 6.1)


def answer_device_request(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Return the codes for a device, and let the user begin to decide (RFC 8628 section 3.2)."""
    parameters = posted_parameters(request)
    client = authenticate_client(state, request, parameters)
    if DEVICE_CODE not in client.grant_types:
        raise Refusal("unauthorized_client", "The client may not use this grant_type.")
    check_details(state, parameters)
    family = new_family(client, parameters, subject=None)
    lifetime, interval = state.settings.decision_lifetime, state.settings.polling_interval
    decision = new_decision(state, family, request.user, lifetime)
    device_code, user_code = state.random_text("device"), _user_code(state)
    state.ledger.add_decision(decision, device_code, user_code)
    page = f"{state.issuer.rstrip('/')}/device"
    return json_answer(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={user_code}",
            "expires_in": lifetime,
            "interval": interval,
        }
    )


def grant_for_device(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give tokens for a device code, once the user has approved (RFC 8628 section 3.4)."""
    decision = state.ledger.decision(parameters.require("device_code"))
    return answer_poll(state, client, decision)


def _user_code(state: ServerState) -> str:
    letters = bytes(_LETTERS[byte % len(_LETTERS)] for byte in state.random_bytes(8)).decode()
    return f"{letters[:4]}-{letters[4:]}"
