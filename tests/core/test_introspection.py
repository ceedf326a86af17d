"""What a server says of a token: only a true `true` is active, signed or not."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.answers import Answer
from oauth2_sansio.errors import ErrorResponse, OAuth2Error, RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived
from oauth2_sansio.introspection import (
    ACCEPT_SIGNED,
    Introspection,
    read_introspection,
    read_signed_introspection,
)
from oauth2_sansio.jwt_verification import JWTVerification
from oauth2_sansio.server_keys import ServerKeys

from .server_jwts import ISSUER, NOW, jwk_set, signed_jwt

REQUEST = RequestToSend(endpoint=Endpoint.INTROSPECTION, url="https://as.example/introspect")


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(REQUEST, ResponseReceived(status=status, body=body), 0.0)


@pytest.mark.parametrize("active", [True, False])
def test_a_good_answer(active: bool) -> None:
    members = {"active": active, "scope": "a b", "exp": 5.5, "aud": "api", "own": [1]}
    found = read_introspection(answer(json.dumps(members).encode()))
    assert type(found) is Introspection
    assert found == members
    assert found.active is active
    assert (found.scope, found.expires_at, found.audience) == ("a b", 5.5, ("api",))
    assert repr(found) == str(found) == f"<Introspection active={active}>"
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("members", "acr", "auth_time"),
    [
        ({"acr": "gold", "auth_time": 5}, "gold", 5.0),
        ({"acr": ["gold"], "auth_time": "soon"}, None, None),
        ({}, None, None),
    ],
)
def test_how_the_user_has_logged_in(
    members: dict[str, Any], acr: str | None, auth_time: float | None
) -> None:
    found = read_introspection(answer(json.dumps({"active": True, **members}).encode()))
    assert (found.acr, found.auth_time) == (acr, auth_time)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"active": null}',
        b'{"active": "false"}',
        b'{"active": "true"}',
        b'{"active": 1}',
        b'{"active": []}',
        b'{"active": true, "active": false}',
        b"[true]",
        b"true",
        b"",
        b"<html>ok</html>",
        b"eyJhbGciOiJub25lIn0.eyJhY3RpdmUiOnRydWV9.",
    ],
)
def test_whatever_is_not_plainly_an_answer_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read_introspection(answer(body))
    assert caught.value.endpoint is Endpoint.INTROSPECTION
    assert caught.value.status == 200


def test_a_refusal() -> None:
    with pytest.raises(ErrorResponse, match=r"^invalid_client"):
        read_introspection(answer(b'{"error": "invalid_client"}', 401))


@pytest.mark.parametrize("active", [None, "true", 1, [True]])
def test_only_a_true_true_is_active(active: object) -> None:
    assert Introspection(active=active).active is False
    assert Introspection().active is False


@pytest.mark.parametrize(
    ("members", "scope", "expires_at", "audience"),
    [
        ({}, None, None, ()),
        ({"scope": 5, "exp": "soon", "aud": 5}, None, None, ()),
        ({"scope": "a", "exp": "7", "aud": ["x", 5, "y"]}, "a", 7.0, ("x", "y")),
        ({"exp": True, "aud": None}, None, None, ()),
        ({"aud": {"x": 1}}, None, None, ()),
    ],
)
def test_odd_members(
    members: dict[str, Any], scope: str | None, expires_at: float | None, audience: tuple[str, ...]
) -> None:
    found = Introspection(members)
    assert (found.scope, found.expires_at, found.audience) == (scope, expires_at, audience)


# Signed (RFC 9701)

SIGNED = "application/token-introspection+jwt"
TYP = "token-introspection+jwt"
MEMBERS = {"active": True, "scope": "a", "exp": 7}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "app",
    "iat": NOW,
    "token_introspection": MEMBERS,
}
VERIFICATION = JWTVerification(
    issuer=ISSUER,
    client_id="app",
    algorithms=("ES256",),
    keys=ServerKeys(jwk_set("ES256")),
)


def read_signed(
    text: str, content_type: str | None = SIGNED, status: int = 200, now: float = NOW
) -> Introspection:
    headers = () if content_type is None else (("Content-Type", content_type),)
    response = ResponseReceived(status=status, headers=headers, body=text.encode())
    return read_signed_introspection(VERIFICATION, Answer(REQUEST, response, now))


@pytest.mark.parametrize("typ", [TYP, "Application/Token-Introspection+JWT"])
def test_a_signed_answer(typ: str) -> None:
    assert ACCEPT_SIGNED == (("Accept", SIGNED),)
    found = read_signed(signed_jwt(CLAIMS, typ=typ) + "\r\n", f"{SIGNED}; charset=utf-8")
    assert type(found) is Introspection
    assert (found, found.active) == (MEMBERS, True)


@pytest.mark.parametrize(
    ("changes", "header", "complaint"),
    [
        ({"iss": "https://evil.example"}, {}, "issuer_mismatch"),
        ({"aud": "app2"}, {}, "audience_mismatch"),
        ({"iat": None}, {}, "no claim iat"),
        ({"iat": NOW + 31}, {}, "jwt_not_yet_valid"),
        ({"exp": NOW - 31}, {}, "jwt_expired"),
        ({"token_introspection": None}, {}, "no claim token_introspection"),
        ({"token_introspection": [MEMBERS]}, {}, "no claim token_introspection"),
        ({"token_introspection": {"active": "true"}}, {}, "`active` is missing"),
        ({"token_introspection": {}, "active": True}, {}, "`active` is missing"),
        ({}, {"typ": None}, "another kind"),
        ({}, {"typ": "JWT"}, "another kind"),
        ({}, {"typ": "at+jwt"}, "another kind"),
        ({}, {"kid": "other"}, "unknown_key"),
        ({}, {"crit": ["exp"]}, "not understood"),
        ({}, {"algorithm": "RS256"}, "unexpected_algorithm"),
        ({}, {"algorithm": "HS256"}, "unexpected_algorithm"),
    ],
)
def test_a_signed_answer_that_is_not_believed(
    changes: dict[str, Any], header: dict[str, Any], complaint: str
) -> None:
    text = signed_jwt({**CLAIMS, **changes}, **{"typ": TYP, "kid": "k-ES256", **header})
    with pytest.raises(RemoteProtocolError, match=complaint) as caught:
        read_signed(text)
    assert caught.value.endpoint is Endpoint.INTROSPECTION
    assert caught.value.response is not None


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "application/jwt", "text/plain"]
)
def test_any_other_answer_than_a_signed_one(content_type: str | None) -> None:
    for text in (signed_jwt(CLAIMS, typ=TYP), json.dumps(MEMBERS)):
        with pytest.raises(RemoteProtocolError, match="is not signed"):
            read_signed(text, content_type)


@pytest.mark.parametrize("status", [100, 201, 204])
def test_a_signed_answer_of_another_status(status: int) -> None:
    with pytest.raises(RemoteProtocolError, match="not an OAuth answer"):
        read_signed(signed_jwt(CLAIMS, typ=TYP), status=status)


@given(
    st.dictionaries(st.sampled_from(["active", "exp", "aud", "scope", "error", "acr"]), st.text())
    | st.dictionaries(
        st.sampled_from(["active", "exp", "aud", "scope", "auth_time"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.integers()),
    )
)
def test_any_members_are_an_introspection_or_our_error(members: dict[str, Any]) -> None:
    try:
        found = read_introspection(answer(json.dumps(members).encode()))
    except OAuth2Error:
        return
    assert found.active is members["active"]
    repr((found, found.scope, found.expires_at, found.audience, found.acr, found.auth_time))


def test_a_signed_answer_of_any_bytes() -> None:
    for body in (b"", b"\xff", b"a.b.c", b"." * 20_000, b"[" * 9_000, b"{}"):
        headers = (("Content-Type", SIGNED),)
        response = ResponseReceived(status=200, headers=headers, body=body)
        with pytest.raises(RemoteProtocolError, match="JWT"):
            read_signed_introspection(VERIFICATION, Answer(REQUEST, response, NOW))


def test_a_refusal_of_a_signed_answer() -> None:
    with pytest.raises(ErrorResponse, match=r"^invalid_client"):
        read_signed('{"error": "invalid_client"}', "application/json", 401)
