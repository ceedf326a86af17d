"""A protected resource, which checks the tokens that come to it (RFC 6750)."""

from __future__ import annotations

from oauth2_sansio.events import Pairs, ResponseReceived

from .certificates import is_shown
from .ledger import IssuedToken, TokenKind
from .logins import demanded, missing_login
from .messages import IncomingRequest, Refusal, json_answer
from .proofs import challenge_for_key, proven_key
from .state import ServerState

_REALM = 'realm="api"'


def answer_resource_request(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Answer a request for a protected resource: say who asked, and for what."""
    scope = demanded(state.settings.resource_scopes, request.path, "")
    values = _token_values(request)
    if not values:
        # No error code for a request that holds no credentials (RFC 6750 section 3.1).
        challenges = _challenge(f"Bearer {_REALM}") + challenge_for_key("", "")
        return ResponseReceived(status=401, headers=challenges)
    if len(values) > 1:
        raise _refusal("invalid_request", "The token is sent in more than one way.", 400)
    try:
        _check_key(state, request, values[0])
    except Refusal as refusal:
        headers = challenge_for_key(refusal.error, refusal.description)
        raise Refusal(refusal.error, refusal.description, status=401, headers=headers) from refusal
    if not is_shown(state, request, values[0]):
        raise _refusal("invalid_token", "The access token is bound to another certificate.", 401)
    token = state.ledger.token(values[0])
    if token is None or token.kind is not TokenKind.ACCESS:
        raise _refusal("invalid_token", "The access token is unknown.", 401)
    if not state.ledger.is_active(token, state.now()):
        raise _refusal("invalid_token", "The access token has expired or was revoked.", 401)
    login = missing_login(state, request.path, token)
    if login is not None:
        raise _refusal(
            "insufficient_user_authentication",
            "The user has to log in in another way.",
            401,
            login,
        )
    if not set(scope.split()) <= set(token.scope.split()):
        raise _refusal(
            "insufficient_scope",
            "The access token is of too small a scope.",
            403,
            (("scope", scope),),
        )
    return json_answer(_description(request, token))


def _token_values(request: IncomingRequest) -> list[str]:
    """Return the tokens in header, body and query (RFC 6750 section 2)."""
    scheme, _, value = (request.header("Authorization") or "").partition(" ")
    values = [value.strip()] if scheme.lower() in ("bearer", "dpop") else []
    form = request.form if request.method != "GET" else ()
    return values + [found for name, found in form + request.query if name == "access_token"]


def _check_key(state: ServerState, request: IncomingRequest, value: str) -> None:
    """Check that who sends a token holds the key that it is bound to (RFC 9449 section 7.1)."""
    key = state.ledger.key_of(value)
    proven = proven_key(state, request, value)
    is_presented = (request.header("Authorization") or "").lower().startswith("dpop ")
    if key is not None and proven is None:
        raise Refusal("invalid_dpop_proof", "There is no proof that its sender holds the key.")
    if proven != key or is_presented != (key is not None):
        raise Refusal("invalid_token", "The access token is not bound to this key.")


def _refusal(error: str, description: str, status: int, further: Pairs = ()) -> Refusal:
    said = (("error", error), ("error_description", description), *further)
    text = ", ".join([f"Bearer {_REALM}", *(f'{name}="{value}"' for name, value in said)])
    return Refusal(error, description, status=status, headers=_challenge(text))


def _challenge(text: str) -> Pairs:
    return (("WWW-Authenticate", text),)


def _description(request: IncomingRequest, token: IssuedToken) -> dict[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "client_id": token.family.client_id,
        "subject": token.family.subject,
        "scope": token.scope,
        "received": len(request.body),
    }
