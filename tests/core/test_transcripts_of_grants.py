"""Transcripts of grants, of what binds tokens, and of a stronger login: whole actions, in order."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from oauth2_sansio import (
    BackchannelAuthentication,
    BackchannelNotification,
    Client,
    DeviceAuthorization,
    DPoP,
    Endpoint,
    Finished,
    Flow,
    Introspection,
    OAuth2Error,
    OAuth2Token,
    PendingAuthorization,
    RemoteKey,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Server,
    SignatureMade,
    SignatureNeeded,
    Started,
    TLSClientAuth,
    TokenType,
    Wait,
    WaitElapsed,
    authenticate_backchannel,
    authorize_device,
    exchange_token,
    poll_backchannel,
    poll_device,
    read_refusal,
    redeem_jwt_grant,
    redeem_notification,
    request_jwt_grant,
)
from oauth2_sansio.events import Action, Event, Pairs

from .keys_for_tests import key_for

ISSUER = "https://as.example"
NOW = 1000.0
SERVER = Server(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    introspection_endpoint=f"{ISSUER}/introspect",
    device_authorization_endpoint=f"{ISSUER}/device",
    backchannel_authentication_endpoint=f"{ISSUER}/ask",
    authorization_details_types_supported=("payment",),
    mtls_endpoint_aliases={"token_endpoint": "https://mtls.as.example/token"},
)
CLIENT = Client(server=SERVER, client_id="app")
WITH_CERTIFICATE = Client(server=SERVER, client_id="app", auth=TLSClientAuth())
PUBLIC = {name: key_for("ES256").as_dict()[name] for name in ("crv", "kty", "x", "y")}

Story = tuple[Callable[[], Flow[Any]], list[tuple[Event, Action[Any] | str]]]
START = Started()
ELAPSED = WaitElapsed()
LOST = RequestFailed(TimeoutError(), sent=True)


def says(status: int = 200, headers: Pairs = (), **members: object) -> ResponseReceived:
    return ResponseReceived(status=status, headers=headers, body=json.dumps(members).encode())


def refuses(error: str, headers: Pairs = ()) -> ResponseReceived:
    return says(400, headers, error=error)


def posts(endpoint: Endpoint, path: str, /, **form: str) -> RequestToSend:
    """Return the whole request of the client, to a path or to another server's URL."""
    return RequestToSend(
        endpoint=endpoint,
        url=path if path.startswith("https:") else f"{ISSUER}{path}",
        headers=(
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ),
        form=(*form.items(), ("client_id", "app")),
    )


def asks(grant_type: str, **form: str) -> RequestToSend:
    return posts(Endpoint.TOKEN, "/token", grant_type=grant_type, **form)


URN = "urn:ietf:params:oauth:grant-type:"
ISSUED = says(access_token="a-1", token_type="Bearer", expires_in=60)
TOKEN = Finished(
    OAuth2Token({"access_token": "a-1", "token_type": "Bearer", "expires_in": 60}, expires_at=1060)
)


# Users on another device, and users who are asked: the same polling.

DEVICE = DeviceAuthorization(
    device_code="d-1",
    user_code="WDJB-MJHT",
    verification_uri=f"{ISSUER}/go",
    expires_at=1600.0,
    interval=5.0,
)
SHOWS = says(
    device_code="d-1", user_code="WDJB-MJHT", verification_uri=f"{ISSUER}/go", expires_in=600
)
WANTS_DEVICE = posts(Endpoint.DEVICE_AUTHORIZATION, "/device", scope="read")
LOGIN = BackchannelAuthentication(
    auth_req_id="r-1", expires_at=1600.0, interval=5.0, client_notification_token="n-1"
)
WANTS_LOGIN = posts(
    Endpoint.BACKCHANNEL_AUTHENTICATION,
    "/ask",
    scope="openid",
    login_hint="alice",
    client_notification_token="n-1",
)
UNDECIDED = "the user has not decided yet"
BUSY = says(503, (("Retry-After", "30"),))


def device() -> Flow[Any]:
    return authorize_device(CLIENT, scope="read")


def login() -> Flow[Any]:
    return authenticate_backchannel(
        CLIENT, login_hint="alice", ping=True, client_notification_token="n-1"
    )


def polled(name: str, begin: Callable[[], Flow[Any]], ask: RequestToSend) -> dict[str, Story]:
    """Return what may come of polling, whichever grant it is."""
    wait = (START, Wait(5.0, UNDECIDED))
    return {
        f"{name}: pending, too often, busy, no answer, and a token": (
            begin,
            [
                wait,
                (ELAPSED, ask),
                (refuses("authorization_pending"), Wait(5.0, UNDECIDED)),
                (ELAPSED, ask),
                (refuses("slow_down"), Wait(10.0, "the server was asked too often")),
                (ELAPSED, ask),
                (BUSY, Wait(30.0, "the server is busy")),
                (ELAPSED, ask),
                (LOST, Wait(20.0, "no response came")),
                (ELAPSED, ask),
                (ISSUED, TOKEN),
            ],
        ),
        **{
            f"{name}: {error}": (begin, [wait, (ELAPSED, ask), (refuses(error), error)])
            for error in ("access_denied", "expired_token", "invalid_grant")
        },
        f"{name}: busy for longer than there is time": (
            begin,
            [
                wait,
                (ELAPSED, ask),
                (says(429, (("Retry-After", "600"),)), "expired_token"),
            ],
        ),
        f"{name}: nothing that can be read": (
            begin,
            [wait, (ELAPSED, ask), (says(token="a-1"), "remote_protocol_error")],
        ),
    }


DEVICES: dict[str, Story] = {
    "a code is shown": (device, [(START, WANTS_DEVICE), (SHOWS, Finished(DEVICE))]),
    "no code is shown": (
        device,
        [(START, WANTS_DEVICE), (refuses("invalid_scope"), "invalid_scope")],
    ),
    "a page that no browser is sent to": (
        device,
        [
            (START, WANTS_DEVICE),
            (
                says(
                    device_code="d-1",
                    user_code="W",
                    verification_uri="http://as.example/go",
                    expires_in=600,
                ),
                "remote_protocol_error",
            ),
        ],
    ),
    **polled(
        "device",
        lambda: poll_device(CLIENT, DEVICE),
        asks(f"{URN}device_code", device_code="d-1"),
    ),
}
REDEEMS = asks("urn:openid:params:grant-type:ciba", auth_req_id="r-1")


def notified() -> Flow[Any]:
    notification = BackchannelNotification(auth_req_id="r-1", client_notification_token="n-1")
    return redeem_notification(CLIENT, LOGIN, notification)


BACKCHANNEL: dict[str, Story] = {
    "the user is asked": (
        login,
        [(START, WANTS_LOGIN), (says(auth_req_id="r-1", expires_in=600), Finished(LOGIN))],
    ),
    "the user is unknown": (
        login,
        [(START, WANTS_LOGIN), (refuses("unknown_user_id"), "unknown_user_id")],
    ),
    "ping: a token": (notified, [(START, REDEEMS), (ISSUED, TOKEN)]),
    "ping: the user said no": (
        notified,
        [(START, REDEEMS), (refuses("access_denied"), "access_denied")],
    ),
    "ping: no answer": (notified, [(START, REDEEMS), (LOST, "transport_error")]),
    **polled("poll", lambda: poll_backchannel(CLIENT, LOGIN), REDEEMS),
}


# One token for another, and an identity from one server to another.

OF_TYPE = "urn:ietf:params:oauth:token-type:"
JWT = "e30.e30.AA"
MEMBERS: dict[str, Any] = {
    "access_token": JWT,
    "issued_token_type": f"{OF_TYPE}id-jag",
    "token_type": "N_A",
    "expires_in": 300,
}
GRANT = OAuth2Token(MEMBERS, expires_at=1300)
TRADED: dict[str, Any] = {"access_token": "a-1", "issued_token_type": f"{OF_TYPE}access_token"}
TRADES = asks(
    f"{URN}token-exchange",
    subject_token="s-1",
    subject_token_type=f"{OF_TYPE}access_token",
    actor_token="c-1",
    actor_token_type=f"{OF_TYPE}jwt",
    requested_token_type=f"{OF_TYPE}access_token",
)
WANTS_GRANT = asks(
    f"{URN}token-exchange",
    subject_token="i-1",
    subject_token_type=f"{OF_TYPE}id_token",
    requested_token_type=f"{OF_TYPE}id-jag",
    audience="https://chat.example",
)
HANDS_ON = asks(f"{URN}jwt-bearer", assertion=JWT)


def trade() -> Flow[Any]:
    return exchange_token(
        CLIENT,
        "s-1",
        actor_token="c-1",
        actor_token_type=TokenType.JWT,
        requested_token_type=TokenType.ACCESS_TOKEN,
    )


def grant() -> Flow[Any]:
    return request_jwt_grant(CLIENT, "i-1", audience="https://chat.example")


EXCHANGES: dict[str, Story] = {
    "a token for another": (
        trade,
        [(START, TRADES), (says(**TRADED), Finished(OAuth2Token(TRADED)))],
    ),
    "a token for one of another type": (
        trade,
        [
            (START, TRADES),
            (says(access_token="a-1", issued_token_type=f"{OF_TYPE}jwt"), "remote_protocol_error"),
        ],
    ),
    "a token for nobody": (
        trade,
        [(START, TRADES), (refuses("invalid_target"), "invalid_target")],
    ),
    "a grant": (grant, [(START, WANTS_GRANT), (says(**MEMBERS), Finished(GRANT))]),
    "a grant that is an access token": (
        grant,
        [
            (START, WANTS_GRANT),
            (says(**{**MEMBERS, "token_type": "Bearer"}), "remote_protocol_error"),
        ],
    ),
    "a grant that is refused": (
        grant,
        [(START, WANTS_GRANT), (refuses("invalid_request"), "invalid_request")],
    ),
    "a grant handed on": (
        lambda: redeem_jwt_grant(CLIENT, GRANT),
        [(START, HANDS_ON), (ISSUED, TOKEN)],
    ),
    "a grant handed on in vain": (
        lambda: redeem_jwt_grant(CLIENT, GRANT),
        [(START, HANDS_ON), (refuses("invalid_grant"), "invalid_grant")],
    ),
    "a grant handed on too late": (
        lambda: redeem_jwt_grant(CLIENT, OAuth2Token(GRANT, expires_at=1000)),
        [(START, "expired_grant")],
    ),
}


# Tokens that are bound to a key, which is elsewhere, or to a certificate.

ASKS = asks("client_credentials")
SIGNATURE = b"s" * 64
SIGNED = SignatureMade(SIGNATURE)
BOUND_MEMBERS: dict[str, Any] = {"access_token": "a-1", "token_type": "DPoP", "expires_in": 60}
BOUND = Finished(OAuth2Token(BOUND_MEMBERS, expires_at=1060))


def encoded(members: Mapping[str, object]) -> bytes:
    text = json.dumps(members, separators=(",", ":")).encode()
    return urlsafe_b64encode(text).rstrip(b"=")


def unsigned(nonce: str | None = None) -> SignatureNeeded:
    header = {"alg": "ES256", "typ": "dpop+jwt", "kid": "k-1", "jwk": PUBLIC}
    claims = {"jti": "A" * 22, "htm": "POST", "htu": f"{ISSUER}/token", "iat": 1000}
    told = claims if nonce is None else {**claims, "nonce": nonce}
    return SignatureNeeded(
        algorithm="ES256", signing_input=encoded(header) + b"." + encoded(told), key_id="k-1"
    )


def proven(nonce: str | None = None) -> RequestToSend:
    proof = unsigned(nonce).signing_input + b"." + urlsafe_b64encode(SIGNATURE).rstrip(b"=")
    return replace(ASKS, headers=(*ASKS.headers, ("DPoP", proof.decode())))


def bound() -> Flow[Any]:
    dpop = DPoP(RemoteKey("ES256", "k-1"), public_jwk=PUBLIC, random_bytes=bytes)
    return Client(server=SERVER, client_id="app", dpop=dpop).client_credentials()


def wants(nonce: str) -> ResponseReceived:
    return refuses("use_dpop_nonce", (("DPoP-Nonce", nonce),))


FIRST: list[tuple[Event, Action[Any] | str]] = [(START, unsigned()), (SIGNED, proven())]
AGAIN: list[tuple[Event, Action[Any] | str]] = [
    *FIRST,
    (wants("n-1"), unsigned("n-1")),
    (SIGNED, proven("n-1")),
]
BINDING: dict[str, Story] = {
    "bound": (bound, [*FIRST, (says(**BOUND_MEMBERS), BOUND)]),
    "bound, with a nonce": (bound, [*AGAIN, (says(**BOUND_MEMBERS), BOUND)]),
    "bound, and one nonce after the other": (bound, [*AGAIN, (wants("n-2"), "use_dpop_nonce")]),
    "bound, and the same nonce": (bound, [*AGAIN, (wants("n-1"), "use_dpop_nonce")]),
    "bound, and no nonce": (bound, [*FIRST, (refuses("use_dpop_nonce"), "use_dpop_nonce")]),
    "bound, and not bound": (bound, [*FIRST, (ISSUED, "token_not_bound")]),
    "bound, and no answer": (bound, [*FIRST, (LOST, "transport_error")]),
    "by certificate, at the alias": (
        WITH_CERTIFICATE.client_credentials,
        [
            (START, replace(ASKS, url="https://mtls.as.example/token")),
            (ISSUED, TOKEN),
        ],
    ),
    "by certificate, where there is no alias": (
        lambda: WITH_CERTIFICATE.introspect("t-1"),
        [
            (START, posts(Endpoint.INTROSPECTION, "/introspect", token="t-1")),
            (says(active=True), Finished(Introspection({"active": True}))),
        ],
    ),
    "by certificate, and it is not the right one": (
        WITH_CERTIFICATE.client_credentials,
        [
            (START, replace(ASKS, url="https://mtls.as.example/token")),
            (refuses("invalid_client"), "invalid_client"),
        ],
    ),
}


# What exactly is asked for, and a stronger login.

PAYMENT = {"type": "payment", "amount": "12.00"}
# The example of RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PKCE = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
CALLBACK = "https://app.example/cb"
CHALLENGE = 'Bearer error="insufficient_user_authentication", acr_values="gold", max_age="5"'


def sent_to(asked: str, more: str) -> Finished[PendingAuthorization]:
    """Return where the browser is sent, with what is asked for before and after PKCE."""
    query = "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
    return Finished(
        PendingAuthorization(
            url=f"{ISSUER}/authorize?{query}{asked}&state=st-1&{PKCE}{more}",
            state="st-1",
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
            issuer=ISSUER,
            expires_at=1600.0,
        )
    )


def authorizing(**asked: Any) -> Flow[Any]:
    return CLIENT.authorize(redirect_uri=CALLBACK, state="st-1", code_verifier=VERIFIER, **asked)


def stepping_up() -> Flow[Any]:
    refusal = read_refusal(says(401, (("WWW-Authenticate", CHALLENGE),)))
    assert refusal is not None
    return authorizing(**refusal.step_up("read"))


def in_detail() -> Flow[Any]:
    return CLIENT.client_credentials(authorization_details=[PAYMENT])


DETAILED = asks("client_credentials", authorization_details='[{"type":"payment","amount":"12.00"}]')
QUOTED = "%5B%7B%22type%22%3A%22payment%22%2C%22amount%22%3A%2212.00%22%7D%5D"
GRANTED: dict[str, Any] = {
    "access_token": "a-1",
    "token_type": "Bearer",
    "authorization_details": [PAYMENT],
}
ASKING: dict[str, Story] = {
    "in detail": (
        lambda: authorizing(authorization_details=[PAYMENT]),
        [(START, sent_to("", f"&authorization_details={QUOTED}"))],
    ),
    "in detail, and granted": (
        in_detail,
        [(START, DETAILED), (says(**GRANTED), Finished(OAuth2Token(GRANTED)))],
    ),
    "in detail, and refused": (
        in_detail,
        [
            (START, DETAILED),
            (refuses("invalid_authorization_details"), "invalid_authorization_details"),
        ],
    ),
    "a stronger login": (
        stepping_up,
        [(START, sent_to("&scope=read", "&acr_values=gold&max_age=5"))],
    ),
}

STORIES = DEVICES | BACKCHANNEL | EXCHANGES | BINDING | ASKING


@pytest.mark.parametrize("story", [pytest.param(each, id=name) for name, each in STORIES.items()])
def test_stories(story: Story) -> None:
    begin, steps = story
    flow = begin()
    for event, expected in steps:
        done: Action[Any] | str
        try:
            done = flow.receive(event, NOW)
        except OAuth2Error as error:
            done = error.error
        assert done == expected
    assert flow.state.name in ("FINISHED", "FAILED")
