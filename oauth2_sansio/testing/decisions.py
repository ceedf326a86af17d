"""What a user decides elsewhere, while a client asks for it again and again (RFC 8628, CIBA)."""

from __future__ import annotations

from oauth2_sansio.events import ResponseReceived

from .configuration import RegisteredClient, User
from .issuing import refresh_token, token_answer
from .ledger import Decision, TokenFamily, TokenKind
from .messages import Refusal, invalid_grant
from .state import ServerState

_SLOWER_BY = 5.0


def new_decision(state: ServerState, family: TokenFamily, user: User, lifetime: float) -> Decision:
    """Return a decision that a user is asked for, and makes after a time of their own.

    lifetime: how many seconds there are for it.
    """
    now, patience = state.now(), user.decides_after
    return Decision(
        family=family,
        user=user,
        decided_at=None if patience is None else now + patience,
        expires_at=now + lifetime,
        interval=state.settings.polling_interval,
    )


def answer_poll(
    state: ServerState, client: RegisteredClient, decision: Decision | None
) -> ResponseReceived:
    """Give the tokens that a user has approved of, once.

    Raises `Refusal` as long as there is no decision, and for one against the client.
    """
    if decision is None or decision.family.client_id != client.client_id:
        raise invalid_grant("This is unknown, or was given to another client.")
    now, before = state.now(), decision.asked_at
    decision.asked_at = now
    if decision.is_used:
        raise invalid_grant("There were tokens for it already.")
    if now >= decision.expires_at:
        raise Refusal("expired_token", "It is too late.")
    if before is not None and now - before < decision.interval:
        decision.interval += _SLOWER_BY
        raise Refusal("slow_down", "The client asks too often.")
    if not decision.is_made(now):
        raise Refusal("authorization_pending", "The user has not decided yet.")
    user, family = decision.user, decision.family
    decision.is_used = True
    if not user.approves:
        raise Refusal(user.error, "The user did not approve.")
    family.subject = user.subject
    if user.scope is not None:
        granted = user.scope.split(" ")
        family.scope = " ".join(word for word in family.scope.split(" ") if word in granted)
    return token_answer(state.issue(TokenKind.ACCESS, family), refresh_token(state, client, family))
