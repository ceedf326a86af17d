"""Tokens that are bound to the certificate of the connection (RFC 8705 section 3)."""

from __future__ import annotations

from .configuration import RegisteredClient
from .messages import IncomingRequest, Parameters, Refusal, invalid_grant
from .state import ServerState


def certificate_to_bind(
    state: ServerState,
    request: IncomingRequest,
    client: RegisteredClient,
    parameters: Parameters,
) -> str | None:
    """Return the thumbprint of what tokens are to be bound to; None where they are not.

    Raises `Refusal` where the client has shown no certificate, or another one than before.
    """
    certificate = request.certificate
    refresh_token = parameters.get("refresh_token")
    if refresh_token is not None and not is_shown(state, request, refresh_token):
        raise invalid_grant("The refresh_token is bound to another certificate.")
    if not client.tls_client_certificate_bound_access_tokens:
        return None
    if certificate is None:
        raise Refusal("invalid_request", "The client has to show its certificate.")
    return certificate


def is_shown(state: ServerState, request: IncomingRequest, token: str) -> bool:
    """Say whether a request shows the certificate that its token is bound to, if it is to one."""
    return state.ledger.certificate_of(token) in (None, request.certificate)
