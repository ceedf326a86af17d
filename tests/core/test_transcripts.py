"""Transcripts of what is pushed, signed, and answered with signatures: events in, actions out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth2_sansio import (
    Client,
    ClientSecretBasic,
    Finished,
    Flow,
    OAuth2Error,
    PendingAuthorization,
    RemoteKey,
    RequestFailed,
    RequestObject,
    RequestToSend,
    ResponseMode,
    ResponseReceived,
    Server,
    ServerKeys,
    SignatureMade,
    SignatureNeeded,
    Started,
)
from oauth2_sansio.events import Event

from .keys_for_tests import key_for, pem_of
from .server_jwts import CLAIMS, ISSUER, NOW, jwk_set, signed_jwt

SERVER = Server(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    introspection_endpoint=f"{ISSUER}/introspect",
    pushed_authorization_request_endpoint=f"{ISSUER}/par",
    jwks_uri=f"{ISSUER}/jwks",
)
KEYS = ServerKeys(jwk_set("ES256"))
NEW_KEYS = jwk_set("EdDSA", "ES256")


def client_of(key: object = None) -> Client:
    return Client(
        server=SERVER,
        client_id="app",
        auth=ClientSecretBasic("hush"),
        request_object=None if key is None else RequestObject(key, "ES256"),
        random_bytes=bytes,
        authorization_signed_response_alg="ES256",
        introspection_signed_response_alg="ES256",
    )


PLAIN = client_of()
SIGNING = client_of(pem_of(key_for("ES256")))
REMOTE = client_of(RemoteKey("ES256", "k-1"))
CALLBACK = "https://app.example/cb"


def authorizing(client: Client, *, push: bool) -> Callable[[], Flow[Any]]:
    return lambda: client.authorize(redirect_uri=CALLBACK, state="st-1", push=push)


def redeeming(keys: ServerKeys = KEYS, **claims: object) -> Callable[[], Flow[Any]]:
    def begin() -> Flow[Any]:
        pending = PendingAuthorization(
            url="", state="st-1", response_mode=ResponseMode.JWT, issuer=ISSUER
        )
        jwt = signed_jwt({**CLAIMS, "state": "st-1", "code": "c-1", **claims}, kid="k-ES256")
        return PLAIN.redeem(pending, f"{CALLBACK}?response={jwt}", keys=keys)

    return begin


def introspecting() -> Flow[Any]:
    return PLAIN.introspect("t-1", keys=KEYS)


def answer(members: object, status: int = 200) -> ResponseReceived:
    return ResponseReceived(status=status, body=json.dumps(members).encode())


def signed_answer(**claims: object) -> ResponseReceived:
    members = {"iss": ISSUER, "aud": "app", "iat": NOW, "token_introspection": {"active": True}}
    kind = "token-introspection+jwt"
    return ResponseReceived(
        status=200,
        headers=(("Content-Type", f"application/{kind}"),),
        body=signed_jwt({**members, **claims}, typ=kind, kid="k-ES256").encode(),
    )


def shown(action: Any) -> str:
    match action:
        case RequestToSend(method=method, url=url, form=form):
            return f"{method} {urlsplit(url).path}: {' '.join(name for name, _ in form)}".rstrip(
                ": "
            )
        case SignatureNeeded(algorithm=algorithm, key_id=key_id):
            return f"sign {algorithm} with {key_id}"
        case Finished(PendingAuthorization() as pending):
            return f"go to {' '.join(parse_qs(urlsplit(pending.url).query))}"
        case Finished(ServerKeys() as keys):
            return f"keys {' '.join(str(key.key_id) for key in keys.keys)}"
        case Finished(result):
            return str(result)
        case _:
            return type(action).__name__


@dataclass
class Story:
    """What is begun, what happens each time, and what is done about it."""

    begin: Callable[[], Flow[Any]]
    steps: list[tuple[Event, str]]


IN_URL = "response_type client_id redirect_uri state code_challenge code_challenge_method"
CREATED = answer({"request_uri": "urn:1", "expires_in": 60}, 201)
LOST = RequestFailed(TimeoutError(), sent=True)
SIGNATURE = SignatureMade(b"s" * 64)
TOKEN = answer({"access_token": "a-1", "token_type": "Bearer"})
START = Started()
PUSHED = f"POST /par: {IN_URL}"
PUSHED_SIGNED = "POST /par: client_id request"
REDEEMED = "POST /token: grant_type code"

STORIES = {
    "a URL": Story(authorizing(PLAIN, push=False), [(START, f"go to {IN_URL}")]),
    "pushed": Story(
        authorizing(PLAIN, push=True), [(START, PUSHED), (CREATED, "go to client_id request_uri")]
    ),
    "pushed, and refused": Story(
        authorizing(PLAIN, push=True),
        [(START, PUSHED), (answer({"error": "invalid_request"}, 400), "invalid_request")],
    ),
    "pushed, and redirected": Story(
        authorizing(PLAIN, push=True), [(START, PUSHED), (answer({}, 307), "remote_protocol_error")]
    ),
    "pushed, and no answer": Story(
        authorizing(PLAIN, push=True), [(START, PUSHED), (LOST, "transport_error")]
    ),
    "pushed, and no reference": Story(
        authorizing(PLAIN, push=True), [(START, PUSHED), (answer({}, 201), "remote_protocol_error")]
    ),
    "signed in the URL": Story(
        authorizing(SIGNING, push=False), [(START, "go to client_id request")]
    ),
    "signed elsewhere": Story(
        authorizing(REMOTE, push=False),
        [(START, "sign ES256 with k-1"), (SIGNATURE, "go to client_id request")],
    ),
    "signed elsewhere, and wrong": Story(
        authorizing(REMOTE, push=False),
        [(START, "sign ES256 with k-1"), (SignatureMade(b"DER"), "local_protocol_error")],
    ),
    "signed and pushed": Story(
        authorizing(SIGNING, push=True),
        [(START, PUSHED_SIGNED), (CREATED, "go to client_id request_uri")],
    ),
    "signed elsewhere and pushed": Story(
        authorizing(REMOTE, push=True),
        [
            (START, "sign ES256 with k-1"),
            (SIGNATURE, PUSHED_SIGNED),
            (CREATED, "go to client_id request_uri"),
        ],
    ),
    "signed and pushed, and refused": Story(
        authorizing(SIGNING, push=True),
        [
            (START, PUSHED_SIGNED),
            (answer({"error": "invalid_request_object"}, 400), "invalid_request_object"),
        ],
    ),
    "keys": Story(
        lambda: ServerKeys.fetch(SERVER),
        [(START, "GET /jwks"), (answer(NEW_KEYS), "keys k-EdDSA k-ES256")],
    ),
    "keys, and none": Story(
        lambda: ServerKeys.fetch(SERVER),
        [(START, "GET /jwks"), (answer({"keys": []}), "remote_protocol_error")],
    ),
    "a signed callback": Story(
        redeeming(),
        [(START, REDEEMED), (TOKEN, "<OAuth2Token>")],
    ),
    "a signed callback, too late": Story(redeeming(exp=NOW - 31), [(START, "jwt_expired")]),
    "a signed callback, too early": Story(redeeming(nbf=NOW + 31), [(START, "jwt_not_yet_valid")]),
    "signed introspection": Story(
        introspecting,
        [(START, "POST /introspect: token"), (signed_answer(), "<Introspection active=True>")],
    ),
    "introspection that should be signed": Story(
        introspecting,
        [(START, "POST /introspect: token"), (answer({"active": True}), "remote_protocol_error")],
    ),
    "introspection for somebody else": Story(
        introspecting,
        [(START, "POST /introspect: token"), (signed_answer(aud="b"), "audience_mismatch")],
    ),
    "introspection that is refused": Story(
        introspecting,
        [
            (START, "POST /introspect: token"),
            (answer({"error": "invalid_client"}, 401), "invalid_client"),
        ],
    ),
}


@pytest.mark.parametrize("story", [pytest.param(each, id=name) for name, each in STORIES.items()])
def test_stories(story: Story) -> None:
    flow = story.begin()
    for event, expected in story.steps:
        try:
            done = shown(flow.receive(event, NOW))
        except OAuth2Error as error:
            done = error.error
        assert done == expected
    assert flow.state.name in ("FINISHED", "FAILED")


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"state": "other"}, "mismatching_state"),
        ({"error": "access_denied"}, "access_denied"),
        ({"iss": f"{ISSUER}/"}, "issuer_mismatch"),
        ({"aud": "other"}, "audience_mismatch"),
        ({"code": None}, "remote_protocol_error"),
    ],
)
def test_a_signed_callback_that_makes_no_flow(claims: dict[str, Any], error: str) -> None:
    with pytest.raises(OAuth2Error) as got:
        redeeming(**claims)()
    assert got.value.error == error


def test_a_new_key_of_the_server() -> None:
    """The keys are fetched anew once, by whoever drives: nothing was sent meanwhile."""
    with pytest.raises(OAuth2Error, match="fetch the keys anew") as got:
        redeeming(ServerKeys(jwk_set("EdDSA")))()
    assert got.value.error == "unknown_key"
    flow = ServerKeys.fetch(SERVER)
    flow.start(NOW)
    action = flow.receive(answer(NEW_KEYS), NOW)
    assert isinstance(action, Finished)
    assert shown(redeeming(action.result)().start(NOW)) == REDEEMED
