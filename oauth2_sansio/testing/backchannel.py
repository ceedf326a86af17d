"""Login without any browser of the client's: the server asks the user itself (CIBA)."""

from __future__ import annotations

import json

from oauth2_sansio.backchannel import CIBA
from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived

from .authorization_details import check_details
from .client_authentication import authenticate_client
from .configuration import RegisteredClient, User
from .decisions import answer_poll, new_decision
from .issuing import new_family
from .jwt_assertions import check_claims, read_trusted_jwt, refusing
from .messages import IncomingRequest, Parameters, Refusal, json_answer
from .request_objects import signed_parameters
from .state import ServerState
from .token_endpoint import posted_parameters

_LONGEST_MESSAGE = 100
_HINTS = ("login_hint", "login_hint_token", "id_token_hint")


def answer_backchannel_request(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Let the user begin to decide, and return by what to ask for it (CIBA Core section 7)."""
    parameters = posted_parameters(request)
    client = authenticate_client(state, request, parameters)
    if CIBA not in client.grant_types:
        raise Refusal("unauthorized_client", "The client may not use this grant_type.")
    asked = _asked(state, client, parameters)
    if _subject(state, client, asked) != request.user.subject:
        raise Refusal("unknown_user_id", "There is no such user.")
    _check_user_code(request.user, asked.get("user_code"))
    message = asked.get("binding_message") or "-"
    if not message.isprintable() or len(message) > _LONGEST_MESSAGE:
        raise Refusal("invalid_binding_message", "The binding_message cannot be shown.")
    lifetime = _lifetime(state, asked.get("requested_expiry"))
    check_details(state, asked)
    family = new_family(client, asked, subject=None)
    decision = new_decision(state, family, request.user, lifetime)
    auth_req_id = state.random_text("auth-req")
    notification = _notification(client, auth_req_id, asked)
    if notification is not None:
        decision.notification = state.schedule.change_notification(request, notification)
    state.ledger.add_decision(decision, auth_req_id)
    return json_answer(
        {
            "auth_req_id": auth_req_id,
            "expires_in": lifetime,
            "interval": state.settings.polling_interval,
        }
    )


def grant_for_backchannel(
    state: ServerState, client: RegisteredClient, parameters: Parameters
) -> ResponseReceived:
    """Give tokens, once the user has approved (CIBA Core section 10.1)."""
    decision = state.ledger.decision(parameters.require("auth_req_id"))
    return answer_poll(state, client, decision)


def _asked(state: ServerState, client: RegisteredClient, parameters: Parameters) -> Parameters:
    if parameters.get("request") is not None:
        return signed_parameters(state, client, parameters)
    if client.backchannel_authentication_request_signing_alg is not None:
        raise Refusal("invalid_request", "The request has to be signed.")
    return parameters


def _subject(state: ServerState, client: RegisteredClient, asked: Parameters) -> str:
    """Return of whom a request speaks, by its one hint."""
    hints = [(name, value) for name in _HINTS if (value := asked.get(name)) is not None]
    if len(hints) != 1:
        raise Refusal("invalid_request", f"Exactly one of {', '.join(_HINTS)} is needed.")
    [(name, value)] = hints
    if name == "login_hint":
        return value
    audiences = frozenset({client.client_id}) if name == "id_token_hint" else None
    with refusing(lambda reason: Refusal("invalid_request", reason)):
        jwt = read_trusted_jwt(state, value)
        check_claims(state, jwt, jti_required=False, audiences=audiences)
    return jwt.subject


def _check_user_code(user: User, code: str | None) -> None:
    if user.user_code is None:
        return
    if code is None:
        raise Refusal("missing_user_code", "The user_code is missing.")
    if code != user.user_code:
        raise Refusal("invalid_user_code", "The user_code is wrong.")


def _lifetime(state: ServerState, requested: str | None) -> int:
    lifetime = state.settings.decision_lifetime
    if requested is None:
        return lifetime
    if not (requested.isascii() and requested.isdigit()) or int(requested) == 0:
        raise Refusal("invalid_request", "The requested_expiry is no number of seconds.")
    return min(int(requested), lifetime)


def _notification(
    client: RegisteredClient, auth_req_id: str, asked: Parameters
) -> RequestToSend | None:
    """Return what tells the client that the user has decided (CIBA Core section 10.2)."""
    url = client.backchannel_client_notification_endpoint
    if url is None:
        return None
    token = asked.require("client_notification_token")
    return RequestToSend(
        endpoint=Endpoint.BACKCHANNEL_AUTHENTICATION,
        url=url,
        headers=(("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")),
        content=json.dumps({"auth_req_id": auth_req_id}).encode(),
    )
