"""Callbacks in each mode: what they bring, and that none comes in another mode than was asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from oauth2_sansio import LocalProtocolError, RemoteProtocolError, ResponseMode, ServerKeys
from oauth2_sansio.callback import (
    CallbackAnswer,
    check_signed_mode,
    default_mode,
    open_callback,
)
from oauth2_sansio.jwt_verification import JWTVerification

from .server_jwts import CLAIMS, ISSUER, NOW, jwk_set, signed_jwt

CALLBACK = "https://app.example/cb"
VERIFICATION = JWTVerification(
    issuer=ISSUER,
    client_id="app",
    algorithms=("ES256",),
    keys=ServerKeys(jwk_set("ES256")),
)
PLAIN = (ResponseMode.QUERY, ResponseMode.FRAGMENT, ResponseMode.FORM_POST)
SIGNED = tuple(mode for mode in ResponseMode if mode not in PLAIN)
WHERE = {"query": f"{CALLBACK}?own=1&", "fragment": f"{CALLBACK}?own=1#", "form_post": ""}


def callback_of(mode: ResponseMode, response_type: str = "code", **parameters: str) -> str:
    return WHERE[mode.carrier(response_type).value] + urlencode(parameters)


def opened(
    callback: str, mode: ResponseMode, verification: JWTVerification | None = VERIFICATION
) -> CallbackAnswer:
    return open_callback(callback, mode, "code", verification)


@pytest.mark.parametrize(
    ("mode", "response_type", "carrier"),
    [
        (ResponseMode.QUERY, "token", "query"),
        (ResponseMode.JWT, "code", "query"),
        (ResponseMode.JWT, "token", "fragment"),
        (ResponseMode.JWT, "code id_token", "fragment"),
        (ResponseMode.QUERY_JWT, "code", "query"),
        (ResponseMode.FRAGMENT_JWT, "code", "fragment"),
        (ResponseMode.FORM_POST_JWT, "code", "form_post"),
    ],
)
def test_where_an_answer_is(mode: ResponseMode, response_type: str, carrier: str) -> None:
    assert mode.carrier(response_type) is ResponseMode(carrier)
    assert mode.is_signed is (mode in SIGNED)


def test_where_it_is_by_default() -> None:
    assert default_mode("code") is ResponseMode.QUERY
    for other in ("code token", "", "id_token", "code "):
        assert default_mode(other) is ResponseMode.FRAGMENT


@pytest.mark.parametrize("mode", PLAIN)
def test_a_plain_answer(mode: ResponseMode) -> None:
    answer = opened(callback_of(mode, code="c1", state="s"), mode, None)
    own = {"own": "1"} if mode is ResponseMode.QUERY else {}
    assert answer == CallbackAnswer({**own, "code": "c1", "state": "s"})
    answer.check_times(0.0)  # a plain one has no time
    assert "c1" not in repr(answer)


@pytest.mark.parametrize("mode", SIGNED)
def test_a_signed_answer(mode: ResponseMode) -> None:
    claims = {**CLAIMS, "code": "c1", "state": "s", "expires_in": 60, "x": [1], "y": True}
    callback = callback_of(mode, response=signed_jwt(claims), code="forged", state="s")
    answer = opened(callback, mode)
    parameters = dict(answer.parameters)
    assert parameters.pop("exp", None) is None  # a fraction here, and no parameter in any case
    assert parameters == {
        "iss": ISSUER,
        "aud": "app",
        "code": "c1",
        "state": "s",
        "expires_in": "60",
    }
    answer.check_times(NOW)
    with pytest.raises(RemoteProtocolError, match=r"^jwt_expired"):
        answer.check_times(NOW + 91)
    assert "c1" not in repr(answer)


@pytest.mark.parametrize("mode", SIGNED)
def test_a_plain_answer_where_a_signed_one_was_asked_for(mode: ResponseMode) -> None:
    for parameters in ({"code": "c1", "state": "s", "iss": ISSUER}, {"error": "x"}, {}):
        with pytest.raises(RemoteProtocolError, match="is not signed, .*; refuse it:") as got:
            opened(callback_of(mode, **parameters), mode)
        assert "c1" not in str(got.value)


@pytest.mark.parametrize("mode", PLAIN)
def test_a_signed_answer_where_a_plain_one_was_asked_for(mode: ResponseMode) -> None:
    response = signed_jwt({**CLAIMS, "code": "c1", "state": "s"})
    parameters: dict[str, Any]
    for parameters in ({}, {"code": "c1", "state": "s"}):
        with pytest.raises(RemoteProtocolError, match="no such one was asked for"):
            opened(callback_of(mode, response=response, **parameters), mode)


@pytest.mark.parametrize(
    ("mode", "other"),
    [
        (ResponseMode.QUERY_JWT, ResponseMode.FRAGMENT_JWT),
        (ResponseMode.QUERY_JWT, ResponseMode.FORM_POST_JWT),
        (ResponseMode.FRAGMENT_JWT, ResponseMode.QUERY_JWT),
        (ResponseMode.FRAGMENT_JWT, ResponseMode.FORM_POST_JWT),
        (ResponseMode.FORM_POST_JWT, ResponseMode.FRAGMENT_JWT),
    ],
)
def test_one_in_another_place_is_not_found(mode: ResponseMode, other: ResponseMode) -> None:
    response = signed_jwt({**CLAIMS, "code": "c1", "state": "s"})
    with pytest.raises(RemoteProtocolError):
        opened(callback_of(other, response=response), mode)


def test_an_answer_that_is_not_believed() -> None:
    for response in (signed_jwt({**CLAIMS, "aud": "app2"}), "", "x", "a.b.c.d.e"):
        with pytest.raises(RemoteProtocolError, match="JWT") as got:
            opened(callback_of(ResponseMode.JWT, response=response), ResponseMode.JWT)
        assert got.value.endpoint is not None


def test_what_it_takes_to_read_a_signed_one() -> None:
    callback = callback_of(ResponseMode.JWT, response=signed_jwt())
    with pytest.raises(LocalProtocolError, match=r"Client\.redeem"):
        opened(callback, ResponseMode.JWT, None)
    check_signed_mode(ResponseMode.JWT, ISSUER)
    check_signed_mode(ResponseMode.QUERY, None)
    with pytest.raises(LocalProtocolError, match="names its issuer"):
        check_signed_mode(ResponseMode.QUERY_JWT, None)


@pytest.mark.parametrize(
    ("callback", "complaint"),
    [
        (f"{CALLBACK}?iss=a#iss=b", "iss more than once"),
        (f"{CALLBACK}?iss=b#iss=a", "iss more than once"),
        (f"{CALLBACK}?a=1&a=2#", "more than once"),
        (f"{CALLBACK}#a=1&a=2", "more than once"),
    ],
)
def test_a_callback_that_contradicts_itself(callback: str, complaint: str) -> None:
    with pytest.raises(RemoteProtocolError, match=complaint):
        opened(callback, ResponseMode.FRAGMENT)


def test_the_issuer_may_be_beside_the_fragment() -> None:
    answer = opened(f"{CALLBACK}?iss=a#code=c1", ResponseMode.FRAGMENT)
    assert answer.parameters == {"iss": "a", "code": "c1"}
