"""The client and the server of all targets, and what targets have in common."""

from __future__ import annotations

import json
from typing import Any, cast

from oauth2_sansio.answers import Answer
from oauth2_sansio.authorization import PendingAuthorization
from oauth2_sansio.callback import ResponseMode
from oauth2_sansio.client import Client
from oauth2_sansio.client_auth import NoAuthentication
from oauth2_sansio.device import DeviceAuthorization, poll_device
from oauth2_sansio.errors import RemoteProtocolError
from oauth2_sansio.events import (
    Endpoint,
    Finished,
    RequestToSend,
    ResponseReceived,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.flow import Flow
from oauth2_sansio.server import Server
from oauth2_sansio.token_record import TokenIdentity

NOW = 1_700_000_000.0
ISSUER = "https://as.example"
SECRET = "rt-0123456789-of-a-user"
_HEADERS = ("Content-Type", "Retry-After", "Content-Encoding", "WWW-Authenticate", "DPoP-Nonce")

SERVER = Server(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    introspection_endpoint=f"{ISSUER}/introspect",
    revocation_endpoint=f"{ISSUER}/revoke",
    pushed_authorization_request_endpoint=f"{ISSUER}/par",
    device_authorization_endpoint=f"{ISSUER}/device",
    backchannel_authentication_endpoint=f"{ISSUER}/backchannel",
    jwks_uri=f"{ISSUER}/jwks",
)
CLIENT = Client(server=SERVER, client_id="me", auth=NoAuthentication(), random_bytes=bytes)
REQUEST = RequestToSend(
    endpoint=Endpoint.TOKEN,
    url=f"{ISSUER}/token",
    form=(("grant_type", "refresh_token"), ("refresh_token", SECRET)),
)
SHARED = "a secret of more than thirty-two bytes"
SIGNED_CLIENT = Client(
    server=SERVER,
    client_id="me",
    client_secret=SHARED,
    authorization_signed_response_alg="HS256",
    random_bytes=bytes,
)
PUBLIC = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}
IDENTITY = TokenIdentity(issuer=ISSUER, client_id="me", subject="ada")
PENDING = {
    mode: PendingAuthorization(
        url=f"{ISSUER}/authorize", state="st4te", issuer=ISSUER, response_mode=mode
    )
    for mode in ResponseMode
}


class Violation(AssertionError):
    """A reader has let something through that it has to refuse, or has told a secret."""


def must(holds: object, what: str) -> None:
    """Raise `Violation` unless this holds."""
    if not holds:
        raise Violation(what)


def response_of(data: bytes) -> ResponseReceived:
    """Return the response that an input describes."""
    head, _, body = data.partition(b"\n")
    status, _, headers = head.partition(b" ")
    values = headers.decode("latin-1").split("|")
    return ResponseReceived(
        status=int(status) if len(status) == 3 and status.isdigit() else 200,
        headers=tuple(pair for pair in zip(_HEADERS, values, strict=False) if pair[1]),
        body=body,
    )


def answer_of(data: bytes) -> Answer:
    """Return the answer to `REQUEST` that an input describes."""
    return Answer(REQUEST, response_of(data), NOW)


def text_of(data: bytes) -> str:
    """Return an input as a text, with halves of characters for what is not UTF-8."""
    return data.decode("utf-8", "surrogateescape")


def result_of(flow: Flow[Any], response: ResponseReceived) -> Any:
    """Return what comes of one and the same response to each request; there are three at most."""
    action = flow.start(NOW)
    while not isinstance(action, Finished):
        must(isinstance(action, RequestToSend), "neither a request nor a result")
        action = flow.receive(response, NOW)
    return action.result


def object_of(data: bytes) -> dict[str, Any]:
    """Return an input as an application would have read it: more leniently than we do."""
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def broken(
    description: str, /, *, error: str | None = None, advice: str | None = None
) -> RemoteProtocolError:
    """Return the error of a reader that was handed nothing to make one with."""
    return RemoteProtocolError(description, error=error, advice=advice)


def wait_for(device: DeviceAuthorization) -> None:
    """Begin to poll: a login that was read has to be good for that."""
    flow = poll_device(CLIENT, device)
    action = flow.start(NOW)
    must(isinstance(action, Wait) and action.seconds > 0, "no pause")
    flow.receive(WaitElapsed(), NOW)
