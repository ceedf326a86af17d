"""The grants by assertion: what goes out, and how an assertion is made anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from oauth2_sansio import (
    Client,
    ClientSecretBasic,
    DPoP,
    Endpoint,
    LocalProtocolError,
    NoAuthentication,
    RemoteProtocolError,
    RequestToSend,
    ResponseReceived,
    Server,
    SignatureMade,
    SignatureNeeded,
    new_private_key,
)
from oauth2_sansio.assertions import (
    JWT_BEARER,
    SAML2_BEARER,
    JWTAssertion,
    assert_jwt,
    assert_saml,
    by_assertion,
    given_assertion,
)
from oauth2_sansio.client_assertion import AssertionAudience, PrivateKeyJWT
from oauth2_sansio.jwt_signing import RemoteKey, SigningKey, read_key

from .keys_for_tests import OKP, SECRET, key_for, verified

NOW = 1_700_000_000.5
SERVER = Server(
    issuer="https://as.example.com", token_endpoint="https://as.example.com/token?tenant=1"
)
ANSWER = ResponseReceived(status=200, body=b'{"access_token": "a"}')


def client(auth: Any = None) -> Client:
    return Client(
        server=SERVER, client_id="me", auth=auth or NoAuthentication(), random_bytes=bytes
    )


def form_of(action: Any) -> dict[str, str]:
    assert isinstance(action, RequestToSend)
    return dict(action.form)


def claims_of(flow: Any) -> dict[str, Any]:
    token = form_of(flow.start(NOW))["assertion"]
    found: dict[str, Any] = json.loads(verified(token, key_for("EdDSA"), "EdDSA")[1])
    return found


def test_a_jwt_is_traded_for_a_token() -> None:
    told = JWTAssertion(key=OKP, issuer="me", subject="you")
    flow = assert_jwt(
        client(ClientSecretBasic("s")),
        told,
        scope=["a", "b"],
        resource=["https://r.example"],
        parameters={"client_secret": "y"},
    )
    action = flow.start(NOW)
    assert isinstance(action, RequestToSend)
    assert action.header("Authorization") == "Basic bWU6cw=="
    *first, (name, token) = action.form
    assert first == [
        ("grant_type", JWT_BEARER),
        ("scope", "a b"),
        ("resource", "https://r.example"),
        ("client_secret", "y"),
    ]
    assert name == "assertion"
    header, payload = verified(token, key_for("EdDSA"), "EdDSA")
    assert header == {"alg": "EdDSA", "typ": "JWT"}
    assert json.loads(payload) == {
        "iss": "me",
        "sub": "you",
        "aud": "https://as.example.com/token",
        "jti": "A" * 22,
        "iat": 1_700_000_000,
        "exp": 1_700_003_600,
    }
    result: Any = flow.receive(ANSWER, NOW)
    assert result.result.access_token == "a"


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, {"sub": None, "aud": "https://as.example.com/token"}),
        ({"audience": AssertionAudience.ISSUER}, {"aud": "https://as.example.com"}),
        ({"audience": ["a", "b"]}, {"aud": ["a", "b"]}),
        ({"audience": "a", "lifetime": 1}, {"aud": "a", "exp": 1_700_000_001}),
        ({"claims": {"jti": "mine", "x": 1}}, {"jti": "mine", "x": 1}),
    ],
)
def test_claims(settings: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = claims_of(assert_jwt(client(), JWTAssertion(key=OKP, issuer="me", **settings)))
    assert {name: found.get(name) for name in wanted} == wanted


def test_the_given_claims_are_never_changed() -> None:
    claims, headers = {"x": [1]}, {"kid": "k"}
    told = JWTAssertion(key=OKP, issuer="me", claims=claims, headers=headers)
    token = form_of(assert_jwt(client(), told).start(NOW))["assertion"]
    header, _ = verified(token, key_for("EdDSA"), "EdDSA")
    assert header == {"alg": "EdDSA", "typ": "JWT", "kid": "k"}
    assert (claims, headers) == ({"x": [1]}, {"kid": "k"})


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [({"key": SECRET, "alg": "none"}, "no algorithm none"), ({"lifetime": 0}, "above 0")],
)
def test_misuse_is_seen_at_once(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        JWTAssertion(**{"key": OKP, "issuer": "me", **settings})


def test_two_remote_keys_sign_one_request() -> None:
    way = PrivateKeyJWT(private_key=RemoteKey("EdDSA", "client"))
    told = JWTAssertion(key=RemoteKey("EdDSA", "grant"), issuer="me")
    held = read_key(OKP)
    assert isinstance(held, SigningKey)
    flow = assert_jwt(client(way), told)
    action: Any = flow.start(NOW)
    asked = []
    while isinstance(action, SignatureNeeded):
        asked.append(action.key_id)
        action = flow.receive(SignatureMade(held.sign(action.signing_input)), NOW)
    assert asked == ["grant", "client"]
    for name in ("assertion", "client_assertion"):
        verified(form_of(action)[name], key_for("EdDSA"), "EdDSA")


def test_given_jwts() -> None:
    made: Iterator[str | bytes] = iter(["a.b.c", b"d.e.f"])
    assert form_of(assert_jwt(client(), "x.y.z").start(NOW))["assertion"] == "x.y.z"
    for wanted in ("a.b.c", "d.e.f"):
        flow = assert_jwt(client(), lambda: next(made))
        assert form_of(flow.start(NOW))["assertion"] == wanted


@pytest.mark.parametrize("given", ["a.b", "a..c", "a.b.c.d", b"\xff.b.c", ""])
def test_what_is_no_jwt(given: str | bytes) -> None:
    with pytest.raises(LocalProtocolError, match="no signed JWT"):
        assert_jwt(client(), given).start(NOW)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("<a/>", "PGEvPg"),
        (b"\xef\xbb\xbf <a>\xff</a>", "77u_IDxhPv88L2E-"),
        ("PGEvPg", "PGEvPg"),
        (lambda: b"<a/>", "PGEvPg"),
    ],
)
def test_saml_is_base64url_without_padding(given: Any, wanted: str) -> None:
    form = form_of(assert_saml(client(), given, scope="a").start(NOW))
    assert form == {
        "grant_type": SAML2_BEARER,
        "scope": "a",
        "assertion": wanted,
        "client_id": "me",
    }


@pytest.mark.parametrize("given", ["as it is", b"as it is", lambda: b"as it is"])
def test_a_grant_of_ones_own(given: Any) -> None:
    flow = by_assertion(client(), "urn:own", given_assertion(given), headers=(("X-Own", "1"),))
    action = flow.start(NOW)
    assert form_of(action) == {"grant_type": "urn:own", "assertion": "as it is", "client_id": "me"}
    assert isinstance(action, RequestToSend)
    assert action.header("X-Own") == "1"


def test_what_is_no_saml() -> None:
    with pytest.raises(LocalProtocolError, match="neither XML nor its base64url"):
        assert_saml(client(), "PGEvPg==").start(NOW)


def test_signers_learn_nothing_and_show_nothing() -> None:
    told = JWTAssertion(key=OKP, issuer="me", claims={"x": "hush"}, headers={"y": "hush"})
    assert told == JWTAssertion(key=OKP, issuer="me", claims={"x": "hush"}, headers={"y": "hush"})
    signer = told.signer(SERVER, bytes)
    assert repr(told) == (
        "JWTAssertion(issuer='me', subject=None, "
        f"audience={AssertionAudience.TOKEN_ENDPOINT!r}, alg=None, key_id=None, typ='JWT', "
        "lifetime=3600)"
    )
    assert OKP["d"] not in repr(signer)
    assert "<" not in repr(signer).replace(repr(AssertionAudience.TOKEN_ENDPOINT), "")
    assert repr(given_assertion("hush")) == "_Giver()"
    flow = assert_saml(client(), "<hush/>")
    flow.start(NOW)
    flow.receive(ANSWER, NOW)
    sent = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example.com/token")
    assert signer.learn(sent, ANSWER) is False


def test_a_token_that_is_not_bound_is_refused_here_too() -> None:
    client = Client(server=SERVER, client_id="app", dpop=DPoP(new_private_key()))
    flow = assert_jwt(client, "e30.e30.AA")
    flow.start(0.0)
    body = b'{"access_token": "a", "token_type": "Bearer"}'
    with pytest.raises(RemoteProtocolError, match="not bound to the key"):
        flow.receive(ResponseReceived(status=200, body=body), 0.0)
