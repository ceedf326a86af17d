"""Who sent this request? (RFC 6749 section 2.3)"""

from __future__ import annotations

from base64 import b64decode
from functools import partial
from hmac import compare_digest
from urllib.parse import unquote_plus

from oauth2_sansio.client_auth import MTLS_METHODS

from .assertion_grants import issuer_of_assertion
from .client_assertions import read_client_assertion
from .configuration import ClientAuthMethod, RegisteredClient
from .credentials import Credentials, CredentialsReader
from .messages import IncomingRequest, Parameters, Refusal, invalid_client
from .state import ServerState


def authenticate_client(
    state: ServerState, request: IncomingRequest, parameters: Parameters
) -> RegisteredClient:
    """Return the client that sent a request to the token endpoint or one of its kind.

    Raises `Refusal` if it does not prove who it is, or does so in two ways at once.
    """
    found = [
        credentials
        for reader in READERS
        if (credentials := reader(state, request, parameters)) is not None
    ]
    if len(found) > 1:
        raise Refusal("invalid_request", "The client authenticates in more than one way.")
    client_id = parameters.get("client_id")
    if not found:
        name = client_id or issuer_of_assertion(parameters)
        if name is None:
            raise invalid_client("The client does not say who it is.")
        found = [_by_connection(state, request, name)]
    [credentials] = found
    if client_id not in (None, credentials.client_id):
        raise Refusal("invalid_request", "The client names itself in two different ways.")
    client = state.clients.get(credentials.client_id)
    if client is None or credentials.method not in client.auth_methods:
        raise _unproved()
    credentials.prove(client)
    return client


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
    prove = partial(_by_secret, client_secret)
    return Credentials(ClientAuthMethod.CLIENT_SECRET_BASIC, client_id, prove)


def _post(
    _state: ServerState, _request: IncomingRequest, parameters: Parameters
) -> Credentials | None:
    client_secret = parameters.get("client_secret")
    if client_secret is None:
        return None
    client_id = parameters.require("client_id")
    prove = partial(_by_secret, client_secret)
    return Credentials(ClientAuthMethod.CLIENT_SECRET_POST, client_id, prove)


READERS: tuple[CredentialsReader, ...] = (_basic, _post, read_client_assertion)
"""What looks for credentials. `none` is what is left when no reader finds any."""


def _by_secret(client_secret: str, client: RegisteredClient) -> None:
    expected = client.client_secret or ""
    if not compare_digest(client_secret.encode(), expected.encode()):
        raise _unproved()


def _by_connection(state: ServerState, request: IncomingRequest, client_id: str) -> Credentials:
    """Return what is left of a request without credentials in it: the certificate, or nothing."""
    client = state.clients.get(client_id)
    for method in () if client is None else client.auth_methods:
        if method.value in MTLS_METHODS:
            return Credentials(method, client_id, partial(_by_certificate, request.certificate))
    return Credentials(ClientAuthMethod.NONE, client_id, _nothing_to_prove)


def _by_certificate(certificate: str | None, client: RegisteredClient) -> None:
    if certificate not in client.thumbprints:
        raise _unproved()


def _nothing_to_prove(_client: RegisteredClient) -> None:
    """Take a public client at its word."""


def _unproved() -> Refusal:
    return invalid_client("The client is unknown, or does not prove who it is.")
