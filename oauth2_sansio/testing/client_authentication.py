"""Who sent this request? (RFC 6749 section 2.3)"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import unquote_plus

from .configuration import ClientAuthMethod, RegisteredClient
from .messages import IncomingRequest, Parameters, Refusal
from .state import ServerState


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says about its sender."""

    method: ClientAuthMethod
    client_id: str
    client_secret: str = field(default="", repr=False)


CredentialsReader: TypeAlias = Callable[
    [ServerState, IncomingRequest, Parameters], Credentials | None
]
"""Finds the credentials of one method in a request, or none."""


def authenticate_client(
    state: ServerState, request: IncomingRequest, parameters: Parameters
) -> RegisteredClient:
    """Return the client that sent a request to the token endpoint or one of its kind.

    Raises `Refusal` if it does not prove who it is, or does so in two ways at once.
    """
    found = [
        credentials
        for reader in READERS.values()
        if (credentials := reader(state, request, parameters)) is not None
    ]
    if len(found) > 1:
        raise Refusal("invalid_request", "The client authenticates in more than one way.")
    client_id = parameters.get("client_id")
    if not found:
        if client_id is None:
            raise invalid_client("The client does not say who it is.")
        found = [Credentials(ClientAuthMethod.NONE, client_id)]
    [credentials] = found
    if client_id not in (None, credentials.client_id):
        raise Refusal("invalid_request", "The client names itself in two different ways.")
    client = state.clients.get(credentials.client_id)
    if client is None or not _are_right(credentials, client):
        raise invalid_client("The client is unknown, or does not prove who it is.")
    return client


def invalid_client(description: str) -> Refusal:
    """Return the refusal of a client that does not prove who it is (RFC 6749 section 5.2)."""
    challenge = ("WWW-Authenticate", 'Basic realm="oauth", charset="UTF-8"')
    return Refusal("invalid_client", description, status=401, headers=(challenge,))


def _basic(
    state: ServerState, request: IncomingRequest, _parameters: Parameters
) -> Credentials | None:
    scheme, _, encoded = (request.header("Authorization") or "").partition(" ")
    if not scheme:
        return None
    try:
        text = b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, client_secret = text.partition(":")
        if not state.settings.raw_basic_credentials:
            client_id = unquote_plus(client_id, errors="strict")
            client_secret = unquote_plus(client_secret, errors="strict")
    except ValueError:
        colon = client_id = client_secret = ""
    if scheme.lower() != "basic" or not colon:
        raise invalid_client("The Authorization header holds no Basic credentials.")
    return Credentials(ClientAuthMethod.CLIENT_SECRET_BASIC, client_id, client_secret)


def _post(
    _state: ServerState, _request: IncomingRequest, parameters: Parameters
) -> Credentials | None:
    client_secret = parameters.get("client_secret")
    if client_secret is None:
        return None
    client_id = parameters.require("client_id")
    return Credentials(ClientAuthMethod.CLIENT_SECRET_POST, client_id, client_secret)


READERS: Mapping[ClientAuthMethod, CredentialsReader] = MappingProxyType(
    {
        ClientAuthMethod.CLIENT_SECRET_BASIC: _basic,
        ClientAuthMethod.CLIENT_SECRET_POST: _post,
    }
)
"""How each method is read. `none` is what is left when no reader finds anything."""


def _are_right(credentials: Credentials, client: RegisteredClient) -> bool:
    expected = client.client_secret or ""
    return credentials.method in client.auth_methods and (
        credentials.method is ClientAuthMethod.NONE
        or compare_digest(credentials.client_secret.encode(), expected.encode())
    )
