"""Every reader of what comes from outside, as a function of bytes.

The property of each: a result, or an error of ours. Some look at what has come out too. An answer
is written as its status, a space, some headers with `|` between, a line feed, and its body.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from oauth2_sansio.answers import Answer, read_json
from oauth2_sansio.authorization import PendingAuthorization
from oauth2_sansio.callback import ResponseMode
from oauth2_sansio.challenges import read_challenges
from oauth2_sansio.client import Client
from oauth2_sansio.client_auth import NoAuthentication
from oauth2_sansio.device import DeviceAuthorization, authorize_device, poll_device
from oauth2_sansio.dpop import DPoP
from oauth2_sansio.dropin.callbacks import read_callback
from oauth2_sansio.errors import OAuth2Error, RemoteProtocolError
from oauth2_sansio.events import (
    Endpoint,
    Finished,
    RequestToSend,
    ResponseReceived,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.flow import Flow
from oauth2_sansio.introspection import read_introspection
from oauth2_sansio.jwt_verification import authorization_verification, read_jwt
from oauth2_sansio.refusals import Refusal, is_token_rejected
from oauth2_sansio.resource import authorization_header
from oauth2_sansio.retry_after import LONGEST_RETRY_AFTER, read_retry_after
from oauth2_sansio.revocation import read_revocation
from oauth2_sansio.server import Server
from oauth2_sansio.server_keys import ServerKeys
from oauth2_sansio.token_record import TokenIdentity, TokenRecord
from oauth2_sansio.tokens import OAuth2Token, is_visible_text, read_token
from oauth2_sansio.urls import (
    add_to_query,
    check_url,
    read_query,
    same_origin,
    split_callback,
    target_uri,
    url_decode,
)

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
    jwks_uri=f"{ISSUER}/jwks",
)
CLIENT = Client(server=SERVER, client_id="me", auth=NoAuthentication(), random_bytes=bytes)
REQUEST = RequestToSend(
    endpoint=Endpoint.TOKEN,
    url=f"{ISSUER}/token",
    form=(("grant_type", "refresh_token"), ("refresh_token", SECRET)),
)
_SHARED = "a secret of more than thirty-two bytes"
_SIGNED_CLIENT = Client(
    server=SERVER,
    client_id="me",
    client_secret=_SHARED,
    authorization_signed_response_alg="HS256",
    random_bytes=bytes,
)
_PUBLIC = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}
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


def _answer(data: bytes) -> Answer:
    return Answer(REQUEST, response_of(data), NOW)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _token(data: bytes) -> None:
    try:
        token = read_token(_answer(data), OAuth2Token(refresh_token=SECRET))
    except OAuth2Error as error:
        must(SECRET not in str(error), "the error tells a secret")
        must(error.response is not None, "the answer is lost")
        must(error.retry_after is None or 0 <= error.retry_after <= LONGEST_RETRY_AFTER, "too long")
        raise
    must(is_visible_text(token.access_token), "an access token of other characters")
    must(token.refresh_token is None or is_visible_text(token.refresh_token), "no refresh token")
    must(isinstance(token.expires_at, (int, float, type(None))), "no time")
    token.is_expired(now=NOW)
    authorization_header(token)


def _stored_token(data: bytes) -> None:
    # What an application has kept, and hands in again: any dict.
    token = OAuth2Token(_object(data))
    token.is_expired(now=NOW)
    repr((token, token.scope, token.id_token, token.token_type))
    authorization_header(token)


def _callback(data: bytes) -> None:
    text = _text(data)
    for pending in PENDING.values():
        with suppress(OAuth2Error):
            must(is_visible_text(pending.read_callback(text)), "a code of other characters")


def _callback_of_a_dropin(data: bytes) -> None:
    text = _text(data)
    for state, mode, welcome in (
        ("st4te", None, False),
        (None, None, True),
        (None, "form_post", True),
        ("st4te", "jwt", False),
    ):
        with suppress(OAuth2Error):
            callback = read_callback(
                text,
                state=state,
                response_type="code",
                response_mode=mode,
                token_is_welcome=welcome,
                issuer=ISSUER,
                issuer_required=False,
                verification=lambda: authorization_verification(_SIGNED_CLIENT, None),
            )
            must(callback.token is None or welcome, "a token that nobody asked for")
            must(mode != "jwt" or "response=" in text, "a signed callback that is not there")
            must(
                state is None or mode == "jwt" or f"state={state}" in text or "%" in text,
                "a state is not there",
            )


def _form(data: bytes) -> None:
    text = _text(data)
    with suppress(ValueError):  # what this one raises, as its counterpart does
        url_decode(text)
    read_query(text, what="the form")


def _url(data: bytes) -> None:
    text = _text(data)
    same_origin(text, f"{ISSUER}/")
    for read in (
        split_callback,
        lambda url: target_uri(url, Endpoint.RESOURCE),
        lambda url: add_to_query(url, (("a", "b"),)),
    ):
        with suppress(OAuth2Error):
            read(text)
    url = check_url(text, "the endpoint")
    must(url.isascii() and url.isprintable() and " " not in url, "a URL of other characters")
    must(url[:8].lower() == "https://" or "://" in url[:8], "no scheme")
    must(url[:8].lower() == "https://" or same_origin(url, url), "no origin")


def _metadata(data: bytes) -> None:
    server = _result(Server.discover(ISSUER), response_of(data))
    must(server.issuer == ISSUER, "another issuer")
    client = Client(server=server, client_id="me", auth=NoAuthentication(), random_bytes=bytes)
    flow = client.authorize(redirect_uri="https://me.example/cb")
    action = flow.start(NOW)
    if isinstance(action, Finished):
        url = action.result.url
        must(url.isascii() and url.lower().startswith(("https://", "http://")), "a hostile URL")


def _challenges(data: bytes) -> None:
    # Raises nothing at all until somebody asks for what is not there.
    values = [bytes(line).decode("latin-1") for line in data.split(b"\n")]
    challenges = read_challenges(values)
    for challenge in challenges:
        repr((challenge, challenge.max_age, challenge.algs, challenge.scope, challenge.realm))
    is_token_rejected(401, values)
    refusal = Refusal(401, challenges)
    repr((refusal.repair, refusal.error, refusal.resource_metadata))
    refusal.step_up("a b")


def _introspection(data: bytes) -> None:
    found = read_introspection(_answer(data))
    must(type(found["active"]) is bool, "active is no boolean")
    repr((found, found.scope, found.expires_at, found.audience))


def _nonce(data: bytes) -> None:
    dpop = DPoP(lambda _input: bytes(64), "ES256", public_jwk=_PUBLIC, random_bytes=bytes)
    sent = dpop.sign(REQUEST, NOW)
    must(isinstance(sent, RequestToSend), "not signed")
    response = response_of(data)
    learnt = dpop.learn(cast("RequestToSend", sent), response)
    must(not learnt or response.status in (400, 401), "one more try that helps nobody")
    must(not dpop.learn(cast("RequestToSend", dpop.sign(REQUEST, NOW)), response), "a loop")


def _jwt(data: bytes) -> None:
    try:
        jwt = read_jwt(data.decode("latin-1"))
    except ValueError as error:
        raise _broken(str(error)) from None
    must(data.count(b".") == 2, "no signed JWT")
    repr((jwt, jwt.algorithm, jwt.key_id, jwt.typ))
    jwt.check_times(NOW, _broken, required="exp")


def _signed_callback(data: bytes) -> None:
    # Header and claims as a hostile server would sign them, rightly.
    header, _, claims = data.partition(b"\n")
    message = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims))
    signature = urlsafe_b64encode(hmac.digest(_SHARED.encode(), message, "sha256")).rstrip(b"=")
    callback = f"https://me.example/cb?response={(message + b'.' + signature).decode()}"
    flow = _SIGNED_CLIENT.redeem(PENDING[ResponseMode.JWT], callback)
    request = flow.start(NOW)
    must(isinstance(request, RequestToSend), "no request")


def _keys(data: bytes) -> None:
    found = _result(ServerKeys.fetch(SERVER), response_of(data))
    for algorithm in ("RS256", "ES256", "EdDSA"):
        for key in found.find(algorithm, "k-1")[:2]:
            must(not key.verify(algorithm, b"message", bytes(64)), "anything is a signature")


def _broken(
    description: str, /, *, error: str | None = None, advice: str | None = None
) -> RemoteProtocolError:
    return RemoteProtocolError(description, error=error, advice=advice)


def _revocation(data: bytes) -> None:
    answer = _answer(data)
    read_revocation(answer)
    must(answer.response.status in (200, 204), "a token that may be alive")


def _device(data: bytes) -> None:
    device = _result(authorize_device(CLIENT), response_of(data))
    must(device.interval > 0, "no pause")
    _poll(device)


def _stored_device(data: bytes) -> None:
    _poll(DeviceAuthorization.from_dict(_object(data)))


def _poll(device: DeviceAuthorization) -> None:
    flow = poll_device(CLIENT, device)
    action = flow.start(NOW)
    must(isinstance(action, Wait) and action.seconds > 0, "no pause")
    flow.receive(WaitElapsed(), NOW)


def _polling(data: bytes) -> None:
    device = DeviceAuthorization(
        device_code=SECRET,
        user_code="ABCD",
        verification_uri=ISSUER,
        expires_at=NOW + 900,
        interval=5,
    )
    flow = poll_device(CLIENT, device)
    flow.start(NOW)
    flow.receive(WaitElapsed(), NOW)
    action = flow.receive(response_of(data), NOW)
    must(not isinstance(action, Wait) or 5 <= action.seconds < 900, "a pause out of bounds")


def _pushed(data: bytes) -> None:
    flow = CLIENT.authorize(redirect_uri=None, push=True)
    pending = _result(flow, response_of(data))
    must(pending.url.startswith(f"{ISSUER}/authorize?client_id=me&request_uri="), "another URL")
    must(pending.url.isascii() and pending.url.isprintable(), "a URL of other characters")


def _stored_authorization(data: bytes) -> None:
    pending = PendingAuthorization.from_dict(_object(data))
    must(pending.state != "", "no state")
    pending.check_age(NOW)
    repr(pending)
    must(PendingAuthorization.from_dict(pending.to_dict()) == pending, "it does not come back")


def _record(data: bytes) -> None:
    record = TokenRecord.from_bytes(data, IDENTITY)
    must(record.identity == IDENTITY, "somebody else's")
    must(TokenRecord.from_bytes(record.to_bytes(), IDENTITY) == record, "it does not come back")


def _retry_after(data: bytes) -> None:
    # Raises nothing at all.
    seconds = read_retry_after(data.decode("latin-1"), NOW)
    must(seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER, "out of bounds")


def _result(flow: Flow[Any], response: ResponseReceived) -> Any:
    # What comes of one and the same response to each request; there are three at most.
    action = flow.start(NOW)
    while not isinstance(action, Finished):
        must(isinstance(action, RequestToSend), "neither a request nor a result")
        action = flow.receive(response, NOW)
    return action.result


def _object(data: bytes) -> dict[str, Any]:
    # As an application would have read it: more leniently than we do.
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def _json(data: bytes) -> None:
    with suppress(ValueError):
        read_json(data)


@dataclass(frozen=True, slots=True)
class Target:
    """A reader.

    read: returns for whatever is all right; raises `OAuth2Error`, or what is wrong.
    samples: the folder of its corpus.
    """

    read: Callable[[bytes], None]
    samples: str


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "token": Target(_token, "token"),
        "error": Target(_token, "error"),
        "stored_token": Target(_stored_token, "stored_token"),
        "json": Target(_json, "stored_token"),
        "form": Target(_form, "form"),
        "callback": Target(_callback, "callback"),
        "callback_of_a_dropin": Target(_callback_of_a_dropin, "callback"),
        "url": Target(_url, "url"),
        "metadata": Target(_metadata, "metadata"),
        "challenges": Target(_challenges, "challenges"),
        "introspection": Target(_introspection, "introspection"),
        "jwt": Target(_jwt, "jwt"),
        "signed_callback": Target(_signed_callback, "signed_callback"),
        "keys": Target(_keys, "keys"),
        "nonce": Target(_nonce, "error"),
        "revocation": Target(_revocation, "error"),
        "device": Target(_device, "device"),
        "stored_device": Target(_stored_device, "stored_device"),
        "polling": Target(_polling, "error"),
        "pushed": Target(_pushed, "pushed"),
        "stored_authorization": Target(_stored_authorization, "stored_authorization"),
        "record": Target(_record, "record"),
        "retry_after": Target(_retry_after, "retry_after"),
    }
)
"""All targets by their names."""
