"""The readers of what endpoints answer."""

from __future__ import annotations

from typing import cast

from oauth2_sansio.backchannel import (
    BackchannelAuthentication,
    authenticate_backchannel,
    poll_backchannel,
)
from oauth2_sansio.client import Client
from oauth2_sansio.client_auth import NoAuthentication
from oauth2_sansio.device import DeviceAuthorization, authorize_device, poll_device
from oauth2_sansio.dpop import DPoP
from oauth2_sansio.errors import OAuth2Error
from oauth2_sansio.events import (
    Finished,
    RequestToSend,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.identity_chaining import redeem_jwt_grant, request_jwt_grant
from oauth2_sansio.introspection import read_introspection
from oauth2_sansio.protected_resource import ProtectedResource
from oauth2_sansio.resource import authorization_header
from oauth2_sansio.retry_after import LONGEST_RETRY_AFTER
from oauth2_sansio.revocation import read_revocation
from oauth2_sansio.server import Server
from oauth2_sansio.server_keys import ServerKeys
from oauth2_sansio.tokens import OAuth2Token, is_visible_text, read_token

from .world import (
    CLIENT,
    ISSUER,
    NOW,
    PUBLIC,
    REQUEST,
    SECRET,
    SERVER,
    answer_of,
    must,
    response_of,
    result_of,
    wait_for,
)


def token(data: bytes) -> None:
    try:
        token = read_token(answer_of(data), OAuth2Token(refresh_token=SECRET))
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


def metadata(data: bytes) -> None:
    server = result_of(Server.discover(ISSUER), response_of(data))
    must(server.issuer == ISSUER, "another issuer")
    client = Client(server=server, client_id="me", auth=NoAuthentication(), random_bytes=bytes)
    flow = client.authorize(redirect_uri="https://me.example/cb")
    action = flow.start(NOW)
    if isinstance(action, Finished):
        url = action.result.url
        must(url.isascii() and url.lower().startswith(("https://", "http://")), "a hostile URL")


def resource(data: bytes) -> None:
    found = result_of(ProtectedResource.discover(f"{ISSUER}/api"), response_of(data))
    must(
        all(each.lower().startswith("http") for each in found.authorization_servers),
        "a hostile issuer",
    )


def keys(data: bytes) -> None:
    found = result_of(ServerKeys.fetch(SERVER), response_of(data))
    for algorithm in ("RS256", "ES256", "EdDSA"):
        for key in found.find(algorithm, "k-1")[:2]:
            must(not key.verify(algorithm, b"message", bytes(64)), "anything is a signature")


def introspection(data: bytes) -> None:
    found = read_introspection(answer_of(data))
    must(type(found["active"]) is bool, "active is no boolean")
    repr((found, found.scope, found.expires_at, found.audience))


def revocation(data: bytes) -> None:
    answer = answer_of(data)
    read_revocation(answer)
    must(answer.response.status in (200, 204), "a token that may be alive")


def nonce(data: bytes) -> None:
    dpop = DPoP(lambda _input: bytes(64), "ES256", public_jwk=PUBLIC, random_bytes=bytes)
    sent = dpop.sign(REQUEST, NOW)
    must(isinstance(sent, RequestToSend), "not signed")
    response = response_of(data)
    learnt = dpop.learn(cast("RequestToSend", sent), response)
    must(not learnt or response.status in (400, 401), "one more try that helps nobody")
    must(not dpop.learn(cast("RequestToSend", dpop.sign(REQUEST, NOW)), response), "a loop")


def device(data: bytes) -> None:
    device = result_of(authorize_device(CLIENT), response_of(data))
    must(device.interval > 0, "no pause")
    wait_for(device)


def polling(data: bytes) -> None:
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


def pushed(data: bytes) -> None:
    flow = CLIENT.authorize(redirect_uri=None, push=True)
    pending = result_of(flow, response_of(data))
    must(pending.url.startswith(f"{ISSUER}/authorize?client_id=me&request_uri="), "another URL")
    must(pending.url.isascii() and pending.url.isprintable(), "a URL of other characters")


def backchannel(data: bytes) -> None:
    asked = authenticate_backchannel(CLIENT, login_hint="ada", client_notification_token="n" * 22)
    login = result_of(asked, response_of(data))
    must(login.interval > 0, "no pause")
    flow = poll_backchannel(CLIENT, login)
    must(isinstance(flow.start(NOW), Wait), "no pause")
    must(BackchannelAuthentication.from_dict(login.to_dict()) == login, "it does not come back")


def jwt_grant(data: bytes) -> None:
    flow = request_jwt_grant(CLIENT, "a.b.c", audience="https://other.example")
    token = result_of(flow, response_of(data))
    redeem_jwt_grant(CLIENT, token).start(NOW)
